"""Both embedded servers as one: what ``capture up``, the demo and the tests start."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from console.local.account import Starter
from console.local.home import Home
from console.local.postgres import Postgres
from console.local.redis import EmbeddedRedis


class LocalServers:
    """PostgreSQL and Redis with their state in ``home``, for as long as this object is started.

    They end with the process that started them, however it ends. A second start on the same home is refused; both addresses
    stay the same from start to stop.
    """

    postgres: Postgres
    redis: EmbeddedRedis

    def __init__(self, home: Path, *, postgres: bool = True, redis: bool = True) -> None:
        self._home = Home(home)
        self._wanted = (postgres, redis)
        self._started: list[Postgres | EmbeddedRedis] = []

    @property
    def home(self) -> Path:
        """Where the state is kept."""
        return self._home.path

    @property
    def database_url(self) -> str:
        """The database's address, for libpq and peewee."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """Redis's address, for redis-py."""
        return self.redis.url

    def start(self) -> Self:
        """Start the wanted servers; returns when they answer. Where one fails, none is left."""
        self._home.take()
        try:
            starter = Starter()
            wants_postgres, wants_redis = self._wanted
            if wants_postgres:
                self.postgres = Postgres(self._home, starter)
                self._started.append(self.postgres)
            if wants_redis:
                self.redis = EmbeddedRedis(self._home, starter)
                self._started.append(self.redis)
            for server in self._started:
                server.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop what runs, in order; the data stays."""
        try:
            while self._started:
                self._started.pop().stop()
        finally:
            self._home.leave()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
