"""Liveness: every job in this process's hands is vouched for by a lease that the database can see the end of."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import dramatiq
from dramatiq.middleware import Middleware, MiddlewareError

from capture import __version__
from capture.errors import CaptureError
from capture.ids import new_id
from ledger.broker import LedgerBroker
from ledger.engine import Engine
from ledger.hands import Hands
from models import worker as workers
from models.database import open_connection, warm
from models.migrations import require_schema

from .retries import policy_of

if TYPE_CHECKING:
    from dramatiq.broker import Broker

log = logging.getLogger(__name__)
#: Seconds that a starting worker waits for a database that is not there yet.
BOOT_SECONDS: Final = 30.0
#: How often the lease's connection is looked at, so that its loss is mended before it is taken for a death.
LOOK_SECONDS: Final = 1.0


class WorkerRefused(MiddlewareError):
    """The worker cannot start."""


class Liveness(Middleware):
    """Registers the worker before anything is consumed, renews its lease on a connection of its own, and signs it off."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Any = None
        self._last_renewal = 0.0

    def before_worker_boot(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Check the schema and register; raises, so that the worker does not start, where that fails."""
        assert isinstance(broker, LedgerBroker)
        try:
            self._boot(broker, worker)
        except MiddlewareError:
            raise
        except Exception as error:
            # Dramatiq logs what else a hook raises, and goes on: an unregistered worker must not.
            raise WorkerRefused(f"The worker could not start: {error}") from error

    def _boot(self, broker: LedgerBroker, worker: dramatiq.Worker) -> None:
        settings = broker.settings
        if settings.database_url is None or settings.redis_url is None:
            raise WorkerRefused(
                "DATABASE_URL and REDIS_URL are not set: set both, or run `capture up` for servers of your own."
            )
        versions = {name: job_type.payload_version for name, job_type in broker.job_types.items()}
        hands = Hands(new_id(), min(worker.worker_threads, settings.max_concurrent_jobs))
        queues = sorted(set(broker.queues) & set(worker.consumer_whitelist or broker.queues))
        self._who: dict[str, Any] = {
            "worker_id": hands.worker_id,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "queues": queues,
            "actors": versions,
            "knowledge": hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:12],
            "threads": hands.threads,
            "lease_seconds": settings.lease_seconds,
        }
        self._stopped.clear()
        self._hands = hands
        self._database_url = settings.database_url
        self._renew_seconds = settings.lease_renew_seconds
        self._register_or_refuse()
        warm(settings.db_pool_min)
        broker.engine = Engine(
            hands,
            knowledge=self._who["knowledge"],
            job_types=broker.job_types,
            redis_url=settings.redis_url,
            policy=policy_of(settings),
            seconds_per_point=settings.seconds_per_point,
            wake=broker.waker.wake,
        )
        self._thread = threading.Thread(target=self._keep, name="capture-lease", daemon=True)
        self._thread.start()
        broker.waker.wake()

    def after_worker_shutdown(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Commit what is queued, then sign off."""
        del worker
        assert isinstance(broker, LedgerBroker)
        if broker.engine is not None:
            broker.engine.stop(10)
            broker.engine.give_back("not finished when the worker ended")
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(LOOK_SECONDS + 5)
        try:
            workers.leave(workers.execute_on(self._open()), self._hands.worker_id, "stopped")
        except Exception as error:  # the lease ends by itself
            log.warning("The worker could not sign off: %s", error)
        self._close()

    def _register_or_refuse(self) -> None:
        give_up = time.monotonic() + BOOT_SECONDS
        while True:
            try:
                self._register()
                return
            except CaptureError as error:
                raise WorkerRefused(str(error)) from error
            except Exception as error:
                self._close()
                if time.monotonic() > give_up:
                    raise WorkerRefused(f"The database cannot be reached: {error}") from error
                log.warning("Waiting for the database: %s", str(error).strip())
                time.sleep(LOOK_SECONDS)

    def _keep(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            try:
                self._look()
            except Exception as error:  # tried again in a second, until the lease is over and after
                log.warning("The lease could not be renewed: %s", str(error).strip())
                self._close()

    def _look(self) -> None:
        """Notice a cut connection within a second, and register anew; renew when it is time."""
        if self._connection is None or self._connection.closed:
            self._register()
        elif time.monotonic() - self._last_renewal < self._renew_seconds and not self._hands.draining:
            workers.execute_on(self._connection)("SELECT 1", {})
        elif workers.renew(
            workers.execute_on(self._connection),
            worker_id=self._hands.worker_id,
            lease_seconds=self._who["lease_seconds"],
            running=self._hands.ids(),
            draining=self._hands.draining,
        ):
            self._last_renewal = time.monotonic()
        else:
            self._lapsed()

    def _lapsed(self) -> None:
        """The lease was ended from outside: what this process holds is already given to others, but it may take new work."""
        log.warning("This worker was taken for lost; it registers anew.")
        self._who["worker_id"] = self._hands.worker_id = new_id()
        self._register()

    def _register(self) -> None:
        connection = self._open()
        require_schema(connection)
        execute = workers.execute_on(connection)
        if not workers.register(execute, running=self._hands.ids(), **self._who):
            self._lapsed()
            return
        self._last_renewal = time.monotonic()

    def _open(self) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = open_connection(self._database_url, application_name="capture lease")
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.close()
        except Exception as error:
            log.debug("Closing a broken connection: %s", error)


__all__ = ["Liveness", "WorkerRefused"]
