"""kill -9 of a process that holds a claim at that moment: wherever in a page it strikes, the rows are exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors import capture_repository
from console.local.github import Dataset
from tests.acceptance.conftest import Install

#: Where a process dies, and which jobs it then holds.
CRASH_POINTS = {
    "before the request": ["fetch_prs"],
    "after the reply": ["fetch_prs"],
    "rows written": ["fetch_prs"],
    "committed": ["fetch_prs"],
    "finish computed": ["fetch_prs"],
    "finish committed": [],
}
LISTS = {
    "fetch_prs": ("PullRequests", 3),
    "fetch_reviews": ("TailCommits", None),
    "fetch_comments": ("pulls/comments", 2),
    "analyze_commits": ("Commits", 2),
}


@pytest.mark.parametrize("actor", LISTS)
def test_a_process_killed_while_github_holds_its_request_loses_nothing(
    install: Install, small: Dataset, actor: str
) -> None:
    system = install(small)
    system.start_workers(2)
    operation, page = LISTS[actor]
    system.github.hold_before(operation=operation, page=page)
    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")

    system.wait_until(system.github.is_holding, 40, f"{actor} was asking")
    worker = system.holder(actor)
    assert worker is not None
    (held,) = system.kill(worker)[:1]
    assert system.job(held).status == "processing"
    system.github.release()
    jobs = system.wait_for_capture(small.name)

    account = system.check_exact(small.data)
    # A commit that was under way at the kill may still have ended its job.
    assert account.kills >= account.rescues >= 1
    assert {job.actor: job.crashes for job in jobs}[actor] == 1
    assert all(job.attempts == 0 for job in jobs)


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_process_killed_at_any_point_of_a_page_commit_leaves_exact_rows(
    install: Install, small: Dataset, tmp_path: Path, point: str
) -> None:
    system = install(small)
    crash = {"CRASH_POINT": point, "CRASH_ACTOR": "fetch_prs", "CRASH_ONCE": str(tmp_path / "died")}
    workers = system.start_workers(2, "tests.workers.crash_points", settings=crash)
    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")

    (victim,) = system.wait_until(
        lambda: [one for one in workers if one.exit_code is not None], 40, f"a process died: {point}"
    )
    held = system.died(victim)
    assert [system.job(job_id).actor for job_id in held] == CRASH_POINTS[point]
    system.wait_for_capture(small.name)

    account = system.check_exact(small.data)
    assert account.rescues == len(held)
    assert account.asked_twice == (1 if point in {"after the reply", "rows written"} else 0)
    assert all(system.job(job_id).crashes == 1 for job_id in held)


def test_all_processes_killed_at_once_leave_everything_to_those_that_start_next(
    install: Install, small: Dataset
) -> None:
    system = install(small, latency_seconds=0.05)
    workers = system.start_workers(2)
    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")
    system.wait_until(lambda: system.holder("analyze_commits"), 40, "the last jobs ran")
    for worker in workers:
        system.kill(worker)
    assert system.kills >= 1

    system.start_workers(2)
    system.wait_for_capture(small.name)
    account = system.check_exact(small.data)
    assert account.rescues <= account.kills
