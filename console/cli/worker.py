"""``capture worker``: worker processes under our supervisor."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping

from capture.priority import BULK, REALTIME
from console.cli.arguments import add_workers, new_parser
from console.cli.exits import ExitCode
from console.cli.output import LOG_FORMAT, say
from console.cli.reach import check_schema, find_servers, load_settings


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "worker",
        "Run worker processes, and replace those that die. SIGTERM or Ctrl-C drains them; a second one ends them at once.",
        "capture worker -p 4 -t 8",
        f"capture worker -Q {REALTIME}",
    )
    add_workers(made)
    made.add_argument(
        "-Q",
        "--queues",
        nargs="+",
        choices=(REALTIME, BULK),
        default=[],
        metavar="QUEUE",
        help=f"{REALTIME}, {BULK} (both)",
    )
    return made


def run(options: argparse.Namespace) -> int:
    """Supervise until a signal comes."""
    from console.supervisor import Supervisor, stop_on_signals
    from console.up import recorder_of_ends

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    settings = load_settings()
    servers = find_servers(settings)
    check_schema(servers.database_url)
    supervisor = Supervisor(
        processes=options.processes,
        threads=options.threads,
        drain_seconds=settings.drain_seconds,
        queues=options.queues,
        environment={**os.environ, **settings_of(settings.sources, servers._asdict())},
        on_end=recorder_of_ends(servers.database_url),
    )
    stop_on_signals(supervisor)
    say(f"{options.processes} worker processes with {options.threads} threads each.")
    supervisor.run()
    return ExitCode.OK


def settings_of(sources: Mapping[str, str], addresses: dict[str, str]) -> dict[str, str]:
    """The addresses that the environment does not give already, as variables."""
    return {name.upper(): url for name, url in addresses.items() if name.upper() not in sources}
