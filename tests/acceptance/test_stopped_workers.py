"""Workers that are told to stop give back what they hold; workers that were frozen find that they hold nothing."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from actors import capture_repository
from console.local.github import Dataset, generate
from tests.acceptance.conftest import Install
from tests.workers.toys import CREATE, page_through

TOYS = "tests.workers.toys"
SHORT_LEASE = {"LEASE_SECONDS": "3", "LEASE_RENEW_SECONDS": "1"}


def test_a_worker_told_to_stop_gives_its_job_back_and_the_next_goes_on_after_the_last_committed_page(
    install: Install, small: Dataset
) -> None:
    system = install(small, latency_seconds=0.1)
    (first,) = system.start_workers(1)
    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")
    system.wait_until(lambda: 3 in system.github.pages_asked(operation="PullRequests"), 20, "page 3 was asked for")

    told = time.monotonic()
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0
    assert time.monotonic() - told < 3
    job = system.job_of("fetch_prs")
    assert (job.status, job.attempts, job.crashes) == ("pending", 0, 0)
    assert system.held_by(first) == []

    system.start_workers(1)
    jobs = system.wait_for_capture(small.name)

    pages = system.github.pages_asked(operation="PullRequests")
    assert pages == list(range(1, len(pages) + 1))
    account = system.check_exact(small.data)
    assert (account.asked_twice, account.rescues) == (0, 0)
    assert all((one.attempts, one.crashes) == (0, 0) for one in jobs)


def test_a_run_that_reaches_no_commit_is_put_back_at_the_end_of_the_drain(install: Install) -> None:
    system = install()
    system.rows(CREATE)
    (worker,) = system.start_workers(1, TOYS, settings={"DRAIN_SECONDS": "0.5"})
    job_id = page_through.send(2, 30).message_id
    system.wait_until(lambda: system.job(job_id).status == "processing", 20, "the job ran")

    worker.send_signal(signal.SIGTERM)
    system.wait_until(lambda: system.job(job_id).status == "pending", 3, "the job was put back")
    assert (system.job(job_id).attempts, system.job(job_id).crashes) == (0, 0)


def test_a_frozen_worker_writes_nothing_when_it_wakes_after_its_job_went_on_elsewhere(install: Install) -> None:
    dataset = generate("octo/frozen", pull_requests=60, seed=5)
    system = install(dataset)
    frozen, other = system.start_workers(2, settings=SHORT_LEASE)
    system.github.hold_before(operation="PullRequests", page=3)
    capture_repository.send_with_options(args=(dataset.name,), trigger_source="manual")
    system.wait_until(system.github.is_holding, 20, "page 3 was asked for")
    if system.held_by(other):
        frozen, other = other, frozen
    (held,) = system.held_by(frozen)

    frozen.send_signal(signal.SIGSTOP)
    system.wait_until(lambda: held in system.held_by(other), 15, "the job went on elsewhere")
    system.github.release()
    system.wait_until(lambda: system.job(held).status == "completed", 20, "the other process completed the job")
    # It wakes with a whole page in hand and a job that is no longer its own.
    frozen.send_signal(signal.SIGCONT)
    system.wait_until(lambda: "LeaseLost" in frozen.last_words(), 10, "the frozen run was refused its commit")
    system.wait_for_capture(dataset.name)

    assert system.job(held).crashes == 1
    epochs = system.rows(
        "SELECT page, epoch FROM progressive_capture_page_commits WHERE job_id = %s::uuid ORDER BY page", held
    )
    assert [epoch for _, epoch in epochs] == sorted(epoch for _, epoch in epochs)
    system.kills += 1
    account = system.check_exact(dataset.data)
    assert account.rescues == 1


@pytest.mark.slow
def test_a_worker_frozen_inside_a_transaction_holds_nobody_up_for_long(
    install: Install, small: Dataset, tmp_path: Path
) -> None:
    system = install(small)
    frozen_once = tmp_path / "froze"
    crash = {
        "CRASH_POINT": "rows written",
        "CRASH_ACTOR": "fetch_prs",
        "CRASH_SIGNAL": "SIGSTOP",
        "CRASH_ONCE": str(frozen_once),
    }
    workers = system.start_workers(2, "tests.workers.crash_points", settings=SHORT_LEASE | crash)
    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")
    system.wait_until(frozen_once.exists, 20, "a process froze with rows written and not committed")
    frozen = system.holder("fetch_prs")
    assert frozen is not None
    (other,) = [one for one in workers if one is not frozen]

    system.wait_until(lambda: system.holder("fetch_prs") is other, 25, "the job went on elsewhere")
    frozen.send_signal(signal.SIGCONT)
    jobs = system.wait_for_capture(small.name)

    system.kills += 1
    assert system.check_exact(small.data).rescues == 1
    assert {job.actor: (job.crashes, job.attempts) for job in jobs}["fetch_prs"] == (1, 0)


def test_a_worker_that_was_frozen_takes_new_jobs_again(install: Install) -> None:
    system = install()
    system.rows(CREATE)
    (worker,) = system.start_workers(1, TOYS, settings=SHORT_LEASE)
    worker.send_signal(signal.SIGSTOP)
    sql = "SELECT 1 FROM progressive_capture_workers WHERE lease_until <= clock_timestamp()"
    system.wait_until(lambda: system.rows(sql), 10, "its lease was over")
    worker.send_signal(signal.SIGCONT)

    job = system.wait_for_job(page_through.send(3, 0.01).message_id, 20)
    assert (job.status, job.crashes) == ("completed", 0)
