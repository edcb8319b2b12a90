"""Fixtures of the engine's tests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from models.database import connect, disconnect
from tests.integration.engine import Bench, connection_to

KEPT = "progressive_capture_schema"


@pytest.fixture(scope="session")
def bench_database_url(addresses: object, template_database: str) -> Iterator[str]:
    """One migrated database for all engine tests of this process: emptied before each, which is quicker than a copy."""
    name = f"capture_bench_{os.getpid()}"
    server_url: str = addresses.database_url  # type: ignore[attr-defined]
    with connection_to(server_url) as connection, connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    yield re.sub(r"^(\w+://[^/?]*)(/[^?]*)?", rf"\1/{name}", server_url)
    with connection_to(server_url) as connection, connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def bench(bench_database_url: str, redis_url: str) -> Iterator[Bench]:
    """The engine on empty tables, without a worker and without a leader."""
    with connection_to(bench_database_url) as connection:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            cursor.execute(
                "SELECT 'SET session_replication_role = replica;' || string_agg(format('DELETE FROM %%I;', tablename), '')"
                " || 'SET session_replication_role = origin' FROM pg_tables WHERE schemaname = 'public' AND tablename <> %s",
                (KEPT,),
            )
            cursor.execute(cursor.fetchone()[0])
        yield from _on(bench_database_url, redis_url, connection)


@pytest.fixture
def fresh_bench(database_url: str, redis_url: str) -> Iterator[Bench]:
    """The engine on a database of its own, for tests that change its schema or fill it."""
    with connection_to(database_url) as connection:
        yield from _on(database_url, redis_url, connection)


def _on(database_url: str, redis_url: str, connection: object) -> Iterator[Bench]:
    connect(database_url)
    try:
        yield Bench(database_url, redis_url, connection)
    finally:
        disconnect()
