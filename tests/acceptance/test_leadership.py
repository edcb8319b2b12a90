"""One process leads; when it dies another does, and with two of everything there is still one."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from actors import capture_repository
from console.local.github import Dataset
from tests.acceptance.conftest import Install
from tests.acceptance.installation import ROOT, Installation, WorkerProcess

FAILOVER_SECONDS = 6.0
#: The default, which the other tests shorten.
LEADER_LEASE = {"LEADER_LEASE_SECONDS": "5"}
#: Every process that leads or stands by has one connection for that.
LEADER_BACKENDS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'capture leader' AND datname = current_database()"
)


def wait_for_a_leader(system: Installation) -> tuple[str, int]:
    found: tuple[str, int] = system.wait_until(system.leader, 10, "somebody led")
    return found


def first_with_a_leader(system: Installation) -> WorkerProcess:
    """A process that leads, for it was there alone."""
    (worker,) = system.start_workers(1, settings=LEADER_LEASE)
    wait_for_a_leader(system)
    return worker


def test_another_process_leads_within_six_seconds_of_the_leaders_death_and_jobs_go_on(
    install: Install, small: Dataset
) -> None:
    system = install(small, latency_seconds=0.05)
    leader = first_with_a_leader(system)
    system.start_workers(1, settings=LEADER_LEASE)
    holder, term = wait_for_a_leader(system)
    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")
    system.wait_until(lambda: len(system.github.log) > 5, 20, "the capture was under way")

    system.kill(leader)
    died = time.monotonic()
    next_holder, next_term = system.wait_until(
        lambda: (now := system.leader()) and now[0] != holder and now, FAILOVER_SECONDS, "another process led"
    )
    assert time.monotonic() - died <= FAILOVER_SECONDS
    assert (next_holder != holder, next_term) == (True, term + 1)

    system.wait_for_capture(small.name)
    system.check_exact(small.data)


def test_two_workers_and_two_schedulers_have_one_leader_and_store_exact_rows(install: Install, small: Dataset) -> None:
    if not (ROOT / "scheduler.py").is_file():
        pytest.skip("scheduler.py is not there: the part with two schedulers is left out")
    system = install(small, latency_seconds=0.05)
    schedulers = [system.start(sys.executable, "scheduler.py") for _ in range(2)]
    system.start_workers(2)
    system.wait_until(lambda: system.rows(LEADER_BACKENDS)[0][0] == 4, 20, "all four led or stood by")
    holder, term = wait_for_a_leader(system)

    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")
    system.wait_for_capture(small.name)

    assert system.leader() == (holder, term)
    assert system.check_exact(small.data).asked_twice == 0
    for scheduler in schedulers:
        assert scheduler.exit_code is None, scheduler.last_words()
        scheduler.send_signal(signal.SIGTERM)
    assert [scheduler.wait(10) for scheduler in schedulers] == [0, 0]


def test_two_workers_share_a_capture_without_asking_or_storing_anything_twice(install: Install, small: Dataset) -> None:
    system = install(small)
    system.start_workers(2)
    holder, term = wait_for_a_leader(system)

    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")
    system.wait_for_capture(small.name)

    assert system.leader() == (holder, term)
    account = system.check_exact(small.data)
    assert (account.asked_twice, account.rescues) == (0, 0)
