"""The way to PostgreSQL: one pool per process, a connection only while a transaction or statement runs."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import peewee
import psycopg2
from playhouse.pool import PooledPostgresqlDatabase

from capture.errors import SystemFault

Row = tuple[Any, ...]

SESSION = "-c timezone=UTC -c idle_in_transaction_session_timeout={idle} -c lock_timeout={lock} -c statement_timeout={statement}"
#: Seconds: a frozen process that holds a row lock is cut after ``idle``; nothing of ours waits or runs longer than the others.
IDLE_IN_TRANSACTION_SECONDS, LOCK_SECONDS, STATEMENT_SECONDS = 10, 10, 60
#: Seconds within which a warm-up has its connections, or goes on without.
CONNECTED_SECONDS = 5
KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class LedgerDatabase(PooledPostgresqlDatabase):  # type: ignore[misc]
    """A pool that is opened by its first user and is never carried over a fork."""

    def __init__(self) -> None:
        super().__init__(None)
        self._pid = os.getpid()
        self._configure: Callable[[], None] | None = None

    def configure_with(self, configure: Callable[[], None] | None) -> None:
        """Call ``configure`` (which must call :func:`connect`) when the first connection is asked for."""
        self._configure = configure

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Take a connection for this thread from the pool."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self.dispose()
        if self.deferred and self._configure is not None:
            self._configure()
        return bool(super().connect(reuse_if_open))


database = LedgerDatabase()
_after_commit = threading.local()


def session_options(statement_seconds: float = STATEMENT_SECONDS, lock_seconds: float = LOCK_SECONDS) -> str:
    """The ``options`` of a connection: UTC, and bounds so that no frozen or hung session can hold others up."""
    return SESSION.format(
        idle=IDLE_IN_TRANSACTION_SECONDS * 1000, lock=int(lock_seconds * 1000), statement=int(statement_seconds * 1000)
    )


def connect(
    database_url: str,
    *,
    pool_max: int = 20,
    idle_seconds: float = 30,
    acquire_seconds: float = 30,
    connect_seconds: float = 2,
    application_name: str = "capture",
) -> None:
    """Point the process's pool at ``database_url``; connections are opened when first needed."""
    if not database.deferred:
        database.close_all()
    database.init(
        normal_url(database_url),
        max_connections=pool_max,
        stale_timeout=max(int(idle_seconds), 1),
        timeout=acquire_seconds,
        connect_timeout=max(int(connect_seconds), 1),
        application_name=application_name,
        options=session_options(),
        **KEEPALIVES,
    )


def warm(connections: int) -> None:
    """Open so many connections and leave them idle in the pool, so that the first jobs do not wait for theirs."""
    barrier = threading.Barrier(max(connections, 1))

    def hold() -> None:
        with contextlib.suppress(peewee.PeeweeException, threading.BrokenBarrierError), database.connection_context():
            barrier.wait(CONNECTED_SECONDS)

    threads = [threading.Thread(target=hold) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def disconnect() -> None:
    """Close every connection of the pool and forget its address."""
    if not database.deferred:
        database.close_all()
        database.init(None)


def open_connection(
    database_url: str, *, application_name: str, statement_seconds: float = 5, lock_seconds: float = LOCK_SECONDS
) -> Any:
    """A connection of its own outside the pool, in autocommit: for the lease, the leader and the migrations."""
    connection = psycopg2.connect(
        normal_url(database_url),
        connect_timeout=2,
        application_name=application_name,
        options=session_options(statement_seconds, lock_seconds=min(statement_seconds, lock_seconds)),
        **KEEPALIVES,
    )
    connection.autocommit = True
    return connection


def normal_url(database_url: str) -> str:
    """``database_url`` in the one spelling that both peewee and libpq read."""
    prefix, separator, rest = database_url.partition("://")
    if separator and prefix in {"postgres", "postgresql"}:
        return f"postgresql://{rest}"
    raise SystemFault("DATABASE_URL must begin with postgresql:// .")


@contextmanager
def transaction() -> Iterator[None]:
    """Run the block in one transaction; inside another one it joins that. The connection goes back to the pool at the end."""
    if database.in_transaction():
        yield
        return
    callbacks: list[Callable[[], None]] = []
    _after_commit.callbacks = callbacks
    try:
        with database.connection_context(), database.atomic():
            yield
    finally:
        _after_commit.callbacks = None
    for callback in callbacks:
        callback()


def after_commit(callback: Callable[[], None]) -> None:
    """Call ``callback`` once the present transaction is committed; at once where there is none of ours."""
    callbacks = getattr(_after_commit, "callbacks", None)
    if callbacks is None:
        callback()
    elif callback not in callbacks:
        callbacks.append(callback)


def execute(sql: str, params: Sequence[Any] | dict[str, Any] | None = None) -> list[Row]:
    """The rows of one statement, in the open transaction or on its own."""
    with database.connection_context():
        cursor = database.execute_sql(sql, params)
        return list(cursor.fetchall()) if cursor.description else []
