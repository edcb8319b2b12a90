"""``capture config``: every setting, its value and where it came from."""

from __future__ import annotations

import argparse

from console.cli.arguments import new_parser
from console.cli.exits import ExitCode
from console.cli.output import print_json, print_table
from console.cli.reach import load_settings


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "config", "Print every setting: its value (secrets masked) and where it came from.", "capture config"
    )
    made.add_argument("--json", action="store_true", help="as JSON")
    return made


def run(options: argparse.Namespace) -> int:
    """Print the settings; faults in them end with 2."""
    rows = load_settings().describe()
    if options.json:
        print_json([row._asdict() for row in rows])
    else:
        print_table(("name", "value", "source"), rows)
    return ExitCode.OK
