"""``capture status``: how the whole stands, or one repository."""

from __future__ import annotations

import argparse
from typing import Any

from console.cli.arguments import new_parser, repository
from console.cli.exits import ExitCode, NotFound
from console.cli.output import cell, print_json, print_table
from console.cli.reach import load_settings, open_ledger


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "status",
        "Jobs by type and state, live workers, the leader; or the runs, jobs and rows of one repository.",
        "capture status",
        "capture status octo/demo --json",
    )
    made.add_argument("repository", nargs="?", type=repository, metavar="OWNER/NAME")
    made.add_argument("--json", action="store_true", help="as JSON")
    return made


def run(options: argparse.Namespace) -> int:
    """Print the status."""
    open_ledger(load_settings())
    found = of_repository(options.repository) if options.repository else of_all()
    if options.json:
        print_json(found)
    elif options.repository:
        _print_repository(found)
    else:
        _print_all(found)
    return ExitCode.OK


def of_all() -> dict[str, Any]:
    """Jobs by type and state, live workers, leader, seconds that the oldest ready job has waited."""
    from console import queries

    leaders = queries.read(queries.LEADER)
    return {
        "jobs": queries.read(queries.JOBS_BY_STATE),
        "workers": queries.read(queries.LIVE_WORKERS),
        "leader": leaders[0] if leaders else None,
        "oldest_ready_seconds": queries.read(queries.OLDEST_READY)[0]["seconds"],
    }


def of_repository(name: str) -> dict[str, Any]:
    """Runs, jobs of the newest run and row counts; raises :class:`NotFound` where nothing is known of it."""
    from console import queries

    owner, _, short = name.partition("/")
    known = queries.read(queries.KNOWN_REPOSITORY, owner=owner, name=short)
    runs = queries.read(queries.RUNS, repository=name)
    jobs = queries.read(queries.JOBS_OF_RUN, run=runs[0]["id"]) if runs else []
    sent = queries.read(queries.JOBS, state=None, type="capture_repository", repository=name, limit=5)
    if not known and not runs and not sent:
        raise NotFound(f"Nothing is known of {name}: run `capture repo {name}`.")
    return {
        "repository": known[0] if known else None,
        "runs": runs,
        "requests": sent,
        "jobs": jobs,
        "rows": queries.read(queries.STORED_ROWS, owner=owner, name=short)[0],
    }


def progress(job: dict[str, Any]) -> str:
    """How far a job is, such as 75/200."""
    total = job["total_items"]
    return f"{job['processed_items']}/{total}" if total is not None else str(job["processed_items"])


def _print_all(found: dict[str, Any]) -> None:
    print_table(("type", "state", "jobs"), [(row["type"], row["state"], row["count"]) for row in found["jobs"]])
    print()
    print_table(
        ("worker", "host", "pid", "queues", "threads", "running", "since"),
        [
            (
                *(row["id"], row["host"], row["pid"], ",".join(row["queues"]), row["threads"]),
                *(row["running"], row["started_at"]),
            )
            for row in found["workers"]
        ],
    )
    leader, waited = found["leader"], found["oldest_ready_seconds"]
    print()
    print(f"leader: term {leader['term']}" if leader else "leader: none")
    print("oldest ready job: " + ("none" if waited is None else f"{waited:.1f} s"))


def _print_repository(found: dict[str, Any]) -> None:
    print_table(
        ("run", "status", "opened", "closed", "error"),
        [(row["id"], row["status"], row["opened_at"], row["closed_at"], row["error"]) for row in found["runs"]],
    )
    print()
    print_table(
        ("job", "type", "state", "items", "attempts", "crashes", "error"),
        [
            (job["id"], job["type"], job["state"], progress(job), job["attempts"], job["crashes"], job["error"])
            for job in [*found["requests"][:1], *found["jobs"]]
        ],
    )
    print()
    for table, count in found["rows"].items():
        print(f"{table}: {cell(count)}")
