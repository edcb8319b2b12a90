"""The scheduler: leads or stands by, and judges the health; ``python scheduler.py``, as many as you like.

Recurring captures hang on the same APScheduler; the leader's lease sees to it that two schedulers do nothing twice.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from datetime import UTC
from typing import Any

import psycopg2
from apscheduler.schedulers.background import BackgroundScheduler

from capture.errors import CaptureError, Refused
from capture.settings import Settings
from ledger.leader import Leader
from middleware.reporting import start_reporting
from middleware.retries import policy_of
from middleware.telemetry import scrub_handlers
from models.database import open_connection
from models.migrations import require_schema
from models.worker import execute_on

log = logging.getLogger("scheduler")
EXIT_OK, EXIT_UNHEALTHY, EXIT_REFUSED, EXIT_UNREACHABLE = 0, 1, 2, 3
#: Seconds that a starting scheduler waits for a database that is not there yet.
BOOT_SECONDS = 30.0
HEALTH = """
SELECT (SELECT count(*) FROM progressive_capture_jobs WHERE ready_rank IS NOT NULL),
    (SELECT count(*) FROM progressive_capture_jobs WHERE ready_rank IS NULL AND due_at IS NOT NULL),
    (SELECT count(*) FROM progressive_capture_jobs WHERE worker_id IS NOT NULL AND status = 'processing'),
    (SELECT count(*) FROM progressive_capture_dead_letters WHERE closed_at IS NULL),
    (SELECT count(*) FROM progressive_capture_workers WHERE stopped_at IS NULL AND lease_until > clock_timestamp())
"""


def main() -> int:
    """Run until SIGTERM or SIGINT: 0; 1 for another schema version, 2 for wrong settings, 3 for a database out of reach."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s", stream=sys.stderr
    )
    scrub_handlers()
    stopping = _listen()
    try:
        settings, database_url, redis_url = _settings()
        start_reporting(settings)
        _await_schema(database_url, stopping)
    except Refused as error:
        return _refuse(error, EXIT_REFUSED)
    except CaptureError as error:
        return _refuse(error, EXIT_UNHEALTHY)
    except psycopg2.OperationalError as error:
        return _refuse(error, EXIT_UNREACHABLE)
    leader = Leader(
        database_url,
        redis_url,
        policy=policy_of(settings),
        seconds_per_point=settings.seconds_per_point,
        lease_seconds=settings.leader_lease_seconds,
    )
    clockwork = _clockwork(settings, leader, database_url)
    leader.start()
    clockwork.start()
    stopping.wait()
    clockwork.shutdown(wait=False)
    leader.stop()
    log.info("The scheduler has ended.")
    return EXIT_OK


def _settings() -> tuple[Settings, str, str]:
    settings = Settings.load()
    if settings.database_url is None or settings.redis_url is None:
        raise Refused("DATABASE_URL and REDIS_URL are not set: set both, or run `capture up` for servers of your own.")
    return settings, settings.database_url, settings.redis_url


def _await_schema(database_url: str, stopping: threading.Event) -> None:
    """Return once the database is at this code's version; raises where it is at another, or cannot be reached in time."""
    give_up = time.monotonic() + BOOT_SECONDS
    while not stopping.is_set():
        try:
            connection = open_connection(database_url, application_name="capture scheduler")
        except psycopg2.OperationalError as error:
            if time.monotonic() > give_up:
                raise
            log.warning("Waiting for the database: %s", str(error).strip())
            stopping.wait(1.0)
            continue
        try:
            require_schema(connection)
        finally:
            connection.close()
        return


def _clockwork(settings: Settings, leader: Leader, database_url: str) -> Any:
    """What runs at its times, in UTC."""
    clockwork = BackgroundScheduler(timezone=UTC)
    clockwork.add_job(
        judge_health,
        "interval",
        args=(database_url, leader),
        seconds=settings.health_check_interval_ms / 1000,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    return clockwork


def judge_health(database_url: str, leader: Leader) -> None:
    """Log how much waits, runs and was given up, and how many workers live."""
    try:
        connection = open_connection(database_url, application_name="capture scheduler")
        try:
            ready, later, running, given_up, workers = execute_on(connection)(HEALTH, {})[0]
        finally:
            connection.close()
    except psycopg2.Error as error:
        log.warning("Health cannot be judged: %s", str(error).strip())
        return
    level = logging.WARNING if ready and not workers else logging.INFO
    role = "leading" if leader.leads else "standing by"
    log.log(
        level,
        "Health (%s): %d jobs ready, %d due later, %d running, %d dead letters, %d live workers.",
        *(role, ready, later, running, given_up, workers),
    )


def _listen() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    return stopping


def _refuse(error: Exception, code: int) -> int:
    log.critical("The scheduler did not start: %s", str(error).strip())
    return code


if __name__ == "__main__":
    sys.exit(main())
