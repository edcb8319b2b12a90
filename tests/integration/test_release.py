"""Release: dependents and capture runs go on when the last of what they wait for is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from capture.errors import Deferred
from capture.ids import new_id
from ledger.duties.release import release
from models.capture_run import CaptureRun
from models.database import transaction
from models.repository import Repository
from tests.integration.engine import SECONDS_PER_POINT, Bench
from tests.integration.history_payloads import repository


def look(bench: Bench, term: int) -> int:
    return release(bench.sql, term=term, seconds_per_point=SECONDS_PER_POINT)


def opened(bench: Bench, since_days: int | None = None) -> tuple[str, str, int]:
    """A capture run of octo/hello: its id, the id of the job that opened it, the repository's."""
    with transaction():
        repository_id = Repository.upsert(repository(name="hello")).id
    job_id = bench.sent("opens")
    with transaction():
        run_id = CaptureRun.open("octo/hello", repository_id, since_days, job_id)
    return run_id, job_id, repository_id


def watermark(bench: Bench) -> datetime | None:
    found: datetime | None = bench.value("SELECT watermark FROM repositories")
    return found


def run_row(bench: Bench, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = bench.value(
        "SELECT to_jsonb(r) FROM progressive_capture_capture_runs r WHERE id = %s", run_id
    )
    return found


# Dependents.


def test_a_blocked_job_is_released_when_all_that_it_waits_for_is_completed(bench: Bench):
    term = bench.lead()
    first, second = bench.sent("1"), bench.sent("2")
    waiting = bench.sent("3", blocked_by=[first, second], repository_size="small")
    assert look(bench, term) == 0
    bench.settle(first, "completed")
    assert look(bench, term) == 0
    assert bench.status(waiting) == "blocked"
    bench.settle(second, "completed")

    assert look(bench, term) == 1
    row = bench.job(waiting)
    assert (row["status"], row["blocked_by"]) == ("pending", None)
    assert bench.value(
        "SELECT extract(epoch FROM ready_at) - ready_rank FROM progressive_capture_jobs WHERE id = %s", waiting
    ) == pytest.approx(30 * 60, abs=0.1)
    assert [one.id for one in bench.claim(waiting)] == [waiting]


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_job_is_cancelled_with_the_reason_when_one_that_it_waits_for_does_not_complete(bench: Bench, end: str):
    term = bench.lead()
    good, bad = bench.sent("1"), bench.sent("2")
    waiting = bench.once.send_with_options(args=("x",), blocked_by=[good, bad]).message_id
    bench.settle(bad, end)
    assert look(bench, term) == 0
    bench.settle(good, "completed")

    assert look(bench, term) == 1
    row = bench.job(waiting)
    assert (row["status"], row["unique_key"], row["ready_rank"]) == ("cancelled", None, None)
    assert row["error"] == f"A job that it waited for did not complete: say {end}."
    assert row["completed_at"] is not None
    assert bench.log(waiting) == [(None, "blocked"), ("blocked", "cancelled")]


def test_a_cancelled_job_cancels_what_waits_for_it_in_turn(bench: Bench):
    term = bench.lead()
    first = bench.sent("1")
    second = bench.sent("2", blocked_by=[first])
    third = bench.sent("3", blocked_by=[second])
    bench.settle(first, "failed")
    look(bench, term)
    look(bench, term)

    assert [bench.status(job_id) for job_id in (second, third)] == ["cancelled", "cancelled"]


def test_a_job_whose_blockers_were_pruned_is_released(bench: Bench):
    term = bench.lead()
    waiting = bench.sent(blocked_by=[new_id()])

    assert look(bench, term) == 1
    assert bench.status(waiting) == "pending"


def test_only_the_leader_of_the_term_releases(bench: Bench):
    term = bench.lead()
    run_id, _, _ = opened(bench)
    bench.settle(bench.sent(capture_run_id=run_id), "completed")
    waiting = bench.sent(blocked_by=[new_id()])

    assert look(bench, term + 1) == 0
    assert bench.status(waiting) == "blocked"
    assert run_row(bench, run_id)["status"] == "open"


# Capture runs.


def test_a_full_run_closes_completed_and_moves_the_watermark_to_when_it_was_opened(bench: Bench):
    term = bench.lead()
    run_id, _, _ = opened(bench)
    jobs = [bench.sent(word, capture_run_id=run_id) for word in ("a", "b")]
    bench.settle(jobs[0], "completed")
    assert (look(bench, term), run_row(bench, run_id)["status"]) == (0, "open")
    bench.settle(jobs[1], "completed")

    assert look(bench, term) == 1
    row = run_row(bench, run_id)
    assert (row["status"], row["error"]) == ("completed", None)
    assert row["closed_at"] is not None
    assert watermark(bench) == bench.value("SELECT opened_at FROM progressive_capture_capture_runs")
    assert look(bench, term) == 0


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_run_with_a_job_that_did_not_complete_closes_failed_and_moves_no_watermark(bench: Bench, end: str):
    term = bench.lead()
    run_id, _, _ = opened(bench)
    jobs = [bench.sent(word, capture_run_id=run_id) for word in ("a", "b")]
    bench.settle(jobs[0], end)
    bench.settle(jobs[1], "completed")

    assert look(bench, term) == 1
    row = run_row(bench, run_id)
    assert (row["status"], row["error"]) == ("failed", "it broke" if end == "failed" else None)
    assert watermark(bench) is None


def test_a_run_over_some_days_moves_no_watermark(bench: Bench):
    term = bench.lead()
    run_id, _, _ = opened(bench, since_days=7)
    bench.settle(bench.sent(capture_run_id=run_id), "completed")

    assert (look(bench, term), run_row(bench, run_id)["status"]) == (1, "completed")
    assert watermark(bench) is None


def test_a_watermark_never_goes_back(bench: Bench):
    term = bench.lead()
    run_id, _, _ = opened(bench)
    bench.query("UPDATE repositories SET watermark = clock_timestamp() + interval '1 day'")
    before = watermark(bench)
    bench.settle(bench.sent(capture_run_id=run_id), "completed")
    look(bench, term)

    assert watermark(bench) == before


def test_a_second_request_waits_while_a_run_of_the_repository_is_open(bench: Bench):
    term = bench.lead()
    run_id, _, repository_id = opened(bench, since_days=7)
    waiting = bench.sent("asks for everything")
    with pytest.raises(Deferred, match="is open"), transaction():
        CaptureRun.open("Octo/Hello", repository_id, None, waiting)
    bench.settle(bench.sent(capture_run_id=run_id), "completed")
    look(bench, term)

    with transaction():
        assert CaptureRun.open("Octo/Hello", repository_id, None, waiting) != run_id
    assert CaptureRun.latest("octo/hello").since_days is None


def test_a_run_whose_jobs_are_gone_is_closed(bench: Bench):
    term = bench.lead()
    run_id, _, _ = opened(bench)

    look(bench, term)

    assert run_row(bench, run_id)["status"] == "failed"


def test_the_same_job_opens_its_run_once_however_often_it_runs(bench: Bench):
    term = bench.lead()
    run_id, job_id, repository_id = opened(bench)
    with transaction():
        assert CaptureRun.open("octo/hello", repository_id, None, job_id) == run_id
    bench.settle(bench.sent(capture_run_id=run_id), "completed")
    look(bench, term)

    assert bench.value("SELECT count(*) FROM progressive_capture_jobs WHERE actor = 'capture_repository'") == 0
    assert CaptureRun.latest("OCTO/hello") == CaptureRun.by_id(run_id)
