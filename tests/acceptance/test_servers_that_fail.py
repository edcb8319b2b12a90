"""Redis holds nothing that may not be lost, and a database that comes back costs no job anything."""

from __future__ import annotations

import pytest
from redis import Redis

from actors import capture_repository
from console.local.github import Dataset
from tests.acceptance.conftest import Install
from tests.acceptance.installation import Installation
from tests.workers.toys import CREATE, page_through, say

TOYS = "tests.workers.toys"


def begin(system: Installation, dataset: Dataset) -> None:
    """Two workers in the middle of a capture."""
    system.start_workers(2)
    capture_repository.send_with_options(args=(dataset.name,), trigger_source="manual")
    system.wait_until(lambda: 3 in system.github.pages_asked(operation="PullRequests"), 20, "page 3 was asked for")


def rows_of(system: Installation, job_ids: list[str]) -> dict[str, int]:
    sql = "SELECT job_id::text, count(*) FROM toy_rows WHERE job_id = ANY(%s::uuid[]) GROUP BY 1"
    return dict(system.rows(sql, job_ids))


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


def test_a_backlog_whose_hints_are_flushed_away_flows_again(install: Install, small: Dataset) -> None:
    system = install(small)
    system.rows(CREATE)
    ids = page_through.send_many([(5, 0.02)] * 60)
    redis = Redis.from_url(system.redis_url)
    system.start_workers(2, TOYS)
    for finished in (10, 25, 40):
        system.wait_until(
            lambda least=finished: sum(job.status == "completed" for job in system.jobs()) >= least, 20, "jobs flowed"
        )
        redis.flushall()
    redis.close()

    system.wait_until(lambda: all(job.status == "completed" for job in system.jobs()), 20, "all were completed")
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


@pytest.mark.parametrize("how", ["restarted", "away for three seconds"])
def test_a_database_restarted_in_the_middle_fails_nothing_and_charges_no_crash(
    install: Install, small: Dataset, how: str
) -> None:
    system = install(small, latency_seconds=0.05)
    begin(system, small)
    if how == "restarted":
        system.servers.postgres.restart_immediate()
    else:
        system.servers.postgres.kill()
        asked = len(system.github.log)
        system.wait_until(lambda: cut_off(system), 10, "the workers noticed")
        assert len(system.github.log) <= asked + 2
        system.servers.postgres.start()

    jobs = system.wait_for_capture(small.name)
    account = system.check_exact(small.data, faults=sum(job.runs - 1 for job in jobs))
    assert account.rescues <= 2
    assert all((job.status, job.crashes, job.attempts) == ("completed", 0, 0) for job in jobs)
    assert system.rows("SELECT count(*) FROM progressive_capture_dead_letters") == [(0,)]


def cut_off(system: Installation) -> bool:
    """Whether every worker has seen three renewals of its lease fail."""
    logs = [worker.log.read_text("utf-8", "replace") for worker in system.workers]
    return all(log.count("The lease could not be renewed") >= 3 for log in logs)
