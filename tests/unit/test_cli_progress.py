"""Progress: bars on a terminal, plain lines in a log."""

from __future__ import annotations

import io
from typing import Any

from console.follow import Bars, Lines


def job(state: str, done: int, total: int | None = 100) -> dict[str, Any]:
    """A job as the console reads it."""
    return {"id": "1", "type": "fetch_prs", "state": state, "processed_items": done, "total_items": total}


def test_a_log_has_one_line_for_each_change_of_state() -> None:
    out = io.StringIO()
    lines = Lines(out)
    for one in (job("blocked", 0), job("processing", 0), job("processing", 50), job("completed", 100)):
        lines.show([one])

    assert out.getvalue().splitlines() == [
        "fetch_prs: processing, 0 of 100 items",
        "fetch_prs: completed, 100 of 100 items",
    ]


def test_a_log_has_a_line_every_so_often_while_a_job_runs() -> None:
    out = io.StringIO()
    lines = Lines(out, every_seconds=0)
    for done in (0, 25, 50):
        lines.show([job("processing", done, None)])

    assert out.getvalue().splitlines()[-1] == "fetch_prs: processing, 50 items"
    assert len(out.getvalue().splitlines()) == 3


def test_bars_fill_up_and_are_drawn_over_themselves() -> None:
    out = io.StringIO()
    bars = Bars(out, colour=False)
    bars.show([job("processing", 50)])
    bars.show([job("completed", 100)])
    first, second = out.getvalue().split("\x1b[1A")

    assert (first.count("█"), first.count("░")) == (15, 15)
    assert (second.count("█"), second.count("░")) == (30, 0)


def test_without_colour_no_colour_is_written() -> None:
    plain, coloured = io.StringIO(), io.StringIO()
    Bars(plain, colour=False).show([job("completed", 100)])
    Bars(coloured).show([job("completed", 100)])

    assert "\x1b[32m" not in plain.getvalue()
    assert "\x1b[32m" in coloured.getvalue()


def test_what_is_told_meanwhile_stays_above_the_bars() -> None:
    out = io.StringIO()
    bars = Bars(out, colour=False)
    bars.show([job("processing", 1)])
    bars.tell("kill -9")
    bars.show([job("processing", 2)])

    assert out.getvalue().index("kill -9") < out.getvalue().rindex("fetch_prs")
    assert out.getvalue().count("kill -9") == 1
