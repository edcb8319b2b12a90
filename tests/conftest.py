"""What every test may ask for: real servers, a fresh database, a fresh Redis, the reference data."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from redis import Redis

from console.local.servers import LocalServers

NO_REFERENCE_DATA = "CAPTURE_REFERENCE_DATA names no folder with the reference data"
#: Redis databases of one pytest-xdist worker: the embedded server has 64 of its own, one of yours is shared by two workers.
EMBEDDED_DATABASES, EXTERNAL_DATABASES = 64, 8

_numbers = itertools.count()


@dataclass(frozen=True)
class Addresses:
    """Where the tests' servers are, and which Redis databases are ours."""

    database_url: str
    redis_url: str
    redis_databases: range


@pytest.fixture(scope="session")
def servers() -> Iterator[LocalServers]:
    """Embedded PostgreSQL and Redis of this pytest process; whoever stops one starts it again."""
    home = Path(tempfile.mkdtemp(prefix="capture-test-"))
    try:
        with LocalServers(home) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """The embedded servers; with CAPTURE_TEST_EXTERNAL=1 those of DATABASE_URL and REDIS_URL."""
    if os.environ.get("CAPTURE_TEST_EXTERNAL") == "1":
        first = EXTERNAL_DATABASES * int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
        ours = range(first, first + EXTERNAL_DATABASES)
        return Addresses(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], ours)
    running: LocalServers = request.getfixturevalue("servers")
    return Addresses(running.database_url, running.redis_url, range(EMBEDDED_DATABASES))


@pytest.fixture(scope="session")
def template_database(addresses: Addresses) -> Iterator[str]:
    """The name of a migrated database that is only ever copied."""
    from models import migrations

    name = f"capture_template_{os.getpid()}"
    _execute(addresses.database_url, f'CREATE DATABASE "{name}"')
    migrations.upgrade(_with_database(addresses.database_url, name))
    yield name
    _execute(addresses.database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(addresses: Addresses, template_database: str) -> Iterator[str]:
    """A fresh, migrated database; sessions that are left over when the test ends are cut."""
    name = f"capture_test_{os.getpid()}_{next(_numbers)}"
    _execute(addresses.database_url, f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    yield _with_database(addresses.database_url, name)
    _execute(addresses.database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def redis_url(addresses: Addresses) -> str:
    """An empty Redis database, another one than the tests before had."""
    ours = addresses.redis_databases
    url = f"{addresses.redis_url.partition('?')[0]}?db={ours[next(_numbers) % len(ours)]}"
    client = Redis.from_url(url)
    client.flushdb()
    client.close()
    return url


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder with GitHub's schema and recorded histories; tests that need it skip where it is not given."""
    named = os.environ.get("CAPTURE_REFERENCE_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip(NO_REFERENCE_DATA)
    return Path(named)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests were skipped for want of the reference data."""
    skipped = sum(NO_REFERENCE_DATA in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    terminalreporter.write_line(f"{skipped} tests skipped for want of the reference data")


def _with_database(url: str, name: str) -> str:
    return re.sub(r"^(\w+://[^/?]*)(/[^?]*)?", rf"\1/{name}", url)


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
