"""The leader: one process at a time does the duties; any worker or scheduler may be it. A row lease by the database's clock."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import redis

from capture.ids import new_id
from capture.producer import Execute
from capture.retry import RetryPolicy
from ledger.duties.dispatch import Dispatcher
from ledger.duties.promote import promote
from ledger.duties.release import release
from ledger.duties.rescue import Rescuer
from ledger.hints import Hints
from models.database import open_connection
from models.worker import execute_on

log = logging.getLogger(__name__)
ROUND_SECONDS: Final = 1.0
#: A process that stands by looks so often whether the lease ran out: with the lease of five seconds, another leads within six.
STANDBY_SECONDS: Final = 0.5
#: A duty gives a locked row up well before the leader's own lease runs out.
LOCK_SECONDS: Final = 1.0
#: Rounds that follow wakes are at least so far apart.
BREATH_SECONDS: Final = 0.05

#: Takes a free or run-out lease with a new term, or renews one's own.
LEAD: Final = """
INSERT INTO progressive_capture_leases AS l (name, holder, term, expires_at)
VALUES ('leader', %(me)s::uuid, 1, clock_timestamp() + %(lease)s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET expires_at = clock_timestamp() + %(lease)s * interval '1 second',
    term = CASE WHEN l.holder = excluded.holder THEN l.term ELSE l.term + 1 END, holder = excluded.holder
WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp()
RETURNING term
"""
STEP_DOWN: Final = "UPDATE progressive_capture_leases SET expires_at = clock_timestamp() WHERE name = 'leader' AND holder = %(me)s::uuid"


class Leader:
    """Runs the duties while it leads, and stands by else."""

    def __init__(
        self,
        database_url: str,
        redis_url: str,
        *,
        policy: RetryPolicy,
        seconds_per_point: float,
        lease_seconds: float,
    ) -> None:
        self._database_url = database_url
        self._policy = policy
        self._seconds_per_point = seconds_per_point
        self._lease_seconds = lease_seconds
        self._me = new_id()
        self._hints = Hints(redis_url)
        self._dispatcher = Dispatcher(self._hints)
        self._rescuer = Rescuer(policy, seconds_per_point=seconds_per_point)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="capture-leader", daemon=True)
        self.term: int | None = None

    @property
    def leads(self) -> bool:
        """Whether this process holds the lease, as far as it knows."""
        return self.term is not None

    def start(self) -> None:
        """Begin to lead or stand by."""
        self._thread.start()

    def stop(self, seconds: float = 3.0) -> None:
        """Step down, so that another takes over at once."""
        self._stopped.set()
        self._thread.join(seconds)

    def _work(self) -> None:
        connection: Any = None
        while not self._stopped.is_set():
            try:
                connection = connection or open_connection(
                    self._database_url, application_name="capture leader", lock_seconds=LOCK_SECONDS
                )
                self._serve(execute_on(connection))
            except Exception as error:  # the duties go on when the database is back
                log.warning("The leader's round failed; it is tried again: %s", str(error).strip())
                self.term = None
                _close(connection)
                connection = None
                self._stopped.wait(ROUND_SECONDS)
        _close(connection)

    def _serve(self, execute: Execute) -> None:
        last_upkeep = 0.0
        while not self._stopped.is_set():
            began = time.monotonic()
            if self.term is None or began - last_upkeep >= ROUND_SECONDS:
                self._hold_lease(execute)
                last_upkeep = began
                if self.term is not None:
                    self._upkeep(execute, self.term)
            if self.term is None:
                self._stopped.wait(STANDBY_SECONDS)
                continue
            self._look(execute, self.term)
            self._rest(last_upkeep + ROUND_SECONDS - time.monotonic())
        execute(STEP_DOWN, {"me": self._me})
        self.term = None

    def _hold_lease(self, execute: Execute) -> None:
        rows = execute(LEAD, {"me": self._me, "lease": self._lease_seconds})
        term = int(rows[0][0]) if rows else None
        if term != self.term:
            log.info("This process %s.", f"leads in term {term}" if term else "stands by")
        self.term = term

    def _upkeep(self, execute: Execute, term: int) -> None:
        with _one_duty("rescue"):
            rescued = self._rescuer.rescue(execute, term=term)
            if rescued:
                log.warning("Rescued %d jobs.", rescued)

    def _look(self, execute: Execute, term: int) -> None:
        """What follows every wake: release, promote, dispatch."""
        with _one_duty("release"):
            release(execute, term=term, seconds_per_point=self._seconds_per_point)
        with _one_duty("promote"):
            promote(execute, term=term, seconds_per_point=self._seconds_per_point)
        try:
            self._dispatcher.dispatch(execute)
        except redis.RedisError as error:
            log.warning("Redis is away, or refuses; hints wait for it: %s", error)

    def _rest(self, seconds: float) -> None:
        self._stopped.wait(BREATH_SECONDS)
        try:
            self._hints.wait_for_wake(seconds)
        except redis.RedisError:
            self._stopped.wait(max(seconds, BREATH_SECONDS))


@contextmanager
def _one_duty(name: str) -> Iterator[None]:
    """A statement that fails (a row that somebody locks, a bad row) must not keep the other duties from being done."""
    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        if not isinstance(error, psycopg2.extensions.QueryCanceledError | psycopg2.errors.LockNotAvailable):
            raise
        log.warning("The leader's duty to %s waits: %s", name, str(error).strip())
    except psycopg2.Error:
        log.exception("The leader's duty to %s failed; it is tried again.", name)


def _close(connection: Any) -> None:
    if connection is not None:
        try:
            connection.close()
        except Exception as error:
            log.debug("Closing a broken connection: %s", error)
