"""``capture jobs``: list jobs, or show one with its whole history."""

from __future__ import annotations

import argparse
import uuid
from typing import Any

from capture.states import JobState
from console.cli.arguments import new_parser, repository, whole
from console.cli.exits import ExitCode, NotFound
from console.cli.output import cell, print_json, print_table
from console.cli.reach import load_settings, open_ledger
from console.cli.status import progress


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "jobs",
        "List jobs, newest first, or show one with its history.",
        "capture jobs list --state failed",
        "capture jobs show 0192f0c1-2345-7abc-8def-0123456789ab",
    )
    verbs = made.add_subparsers(dest="verb", required=True, metavar="VERB")
    lists = verbs.add_parser(
        "list", help="the newest jobs that fit", epilog="Example: capture jobs list --repo octo/demo"
    )
    lists.add_argument("--state", choices=[str(state) for state in JobState], metavar="STATE", help=", ".join(JobState))
    lists.add_argument("--type", metavar="TYPE", help="the actor's name, such as fetch_prs")
    lists.add_argument("--repo", type=repository, metavar="OWNER/NAME")
    lists.add_argument("--limit", type=whole(1, 10_000), default=20, metavar="N", help="at most so many (20)")
    shows = verbs.add_parser("show", help="one job", epilog="Example: capture jobs show ID --json")
    shows.add_argument("id", type=job_id, metavar="ID")
    for verb in (lists, shows):
        verb.add_argument("--json", action="store_true", help="as JSON")
    return made


def job_id(text: str) -> str:
    """A job's id in its one spelling."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a job's id") from None


def run(options: argparse.Namespace) -> int:
    """List or show."""
    open_ledger(load_settings())
    if options.verb == "show":
        return _show(options)
    from console import queries

    jobs = queries.read(
        queries.JOBS, state=options.state, type=options.type, repository=options.repo, limit=options.limit
    )
    if options.json:
        print_json(jobs)
    else:
        print_table(
            ("id", "type", "state", "repository", "items", "attempts", "created", "error"),
            [
                (
                    *(job["id"], job["type"], job["state"], job["repository"], progress(job)),
                    *(job["attempts"], job["created_at"], job["error"]),
                )
                for job in jobs
            ],
        )
    return ExitCode.OK


def history_of(wanted: str) -> dict[str, Any]:
    """The job with its transitions, failures and dead letters; raises :class:`NotFound`."""
    from console import queries

    found = queries.read(queries.JOB, id=wanted)
    if not found:
        raise NotFound(f"There is no job {wanted}.")
    return {
        **found[0],
        "transitions": queries.read(queries.TRANSITIONS, id=wanted),
        "failures": queries.read(queries.FAILURES, id=wanted),
        "dead_letters": queries.read(queries.DEAD_LETTERS, id=wanted),
    }


def _show(options: argparse.Namespace) -> int:
    job = history_of(options.id)
    if options.json:
        print_json(job)
        return ExitCode.OK
    lists = ("transitions", "failures", "dead_letters", "checkpoints")
    for name, value in job.items():
        if name not in lists and value not in (None, [], {}):
            print(f"{name}: {cell(value)}")
    for step, reached in job["checkpoints"].items():
        print(f"step {step}: {cell({key: value for key, value in reached.items() if key != 'seen_ids'})}")
    for name in lists[:3]:
        rows = job[name]
        if rows:
            print(f"\n{name.replace('_', ' ')}")
            print_table(list(rows[0]), [list(row.values()) for row in rows])
    return ExitCode.OK
