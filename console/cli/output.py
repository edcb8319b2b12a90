"""Data on stdout: aligned tables on a terminal, tabs in a pipe, JSON where asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

#: Of a command that runs until it is stopped.
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def say(text: str) -> None:
    """Talk, on stderr."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """The value as JSON; times as ISO 8601."""
    print(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns aligned on a terminal; elsewhere tab-separated, under the same headers."""
    texts = [list(headers), *([cell(value) for value in row] for row in rows)]
    if not sys.stdout.isatty():
        for line in texts:
            print("\t".join(line))
        return
    widths = [max(len(line[at]) for line in texts) for at in range(len(headers))]
    for line in texts:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def cell(value: Any) -> str:
    """A value as people read it, on one line."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list | dict):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return " ".join(str(value).split())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)
