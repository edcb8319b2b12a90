"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.database import connect, disconnect
from tests.integration.engine import Bench, connection_to


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Bench]:
    """The engine on fresh servers, without a worker and without a leader."""
    connect(database_url)
    try:
        with connection_to(database_url) as connection:
            yield Bench(database_url, redis_url, connection)
    finally:
        disconnect()
