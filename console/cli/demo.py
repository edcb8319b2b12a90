"""``capture demo``: capture a generated repository here, and prove every row."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from capture.errors import Refused
from console.cli.arguments import add_workers, new_parser, whole
from console.cli.exits import ExitCode
from console.cli.output import print_table, say
from console.cli.repo import send

if TYPE_CHECKING:
    from console.comparison import Comparison
    from console.demo import Demo, Killer
    from console.local.github import Dataset

NAME = "octo/demo"
DIFFERENCES_SHOWN = 20


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "demo",
        "Start everything here with a stand-in for GitHub, capture a repository, compare every stored row with what is true,\n"
        "and end with 1 on any difference. Your servers and tokens are not touched; nothing is left behind.",
        "capture demo",
        "capture demo --kill",
        "capture demo --dataset history.json --stay",
    )
    made.add_argument(
        "--pulls", type=whole(0, 100_000), default=200, metavar="N", help="pull requests to generate (200)"
    )
    made.add_argument("--seed", type=whole(0, 10**9), default=7, metavar="N", help="of what is generated (7)")
    made.add_argument("--dataset", type=Path, metavar="FILE", help="capture the history in a file instead")
    made.add_argument(
        "--kill", action="store_true", help="kill -9 a worker process that holds a job every 1 to 2 seconds meanwhile"
    )
    made.add_argument("--stay", action="store_true", help="keep everything running afterwards, until Ctrl-C")
    add_workers(made, processes=2)
    return made


def run(options: argparse.Namespace) -> int:
    """Run the demo: 0 if every row is right."""
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    from console import demo as demos

    began = time.monotonic()
    dataset = _dataset(options)
    say(
        f"{dataset.name}: {len(dataset.data['pulls'])} pull requests. Starting PostgreSQL, Redis, GitHub's stand-in, workers …"
    )
    if options.kill:
        told = ", ".join(f"{name}={value}" for name, value in demos.KILL_SETTINGS.items())
        say(f"Workers will be killed; so that the killing alone decides nothing, they run with {told}.")
    with demos.running(dataset, processes=options.processes, threads=options.threads, kill=options.kill) as demo:
        say(f"Everything runs, after {time.monotonic() - began:.1f} s.")
        code = _capture(demo, kill=options.kill, seed=options.seed)
        if options.stay:
            _stay(demo)
    return code


def _dataset(options: argparse.Namespace) -> Dataset:
    from console.local.github import generate, load_dataset

    if options.dataset is None:
        return generate(NAME, pull_requests=options.pulls, seed=options.seed)
    try:
        return load_dataset(options.dataset)
    except OSError as error:
        raise Refused(f"The dataset {options.dataset} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            f"The dataset {options.dataset} is not one: {error!r}; docs/stand-in.md describes them."
        ) from None


def _capture(demo: Demo, *, kill: bool, seed: int) -> int:
    from console.demo import Killer, compared
    from console.follow import follow, progress

    began = time.monotonic()
    job_id = send(demo.dataset.name, None, seconds_per_point=60, redis_url=demo.everything.addresses.redis_url)
    shown = progress(every_seconds=2.0)
    killer = Killer(demo.everything.supervisor, random.Random(seed), shown.tell)  # noqa: S311
    thread = threading.Thread(target=killer.run, name="killer", daemon=True)
    if kill:
        thread.start()
    try:
        outcome = follow(job_id, shown.show)
    finally:
        killer.stop()
        shown.end()
    seconds = time.monotonic() - began
    if kill:
        thread.join()
    comparison = compared(demo)
    _report(demo, comparison, seconds)
    if kill:
        _report_kills(demo, killer)
    if outcome.error:
        say(f"Not completed: {outcome.error}")
    return ExitCode.OK if outcome.completed and comparison.is_equal else ExitCode.FAILED


def _report(demo: Demo, comparison: Comparison, seconds: float) -> None:
    from console.demo import Pages

    print()
    print_table(("table", "expected", "stored"), [(table, *counts) for table, counts in comparison.counts.items()])
    pulls, pages = max(len(demo.dataset.data["pulls"]), 1), Pages.of(demo.github)
    rows = sum(stored for _, stored in comparison.counts.values())
    print(f"\n{seconds:.1f} s: {rows / seconds:.0f} rows/s, {pulls / seconds:.0f} pull requests/s")
    print(
        f"GitHub: {pages.requests} requests, {pages.points} GraphQL points; per 100 pull requests"
        f" {100 * pages.requests / pulls:.1f} requests, {100 * pages.points / pulls:.1f} points"
    )
    for difference in comparison.differences[:DIFFERENCES_SHOWN]:
        print(f"DIFFERENT: {difference}")
    if comparison.is_equal:
        print("Every column of every row is exactly what GitHub has.")
    else:
        print(f"{comparison.total} differences; {min(comparison.total, DIFFERENCES_SHOWN)} shown.")
    sys.stdout.flush()


def _report_kills(demo: Demo, killer: Killer) -> None:
    from console import queries
    from console.demo import Pages

    pages = Pages.of(demo.github)
    rescues = queries.read(queries.RESCUES)[0]["rescues"]
    print(f"Killed with SIGKILL: {killer.kills} processes, with {killer.in_hand} jobs in hand; {rescues} rescues.")
    print(f"Pages asked of GitHub: {pages.asked}, of them {pages.asked_twice} a second time.", flush=True)


def _stay(demo: Demo) -> None:
    say("\nEverything stays until Ctrl-C. From another shell:")
    for name, url in demo.everything.addresses._asdict().items():
        say(f"  export {name.upper()}='{url}'")
    say(f"  capture status {demo.dataset.name}")
    say(f"GitHub's stand-in: {demo.github.url}; the workers' log: {demo.log}")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("Ending everything …")
