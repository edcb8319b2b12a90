"""What a person asks for starts next, however much is waiting."""

from __future__ import annotations

from tests.acceptance.conftest import Install
from tests.workers.toys import CREATE, page_through

BACKLOG = 10_000
START_SECONDS = 2.0
COMPLETED = "SELECT count(*) FROM progressive_capture_jobs WHERE status = 'completed'"


def test_a_manual_job_behind_ten_thousand_scheduled_ones_starts_next(install: Install) -> None:
    system = install()
    system.rows(CREATE)
    system.start_workers(2, "tests.workers.toys", threads=2)
    page_through.send_many([(2, 0.05)] * BACKLOG, trigger_source="schedule")
    system.wait_until(lambda: system.rows(COMPLETED)[0][0] > 20, 30, "the workers were busy with the backlog")

    for _ in range(3):
        urgent = page_through.send_with_options(args=(1, 0.01), trigger_source="manual").message_id
        job = system.wait_for_job(urgent, 10)
        assert job.status == "completed"
        assert job.started_after is not None
        assert job.started_after < START_SECONDS
    assert system.rows(COMPLETED)[0][0] < BACKLOG / 2
