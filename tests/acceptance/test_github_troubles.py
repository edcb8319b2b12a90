"""Repositories that are not there, empty or renamed, and a GitHub that answers badly."""

from __future__ import annotations

from itertools import pairwise

import pytest

from actors import capture_repository, fetch_prs
from console.local.github import Dataset, generate
from tests.acceptance.conftest import Install
from tests.acceptance.installation import Installation

LETTERS = "SELECT job_id::text, message FROM progressive_capture_dead_letters WHERE closed_at IS NULL"


def test_repositories_that_are_missing_or_blocked_fail_at_once_with_the_reason(install: Install) -> None:
    blocked = generate("octo/blocked", pull_requests=5)
    system = install(blocked)
    system.github.set_state(blocked.name, "blocked")
    system.start_workers(1)

    reasons = {
        capture_repository.send("octo/missing").message_id: "octo/missing does not exist",
        fetch_prs.send("octo/missing").message_id: "octo/missing does not exist",
        capture_repository.send(blocked.name).message_id: "Repository access blocked",
    }
    for job_id, reason in reasons.items():
        job = system.wait_for_job(job_id, 20)
        assert (job.status, job.runs, job.attempts, job.kind) == ("failed", 1, 1, "permanent")
        assert reason in str(job.error)
    letters = dict(system.rows(LETTERS))
    assert letters.keys() == reasons.keys()
    assert all(reason in letters[job_id] for job_id, reason in reasons.items())
    assert len(system.github.log) == len(reasons)
    assert system.rows("SELECT count(*) FROM repositories") == [(0,)]


def test_a_list_that_is_refused_for_legal_reasons_fails_its_job_and_the_capture_run_says_why(
    install: Install, small: Dataset
) -> None:
    system = install(small)
    system.github.fail("unavailable_for_legal_reasons", operation="pulls/comments", page=2)
    system.start_workers(1)
    capture_repository.send(small.name)

    sql = "SELECT status, error FROM progressive_capture_capture_runs WHERE closed_at IS NOT NULL"
    ((status, error),) = system.wait_until(lambda: system.rows(sql), 40, "the capture run was closed")
    job = system.job_of("fetch_comments")
    assert (job.status, job.runs, job.kind) == ("failed", 1, "permanent")
    assert (status, error) == ("failed", job.error)
    assert "451" in str(error) or "blocked" in str(error)
    # The rest is there, whole: only what was refused is missing.
    differences = system.comparison(small.data).differences
    assert differences
    assert all("review_comments" in difference or "review comment" in difference for difference in differences)


def test_an_empty_repository_is_completed_with_nothing(install: Install) -> None:
    empty = generate("octo/empty", empty=True)
    system = install(empty)
    system.start_workers(1)
    capture_repository.send(empty.name)

    jobs = system.wait_for_capture(empty.name)
    assert {(job.status, job.runs) for job in jobs} == {("completed", 1)}
    system.check_exact(empty.data)


def test_a_renamed_repository_is_stored_under_its_new_name(install: Install) -> None:
    dataset = generate("octo/old-name", pull_requests=20, seed=3)
    system = install(dataset)
    system.github.rename("octo/old-name", "hexo/new-name")
    system.start_workers(1)
    capture_repository.send("octo/old-name")

    system.wait_for_capture("hexo/new-name")
    assert system.rows("SELECT owner, name FROM repositories") == [("hexo", "new-name")]
    system.check_exact(system.github.truth("hexo/new-name"))


def test_bad_answers_are_asked_for_again_in_halves_and_the_rows_are_exact(install: Install, small: Dataset) -> None:
    system = install(small)
    order_bad_answers(system)
    system.start_workers(2)
    capture_repository.send(small.name)

    jobs = system.wait_for_capture(small.name)
    assert system.check_exact(small.data).faults == 8
    assert all((job.status, job.crashes) == ("completed", 0) for job in jobs)
    for kind in ("bad_gateway", "resource_limits", "null_data"):
        assert halved_after(system, kind), kind


def order_bad_answers(system: Installation) -> None:
    """One of each kind, in every list."""
    github = system.github
    github.fail("bad_gateway", operation="PullRequests", page=2)
    github.fail("resource_limits", operation="PullRequests", page=3)
    github.fail("drop", operation="PullRequests", page=4)
    github.fail("null_data", operation="PullRequests", page=5)
    github.fail("truncated", operation="Commits", page=1)
    github.fail("bad_gateway", operation="pulls/comments", page=1)
    github.fail("drop_after_headers", operation="TailCommits")
    github.fail("something_went_wrong", operation="Repository")


def halved_after(system: Installation, kind: str) -> bool:
    """Whether the page that failed so was asked for next with half its size."""
    pulls = [one for one in system.github.log if one["operation"] == "PullRequests"]
    failed, again = next(pair for pair in pairwise(pulls) if pair[0]["fault"] == kind)
    return bool(again["cursor"] == failed["cursor"] and again["first"] == failed["first"] // 2)


@pytest.mark.parametrize("times", [5, 7])
def test_a_page_that_fails_oftener_than_one_run_asks_is_gone_on_with_by_the_next_run(
    install: Install, times: int
) -> None:
    dataset = generate("octo/patience", pull_requests=30, seed=2)
    system = install(dataset)
    system.github.fail("drop", next=times, operation="PullRequests", page=2)
    system.start_workers(1, settings={"GITHUB_TRIES": "2"})
    capture_repository.send(dataset.name)

    system.wait_for_capture(dataset.name)
    job = system.job_of("fetch_prs")
    # Each run asks twice; a retry that makes no headway counts, and three are allowed.
    assert (job.status, job.attempts) == ("completed", times // 2)
    assert system.check_exact(dataset.data).faults == times
