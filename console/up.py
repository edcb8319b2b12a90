"""Everything on one machine: servers where none are named, the schema, workers and scheduler under one supervisor."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from capture.settings import Settings
from console import addresses
from console.addresses import Addresses
from console.local import launch
from console.local.servers import LocalServers
from console.supervisor import Supervisor, host
from models import migrations
from models.database import open_connection
from models.worker import execute_on, record_end

ROOT = Path(__file__).resolve().parents[1]


class Everything:
    """Servers, schema, workers and scheduler, from :meth:`start` to :meth:`stop`.

    The embedded servers serve whatever the settings name no address for. :meth:`run` keeps the processes running and must be called
    in a thread that lives until they are to end.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        processes: int,
        threads: int,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        log_to: IO[bytes] | None = None,
        announce: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._settings = settings
        self._processes, self._threads = processes, threads
        self._environment = dict(os.environ if environment is None else environment)
        self._folder = folder
        self._log_to = log_to
        self._announce = announce
        needs = settings.database_url is None, settings.redis_url is None
        self._servers = LocalServers(settings.capture_home, postgres=needs[0], redis=needs[1]) if any(needs) else None
        self.addresses = Addresses("", "")
        self.supervisor: Supervisor

    def start(self) -> Self:
        """Start the servers and bring the schema up to date; where that fails, nothing is left."""
        if self._servers is not None:
            self._servers.start()
        try:
            self._prepare()
        except BaseException:
            self.stop()
            raise
        return self

    def run(self) -> None:
        """Keep workers and scheduler running until ``supervisor.stop()``."""
        self.supervisor.run()

    def stop(self) -> None:
        """Stop the servers; the workers ended with :meth:`run`."""
        if self._servers is not None:
            addresses.forget(self._settings.capture_home)
            self._servers.stop()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _prepare(self) -> None:
        settings, servers = self._settings, self._servers
        database_url = settings.database_url or (servers.database_url if servers else "")
        redis_url = settings.redis_url or (servers.redis_url if servers else "")
        self.addresses = Addresses(database_url, redis_url)
        migrations.upgrade(database_url, announce=lambda name: self._announce(f"Applied {name}."))
        environment = {**self._environment, "PYTHONPATH": _python_path(self._environment)}
        if settings.database_url is None:
            environment["DATABASE_URL"] = database_url
        if settings.redis_url is None:
            environment["REDIS_URL"] = redis_url
        if servers is not None:
            addresses.remember(settings.capture_home, self.addresses)
        self.supervisor = Supervisor(
            processes=self._processes,
            threads=self._threads,
            drain_seconds=settings.drain_seconds,
            beside=[bound_to_us([sys.executable, "-m", "scheduler"])],
            environment=environment,
            folder=self._folder,
            log_to=self._log_to,
            on_end=recorder_of_ends(database_url),
        )


def bound_to_us(command: list[str], death_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command line of a process that is sent ``death_signal`` when the thread that started it ends, however it ends."""
    program = str(Path(launch.__file__).resolve())
    return [sys.executable, "-I", "-S", program, str(os.getpid()), str(int(death_signal)), "-1", "-1", *command]


def recorder_of_ends(database_url: str) -> Callable[[int, str], None]:
    """What a supervisor calls to keep how a worker process died; raises where the database is away."""

    def record(pid: int, cause: str) -> None:
        connection = open_connection(database_url, application_name="capture supervisor")
        try:
            record_end(execute_on(connection), host=host(), pid=pid, cause=cause)
        finally:
            connection.close()

    return record


def _python_path(environment: Mapping[str, str]) -> str:
    """Where children in another folder find our packages, from a bare checkout too."""
    given = environment.get("PYTHONPATH", "")
    return f"{ROOT}{os.pathsep}{given}" if given else str(ROOT)
