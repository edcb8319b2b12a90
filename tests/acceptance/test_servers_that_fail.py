"""Redis holds nothing that may not be lost, and a database that comes back costs no job anything."""

from __future__ import annotations

import pytest
from redis import Redis

from actors import capture_repository
from console.local.github import Dataset
from tests.acceptance.conftest import Install
from tests.acceptance.installation import NO_SETTINGS, RESCUES, Installation, Settings
from tests.workers.toys import CREATE, page_through, say

TOYS = "tests.workers.toys"
SHORT_LEASE = {"LEASE_SECONDS": "3", "LEASE_RENEW_SECONDS": "1"}


def begin(system: Installation, dataset: Dataset, settings: Settings = NO_SETTINGS) -> None:
    """Two workers in the middle of a capture."""
    system.start_workers(2, settings=settings)
    capture_repository.send_with_options(args=(dataset.name,), trigger_source="manual")
    system.wait_until(lambda: 3 in system.github.pages_asked(operation="PullRequests"), 20, "page 3 was asked for")


def rows_of(system: Installation, job_ids: list[str]) -> dict[str, int]:
    sql = "SELECT job_id::text, count(*) FROM toy_rows WHERE job_id = ANY(%s::uuid[]) GROUP BY 1"
    return dict(system.rows(sql, job_ids))


def wait_for_completed(system: Installation, count: int) -> None:
    system.wait_until(
        lambda: sum(job.status == "completed" for job in system.jobs()) >= count, 20, f"{count} jobs were completed"
    )


def test_flushing_redis_in_the_middle_loses_nothing(install: Install, small: Dataset) -> None:
    system = install(small, latency_seconds=0.05)
    redis = Redis.from_url(system.redis_url)
    begin(system, small)
    redis.flushall()
    system.wait_until(lambda: system.holder("fetch_comments"), 30, "fetch_comments ran")
    redis.flushall()
    redis.close()

    system.wait_for_capture(small.name)
    account = system.check_exact(small.data)
    assert (account.asked_twice, account.rescues) == (0, 0)


@pytest.mark.slow
def test_a_backlog_whose_hints_are_flushed_away_flows_again(install: Install, small: Dataset) -> None:
    system = install(small)
    system.rows(CREATE)
    ids = page_through.send_many([(5, 0.02)] * 40)
    redis = Redis.from_url(system.redis_url)
    system.start_workers(2, TOYS)
    for finished in (8, 24):
        wait_for_completed(system, finished)
        redis.flushall()
    redis.close()

    wait_for_completed(system, len(ids))
    assert rows_of(system, ids) == dict.fromkeys(ids, 5)
    assert {job.runs for job in system.jobs()} == {1}


def test_redis_stopped_and_started_in_the_middle_loses_nothing(install: Install, small: Dataset) -> None:
    system = install(small, latency_seconds=0.05)
    begin(system, small)
    system.servers.redis.kill()
    # What runs needs no Redis; what follows waits for it.
    system.wait_until(lambda: system.job_of("fetch_prs").status == "completed", 30, "the job in hand was completed")
    system.servers.redis.start()

    jobs = system.wait_for_capture(small.name)
    account = system.check_exact(small.data)
    assert (account.asked_twice, account.rescues) == (0, 0)
    assert all((job.attempts, job.crashes, job.faults) == (0, 0, 0) for job in jobs)


def test_a_job_sent_while_redis_is_down_is_stored_and_runs_when_it_is_back(install: Install, small: Dataset) -> None:
    system = install(small)
    system.rows(CREATE)
    system.start_workers(1, TOYS)
    system.servers.redis.kill()

    job_id = say.send("into the dark").message_id
    assert system.job(job_id).status == "pending"

    system.servers.redis.start()
    job = system.wait_for_job(job_id, 15)
    assert (job.status, job.runs, rows_of(system, [job_id])) == ("completed", 1, {job_id: 1})


def test_a_database_restarted_in_the_middle_fails_nothing_and_charges_no_crash(
    install: Install, small: Dataset
) -> None:
    system = install(small, latency_seconds=0.05)
    begin(system, small)
    system.servers.postgres.restart_immediate()
    check_nothing_was_charged(system, small)


@pytest.mark.parametrize(
    "settings",
    [pytest.param({}, id="within the lease", marks=pytest.mark.slow), pytest.param(SHORT_LEASE, id="beyond the lease")],
)
def test_a_database_that_is_away_for_some_seconds_fails_nothing_and_charges_no_crash(
    install: Install, small: Dataset, settings: dict[str, str]
) -> None:
    system = install(small, latency_seconds=0.05)
    begin(system, small, settings)
    system.servers.postgres.kill()
    asked = len(system.github.log)
    tries = 5 if settings else 3
    system.wait_until(lambda: renewals_failed(system, tries), 15, f"each worker had failed to renew {tries} times")
    assert len(system.github.log) <= asked + 2, "a run without a database must not go on asking GitHub"
    system.servers.postgres.start()
    check_nothing_was_charged(system, small)


def check_nothing_was_charged(system: Installation, dataset: Dataset) -> None:
    jobs = system.wait_for_capture(dataset.name)
    ((faults,),) = system.rows("SELECT count(*) FROM progressive_capture_failures WHERE kind = 'system'")
    ((rescues,),) = system.rows(RESCUES)
    system.check_exact(dataset.data, faults=faults + rescues)
    assert {(job.status, job.crashes, job.attempts) for job in jobs} == {("completed", 0, 0)}, system.describe()
    assert system.rows("SELECT count(*) FROM progressive_capture_dead_letters") == [(0,)]


def renewals_failed(system: Installation, times: int) -> bool:
    logs = [worker.log.read_text("utf-8", "replace") for worker in system.workers]
    return all(log.count("The lease could not be renewed") >= times for log in logs)
