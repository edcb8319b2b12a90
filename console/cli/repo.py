"""``capture repo``: capture one repository, and wait for it where asked."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from capture.job_types import JOB_TYPES, MAX_SINCE_DAYS
from console.cli.arguments import new_parser, repository, whole
from console.cli.exits import ExitCode
from console.cli.output import print_json, say
from console.cli.reach import find_redis, load_settings, open_ledger


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "repo",
        "Send the job that captures a repository; prints its id.",
        "capture repo octo/demo --wait",
        "capture repo octo/demo --since-days 30",
    )
    made.add_argument("repository", type=repository, metavar="OWNER/NAME")
    made.add_argument("--since-days", type=whole(1, MAX_SINCE_DAYS), metavar="N", help="only what changed since (all)")
    made.add_argument(
        "--wait", action="store_true", help="until every job of the capture run is over; ends with 0 if all completed"
    )
    made.add_argument("--json", action="store_true", help="as JSON")
    return made


def run(options: argparse.Namespace) -> int:
    """Send, and follow."""
    settings = load_settings()
    open_ledger(settings)
    job_id = send(
        options.repository,
        options.since_days,
        seconds_per_point=settings.seconds_per_point,
        redis_url=find_redis(settings),
    )
    if not options.wait:
        if options.json:
            print_json({"job": job_id})
        else:
            print(job_id)
        return ExitCode.OK
    from console.follow import follow, progress

    say(f"Job {job_id}; Ctrl-C leaves it running.")
    shown = progress()
    try:
        outcome = follow(job_id, shown.show)
    finally:
        shown.end()
    if options.json:
        print_json({"job": job_id, "run": outcome.run_id, "completed": outcome.completed, "jobs": outcome.jobs})
    else:
        print(job_id)
    if outcome.error:
        say(outcome.error)
    return ExitCode.OK if outcome.completed else ExitCode.FAILED


def send(name: str, since_days: int | None, *, seconds_per_point: float, redis_url: str | None) -> str:
    """Store the job and wake the leader, whom a lost wake costs a second; returns the id of the live job."""
    from capture.new_job import checked
    from capture.priority import Facts
    from capture.producer import insert
    from models.database import execute, transaction

    kwargs: dict[str, Any] = {} if since_days is None else {"since_days": since_days}
    facts = Facts("manual", None, since_days)
    job = checked("capture_repository", (name,), kwargs, job_type=JOB_TYPES["capture_repository"], facts=facts)
    with transaction():
        job_id = insert(execute, [job], who="capture repo", seconds_per_point=seconds_per_point)[job.id]
    if redis_url is not None:
        from redis import RedisError

        from ledger.hints import Hints

        with contextlib.suppress(RedisError, OSError, ValueError):
            Hints(redis_url, timeout=0.5).wake()
    return job_id
