"""Where the servers of a running ``capture up`` are: kept in CAPTURE_HOME while it runs, so that other commands find them."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

FILE = "up.json"


class Addresses(NamedTuple):
    """PostgreSQL's and Redis's addresses."""

    database_url: str
    redis_url: str


def remember(home: Path, addresses: Addresses) -> None:
    """Write the addresses, readable by us alone."""
    forget(home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made anew and no link followed: as root we write in a folder that may be another user's.
    file = os.open(home / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        json.dump({"pid": os.getpid(), **addresses._asdict()}, out)


def forget(home: Path) -> None:
    """The servers are gone."""
    (home / FILE).unlink(missing_ok=True)


def running(home: Path) -> Addresses | None:
    """The addresses that a living ``capture up`` of this home gave; None where none runs."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads((home / FILE).read_text("utf-8"))
        os.kill(int(found["pid"]), 0)
        return Addresses(found["database_url"], found["redis_url"])
    return None
