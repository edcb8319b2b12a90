"""Toy actors for tests of the engine, run by real worker processes: `dramatiq tests.workers.toys` from the project's root."""

import os
import signal
import time

from actors.broker import actor, broker
from capture.current import current_job
from capture.errors import Permanent, Transient
from models.database import execute

__all__ = ["broker"]

CREATE = """
CREATE TABLE IF NOT EXISTS toy_rows (id bigserial PRIMARY KEY, job_id uuid NOT NULL, page integer NOT NULL, epoch integer NOT NULL)
"""
SECONDS = float(os.environ.get("TOY_PAGE_SECONDS", "0.02"))


@actor(max_items=None)
def page_through(pages: int, seconds: float = SECONDS) -> None:
    """Store one row per page."""
    job = current_job()
    step = job.checkpoint("pages")
    start = int(step.cursor or 0)
    for page in range(start + 1, 1 if step.done else pages + 1):
        time.sleep(seconds)
        with step.commit(str(page), items=1, total=pages, last=page == pages, ids=[page]):
            execute(
                "INSERT INTO toy_rows (job_id, page, epoch) VALUES (%s::uuid, %s, %s)", (job.job_id, page, job.epoch)
            )


@actor()
def say(word: str) -> None:
    """Store that it ran."""
    job = current_job()
    with job.checkpoint("said").commit(None, items=1, last=True):
        execute("INSERT INTO toy_rows (job_id, page, epoch) VALUES (%s::uuid, 0, %s)", (job.job_id, job.epoch))


@actor()
def fail(kind: str) -> None:
    """End badly, as asked."""
    if kind == "transient":
        raise Transient("try me later, ghp_abcdefghijklmnopqrstuvwxyz0123456789")
    if kind == "permanent":
        raise Permanent("never again")
    if kind == "exit":
        os._exit(3)
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise LookupError(kind)


@actor(unique=True)
def once(word: str, seconds: float = 0.0) -> None:
    """At most one live job per word."""
    time.sleep(seconds)
