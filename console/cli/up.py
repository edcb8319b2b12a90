"""``capture up``: everything on this machine."""

from __future__ import annotations

import argparse
import logging
import shlex
import signal
import sys

from console.cli.arguments import add_workers, new_parser
from console.cli.exits import ExitCode
from console.cli.output import LOG_FORMAT, say
from console.cli.reach import load_settings


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "up",
        "Run everything on this machine: PostgreSQL and Redis where DATABASE_URL and REDIS_URL name none (their data stays in\n"
        "CAPTURE_HOME), the schema, worker processes and the scheduler. SIGTERM or Ctrl-C ends it all in order.",
        "capture up -p 2",
    )
    add_workers(made)
    return made


def run(options: argparse.Namespace) -> int:
    """Run until a signal comes."""
    from console.supervisor import stop_on_signals
    from console.up import Everything

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    settings = load_settings()
    everything = Everything(settings, processes=options.processes, threads=options.threads, announce=say)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with everything:
            say(f"{options.processes} worker processes with {options.threads} threads each, and the scheduler.")
            say(
                "From another shell of this user, `capture repo OWNER/NAME --wait` finds them by itself; a program of yours needs:"
            )
            for name, url in everything.addresses._asdict().items():
                if name.upper() not in settings.sources:
                    print(f"export {name.upper()}={shlex.quote(url)}", flush=True)
            stop_on_signals(everything.supervisor)
            everything.run()
    finally:
        signal.signal(signal.SIGTERM, previous)
    say("Everything has ended.")
    return ExitCode.OK


def _interrupt(_number: int, _frame: object) -> None:
    """A SIGTERM while all of it starts: what has started is stopped on the way out."""
    raise KeyboardInterrupt
