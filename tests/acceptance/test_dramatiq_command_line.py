"""The plain `dramatiq` command line runs our actors, with any -p, -t and -Q."""

from __future__ import annotations

import signal
import sys

import pytest

from actors import capture_repository
from console.local.github import Dataset
from tests.acceptance.conftest import Install
from tests.acceptance.installation import Installation, WorkerProcess
from tests.workers.toys import CREATE, page_through

PROCESSING = "SELECT count(*) FROM progressive_capture_jobs WHERE status = 'processing'"
LIVE = "SELECT count(*) FROM progressive_capture_workers WHERE stopped_at IS NULL AND lease_until > clock_timestamp()"


def start_dramatiq(system: Installation, *arguments: str, processes: int) -> WorkerProcess:
    """The command, once all of its processes have registered."""
    command = system.start(sys.executable, "-m", "dramatiq", *arguments, "-p", str(processes))
    system.wait_until(lambda: system.rows(LIVE)[0][0] == processes, 40, f"{processes} processes were registered")
    return command


def test_two_processes_of_four_threads_complete_a_capture(install: Install, small: Dataset) -> None:
    system = install(small)
    command = start_dramatiq(system, "actors", "-t", "4", processes=2)
    capture_repository.send_with_options(args=(small.name,), trigger_source="manual")
    system.wait_for_capture(small.name)
    account = system.check_exact(small.data)
    assert (account.asked_twice, account.rescues) == (0, 0)

    command.send_signal(signal.SIGTERM)
    assert command.wait(20) == 0
    assert (system.rows(PROCESSING), system.rows(LIVE)) == ([(0,)], [(0,)])


def test_sigterm_in_the_middle_of_many_jobs_leaves_none_processing(install: Install) -> None:
    system = install()
    system.rows(CREATE)
    command = start_dramatiq(system, "tests.workers.toys", "-t", "4", processes=2)
    page_through.send_many([(100, 0.02)] * 20)
    system.wait_until(lambda: system.rows(PROCESSING)[0][0] == 8, 20, "all threads were busy")

    command.send_signal(signal.SIGTERM)
    assert command.wait(20) == 0
    assert {job.status for job in system.jobs()} == {"pending"}
    assert {(job.attempts, job.crashes) for job in system.jobs()} == {(0, 0)}
    assert system.rows(LIVE) == [(0,)]


@pytest.mark.parametrize("queue", ["bulk", "realtime"])
def test_a_process_told_to_serve_one_queue_serves_no_other(install: Install, queue: str) -> None:
    system = install()
    system.rows(CREATE)
    start_dramatiq(system, "tests.workers.toys", "-t", "2", "-Q", queue, processes=1)
    ids = {
        "bulk": page_through.send(1).message_id,
        "realtime": page_through.send_with_options(args=(1,), trigger_source="manual").message_id,
    }

    other = {"bulk": "realtime", "realtime": "bulk"}[queue]
    assert system.wait_for_job(ids[queue], 10).status == "completed"
    second = page_through.send_with_options(
        args=(1,), trigger_source="manual" if queue == "realtime" else "application"
    )
    assert system.wait_for_job(second.message_id, 10).status == "completed"
    assert (system.job(ids[other]).status, system.job(ids[other]).runs) == ("pending", 0)
