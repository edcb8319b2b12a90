"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import NoReturn

from capture.errors import Refused
from capture.names import repository_name


class Parser(argparse.ArgumentParser):
    """Refuses in one sentence; the usage is shown by ``--help``."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with 2."""
        self.exit(2, f"{self.prog}: {message} — see {self.prog} --help\n")


def new_parser(command: str, description: str, *examples: str) -> argparse.ArgumentParser:
    """A command's parser, whose help ends with examples."""
    title = "Example:" if len(examples) == 1 else "Examples:"
    return Parser(
        prog=f"capture {command}",
        description=description,
        epilog="\n  ".join([title, *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def repository(text: str) -> str:
    """``owner/name``, checked against GitHub's grammar."""
    try:
        repository_name(text)
    except Refused as refused:
        raise argparse.ArgumentTypeError(str(refused)) from None
    return text


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def add_workers(parser: argparse.ArgumentParser, *, processes: int | None = None) -> None:
    """``-p`` and ``-t``."""
    cores = processes or len(os.sched_getaffinity(0))
    parser.add_argument(
        "-p", "--processes", type=whole(1, 256), default=cores, metavar="N", help=f"worker processes ({cores})"
    )
    parser.add_argument("-t", "--threads", type=whole(1, 256), default=8, metavar="M", help="threads of each (8)")
