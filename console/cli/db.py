"""``capture db``: the schema of the database."""

from __future__ import annotations

import argparse

from console.cli.arguments import new_parser
from console.cli.exits import ExitCode
from console.cli.output import say
from console.cli.reach import check_schema, find_database, load_settings


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = new_parser(
        "db", "Bring the database's schema up to date, or check it.", "capture db upgrade", "capture db check"
    )
    made.add_argument(
        "verb",
        choices=("upgrade", "check"),
        help="upgrade applies what is missing (safe to run twice and at once); check ends with 1 unless all is there",
    )
    return made


def run(options: argparse.Namespace) -> int:
    """Upgrade, or check."""
    from models import migrations

    database_url = find_database(load_settings())
    if options.verb == "check":
        check_schema(database_url)
        say(f"The database is at schema version {migrations.wanted_version()}, as this code needs.")
        return ExitCode.OK
    applied = migrations.upgrade(database_url, announce=lambda name: say(f"Applied {name}."))
    version = migrations.wanted_version()
    say(
        f"The database is now at schema version {version}."
        if applied
        else f"Nothing to do: it is at version {version}."
    )
    return ExitCode.OK
