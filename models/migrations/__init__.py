"""The schema's steps: numbered SQL files, forward only, safe to run twice and from two processes at once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from importlib import resources
from typing import Any

from capture.errors import SystemFault
from models.database import open_connection

#: One number that every process of ours agrees on; the lock is polled, for a waiting session would block CREATE INDEX CONCURRENTLY.
LOCK_KEY = 0x63617074
LOCK_SECONDS = 60
CREATE_VERSIONS = """
CREATE TABLE IF NOT EXISTS progressive_capture_schema (
    version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
"""


def steps() -> list[tuple[int, str, str]]:
    """(version, name, SQL) of every step, in order."""
    files = [entry for entry in resources.files(__name__).iterdir() if re.fullmatch(r"m\d{4}_\w+\.sql", entry.name)]
    return [
        (int(file.name[1:5]), file.name[:-4], file.read_text("utf-8")) for file in sorted(files, key=lambda f: f.name)
    ]


def wanted_version() -> int:
    """The schema version that this code needs."""
    return steps()[-1][0]


def stored_version(connection: Any) -> int:
    """The schema version of the database; 0 before the first step."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('progressive_capture_schema') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute("SELECT coalesce(max(version), 0) FROM progressive_capture_schema")
        return int(cursor.fetchone()[0])


def require_schema(connection: Any) -> None:
    """Raise :class:`SystemFault`, with what to do, unless the database is at this code's version."""
    stored, wanted = stored_version(connection), wanted_version()
    if stored < wanted:
        raise SystemFault(
            f"The database is at schema version {stored}, this code needs {wanted}: run `capture db upgrade`."
        )
    if stored > wanted:
        raise SystemFault(
            f"The database is at schema version {stored}, this code knows {wanted}: deploy the newer code."
        )


def upgrade(database_url: str, *, announce: Callable[[str], None] = lambda _name: None) -> list[str]:
    """Bring the schema up to date; returns the names of the steps that this call applied."""
    connection = open_connection(database_url, application_name="capture migrations", statement_seconds=600)
    try:
        _lock(connection)
        with connection.cursor() as cursor:
            cursor.execute(CREATE_VERSIONS)
        done = stored_version(connection)
        applied = []
        for version, name, sql in steps():
            if version > done:
                _apply(connection, version, name, sql)
                announce(name)
                applied.append(name)
        return applied
    finally:
        connection.close()


def _apply(connection: Any, version: int, name: str, sql: str) -> None:
    connection.autocommit = False
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL client_min_messages = warning")
            cursor.execute(sql)
            cursor.execute("INSERT INTO progressive_capture_schema (version, name) VALUES (%s, %s)", (version, name))
    finally:
        connection.autocommit = True


def _lock(connection: Any) -> None:
    give_up = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < give_up:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,))
            if cursor.fetchone()[0]:
                return
        time.sleep(0.1)
    raise SystemFault("Another `capture db upgrade` has been running for a minute: wait for it, then run it again.")
