"""The embedded PostgreSQL: durable, private, reached through one socket."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

from capture.errors import Refused, SystemFault
from console.local import binaries
from console.local.server import Server

#: Where the server finds its data from within: it runs in there, and so needs no right on the directories above.
HERE = "/proc/self/cwd"
SOCKET = ".s.PGSQL.5432"
OWNER = DATABASE = "capture"
#: On the command line, not in the data directory: they follow the version of this code.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": "../run",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "cluster_name": "capture",
    "max_connections": "200",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}


class Postgres(Server):
    """PostgreSQL, with the database ``capture`` of the user ``capture``."""

    name = "postgres"
    stop_signal = signal.SIGINT

    @property
    def working_folder(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """The address of the database; the same as long as its owner lives."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of ``database`` on this server."""
        folder = self.home.address(self._sockets(), SOCKET)
        return f"postgresql://{OWNER}@/{quote(database, safe='')}?host={quote(str(folder))}"

    def find_program(self) -> Path:
        """The server's program."""
        return binaries.postgres_programs(self.home.account) / "postgres"

    def arguments(self) -> list[str]:
        """The server's arguments."""
        return ["-D", HERE, *(part for item in SETTINGS.items() for part in ("-c", "=".join(item)))]

    def prepare(self) -> None:
        """Create the data directory, whole or not at all; drop what a killed server left."""
        self._sockets()
        if not self.working_folder.exists():
            self._create()
        self._check_version()
        # Their pids mean nothing: whoever wrote them is gone, and the number may be anyone's by now.
        for stale in (self.working_folder / "postmaster.pid", self.folder / "run" / f"{SOCKET}.lock"):
            stale.unlink(missing_ok=True)

    def is_answering(self) -> bool:
        """Whether the server takes a connection."""
        try:
            psycopg2.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def after_start(self) -> None:
        """Create the database where it is not there."""
        if not self.execute("SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            self.execute(f'CREATE DATABASE "{DATABASE}"')

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement in the maintenance database, outside any transaction."""
        connection = psycopg2.connect(self.url_of("postgres"), connect_timeout=2)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def restart_immediate(self) -> None:
        """Start again as after a crash: every session is cut, and the log is replayed."""
        self._end(signal.SIGQUIT)
        self.start()

    def _sockets(self) -> Path:
        return self.home.folder(f"{self.name}/run")

    def _create(self) -> None:
        half_made = self.folder / "data.new"
        if half_made.exists():
            shutil.rmtree(half_made)
        self.home.folder(f"{self.name}/{half_made.name}")
        initdb = self.program.with_name("initdb")
        options = ["--username", OWNER, "--auth", "trust", "--encoding", "UTF8"]
        result = self.home.account.run([str(initdb), "--pgdata", HERE, *options], cwd=half_made)
        if result.returncode != 0:
            raise SystemFault(f"initdb failed: {' '.join(result.stdout.split())[-500:]}")
        half_made.rename(self.working_folder)

    def _check_version(self) -> None:
        stored = (self.working_folder / "PG_VERSION").read_text("ascii").strip()
        told = self.home.account.run([str(self.program), "--version"], cwd=Path("/")).stdout
        if f" {stored}." not in told:
            raise Refused(
                f"{self.working_folder} was written by PostgreSQL {stored}, and this is {told.strip()}: "
                "dump it with the old version, or set CAPTURE_HOME to a new directory."
            )
