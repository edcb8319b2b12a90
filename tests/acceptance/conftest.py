"""Real processes on real servers: each test may kill what it likes, for everything here is its own."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from console.local.github import Dataset, StandIn, generate
from console.local.servers import LocalServers
from tests.acceptance.installation import Installation

TEMPLATE = "capture_template"
REPORTED = "acceptance"
_numbers = itertools.count()

Install = Callable[..., Installation]


@pytest.fixture(scope="session")
def own_servers() -> Iterator[LocalServers]:
    """PostgreSQL and Redis of the acceptance tests of this pytest process, which they may kill."""
    from models import migrations

    home = Path(tempfile.mkdtemp(prefix="capture-acceptance-"))
    try:
        with LocalServers(home) as servers:
            servers.postgres.execute(f"CREATE DATABASE {TEMPLATE}")
            migrations.upgrade(servers.postgres.url_of(TEMPLATE))
            yield servers
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def install(
    own_servers: LocalServers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> Iterator[Install]:
    """Make an installation whose GitHub holds the given datasets; this process can send to it through the actors."""
    made: list[Installation] = []
    own_servers.postgres.start()
    own_servers.redis.start()
    client = Redis.from_url(own_servers.redis_url)
    client.flushall()
    client.close()
    name = f"capture_{next(_numbers)}"
    own_servers.postgres.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")

    def make(*datasets: Dataset, latency_seconds: float = 0) -> Installation:
        github = StandIn(datasets, latency_seconds=latency_seconds)
        github.__enter__()
        database_url = own_servers.postgres.url_of(name)
        made.append(Installation(own_servers, database_url, github, tmp_path, partial(record_property, REPORTED)))
        point_actors_at(made[-1], monkeypatch)
        return made[-1]

    yield make

    for installation in made:
        installation.end()
        installation.github.stop()
    release_actors()
    own_servers.postgres.start()
    own_servers.postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes ten seconds and more, and another test is nearly as telling")


def point_actors_at(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process an application of the installation: `fetch_prs.send(...)` goes there."""
    from actors.broker import broker, open_database, settings
    from ledger.waker import Waker

    for variable, value in installation.environment.items():
        monkeypatch.setenv(variable, value)
    settings.cache_clear()
    open_database()
    monkeypatch.setattr(broker, "waker", Waker(lambda: installation.redis_url))


def release_actors() -> None:
    """Forget the installation."""
    from actors.broker import settings
    from models.database import disconnect

    settings.cache_clear()
    disconnect()


@pytest.fixture(scope="session")
def small() -> Dataset:
    """A repository with every awkward case."""
    return generate("octo/small", pull_requests=120, seed=11)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the troubles cost."""
    passed = terminalreporter.stats.get("passed", [])
    lines = [(one.nodeid, text) for one in passed for name, text in one.user_properties if name == REPORTED]
    if lines:
        terminalreporter.section("kills, rescues and pages asked twice")
    for nodeid, text in lines:
        terminalreporter.write_line(f"{nodeid.rpartition('::')[2]}: {text}")
