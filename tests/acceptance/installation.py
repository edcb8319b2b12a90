"""A whole installation for one test: database, Redis, GitHub's stand-in, and worker processes that may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from console.comparison import Comparison, compare
from console.local.github import StandIn
from console.local.servers import LocalServers

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.02
LOG_LINES_SHOWN = 25
Settings = Mapping[str, str]
NO_SETTINGS: Settings = {}

JOB = """
SELECT id::text, actor, status, epoch, attempts, crashes, runs, faults_in_a_row, error, error_kind,
       extract(epoch FROM started_at - created_at)::float8
FROM progressive_capture_jobs
"""
HELD = """
SELECT j.id::text FROM progressive_capture_jobs j JOIN progressive_capture_workers w ON w.id = j.worker_id
WHERE j.status = 'processing' AND w.pid = %s AND w.started_at > clock_timestamp() - interval '10 minutes'
"""
#: Page commits for which GitHub was asked; the others only note that a step is done.
PAGES = """
SELECT count(*) FROM progressive_capture_page_commits
WHERE step <> 'decided' AND NOT (step = 'tails' AND cursor IS NULL)
"""
LAST_MOVES = """
SELECT right(job_id::text, 4), from_status, to_status, epoch, who, why FROM progressive_capture_transitions
ORDER BY id DESC LIMIT 20
"""
#: Where the last page of a REST list ends is where it began: it has no page after it.
COMMITTED_TWICE = """
SELECT job_id::text, step, walk, cursor FROM progressive_capture_page_commits p WHERE cursor IS NOT NULL
AND NOT (step = 'review comments' AND page = (
    SELECT max(page) FROM progressive_capture_page_commits o WHERE o.job_id = p.job_id AND o.step = p.step AND o.walk = p.walk))
GROUP BY 1, 2, 3, 4 HAVING count(*) > 1
"""
RESCUES = "SELECT count(*) FROM progressive_capture_transitions WHERE who = 'leader' AND why LIKE 'rescued%'"


def wait_until(condition: Callable[[], Any], seconds: float, what: str, context: Callable[[], str] = str) -> Any:
    """What ``condition`` gives once it is true; fails with ``what`` was waited for and the context."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}\n{context()}")
        time.sleep(LOOK_SECONDS)
    return found


@dataclass(frozen=True)
class Job:
    """A row of the ledger."""

    id: str
    actor: str
    status: str
    epoch: int
    attempts: int
    crashes: int
    runs: int
    faults: int
    error: str | None
    kind: str | None
    started_after: float | None
    """Seconds from sending to the start of the last run."""

    @property
    def is_over(self) -> bool:
        return self.status in {"completed", "failed", "cancelled"}


@dataclass(frozen=True)
class Account:
    """What a test's troubles cost: counted from the page commits, the transition log and the stand-in's log."""

    pages: int
    asked: int
    asked_twice: int
    rescues: int
    faults: int
    kills: int

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in hand, {self.rescues} rescues, {self.faults} faults, {self.pages} pages committed, "
            f"{self.asked} asked, {self.asked_twice} asked twice"
        )


class WorkerProcess:
    """One started command, with its output in a file."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal that ended it."""
        return self._process.poll()

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(seconds)

    def end(self) -> None:
        """Leave nothing of it, its children included."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:]
        return "\n".join([f"--- {self.log.name} (exit code {self.exit_code})", *lines])


class Installation:
    """What a test acts on, and what it reads from: the ledger and the stand-in's log, never a worker's word."""

    def __init__(
        self, servers: LocalServers, database_url: str, github: StandIn, folder: Path, report: Callable[[str], None]
    ) -> None:
        self.servers = servers
        self.database_url = database_url
        self.redis_url = f"{servers.redis_url}?db=0"
        self.github = github
        self.workers: list[WorkerProcess] = []
        self.kills = 0
        self.report = report
        self._folder = folder
        self._connection: Any = None

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the installation is told."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "GITHUB_TOKEN": "ghp_acceptance",
            "GITHUB_API_URL": self.github.url,
            "GITHUB_PAGE_SIZE": "10",
            "LEADER_LEASE_SECONDS": "2",
            "DRAIN_SECONDS": "5",
            "RETRY_NO_WAIT": "1",
        }

    def start_worker(self, *modules: str, threads: int = 4, settings: Settings = NO_SETTINGS) -> WorkerProcess:
        """One worker process as the supervisor starts it."""
        command = [sys.executable, "-m", "console.worker_process", *(modules or ("actors",))]
        command += ["--threads", str(threads), "--drain-seconds", "5", "--parent", str(os.getpid())]
        return self.start(*command, settings=settings)

    def start_workers(
        self, count: int = 2, *modules: str, threads: int = 4, settings: Settings = NO_SETTINGS
    ) -> list[WorkerProcess]:
        """So many worker processes, once all of them have registered."""
        started = [self.start_worker(*modules, threads=threads, settings=settings) for _ in range(count)]
        for worker in started:
            self.wait_until_registered(worker)
        return started

    def start(self, *command: str, settings: Settings = NO_SETTINGS) -> WorkerProcess:
        """Any command of the installation."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CAPTURE_TEST_"))}
        log = self._folder / f"process-{len(self.workers) + 1}.log"
        worker = WorkerProcess(command, ours | self.environment | dict(settings), log)
        self.workers.append(worker)
        return worker

    def wait_until_registered(self, worker: WorkerProcess, seconds: float = 30) -> None:
        sql = "SELECT 1 FROM progressive_capture_workers WHERE pid = %s AND stopped_at IS NULL"
        self.wait_until(lambda: self.rows(sql, worker.pid), seconds, f"process {worker.pid} was registered")

    def wait_until(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        """What ``condition`` gives once it is true; a failure shows the ledger and the workers' last words."""
        return wait_until(condition, seconds, what, self.describe)

    def kill(self, worker: WorkerProcess) -> list[str]:
        """kill -9; returns the ids of the jobs that the ledger then still sees in the dead process's hands."""
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        held = self.held_by(worker)
        self.kills += len(held)
        return held

    def died(self, worker: WorkerProcess) -> list[str]:
        """As :meth:`kill`, for a process that killed itself."""
        assert worker.wait(60) == -signal.SIGKILL, self.describe()
        held = self.held_by(worker)
        self.kills += len(held)
        return held

    def held_by(self, worker: WorkerProcess) -> list[str]:
        """The jobs that are processing in this process's name."""
        return [job_id for (job_id,) in self.rows(HELD, worker.pid)]

    def holder(self, actor: str) -> WorkerProcess | None:
        """The process that holds a job of this type."""
        jobs = {job.id for job in self.jobs() if job.actor == actor}
        return next((one for one in self.workers if one.exit_code is None and jobs & set(self.held_by(one))), None)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement, on a connection of the test's own; while the database is away there are none."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg2.connect(self.database_url, connect_timeout=2)
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return list(cursor.fetchall()) if cursor.description else []
        except (psycopg2.DatabaseError, psycopg2.InterfaceError) as error:
            # A connection that is cut in the middle is a DatabaseError without a code.
            if error.pgcode is not None and not isinstance(error, psycopg2.OperationalError):
                raise
            self.close_connection()
            return []

    def close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def job(self, job_id: str) -> Job:
        return Job(*self.rows(f"{JOB} WHERE id = %s::uuid", job_id)[0])

    def jobs(self) -> list[Job]:
        """Every job, oldest first."""
        return [Job(*row) for row in self.rows(f"{JOB} ORDER BY id")]

    def wait_for_job(self, job_id: str, seconds: float = 60) -> Job:
        """The job, once it is over."""

        def over() -> Job | None:
            found = self.rows(f"{JOB} WHERE id = %s::uuid", job_id)
            return Job(*found[0]) if found and Job(*found[0]).is_over else None

        job: Job = self.wait_until(over, seconds, f"job {job_id} was over")
        return job

    def wait_for_capture(self, repository: str, seconds: float = 90) -> list[Job]:
        """The jobs of the repository's capture run, once it is closed; fails where it is not completed."""
        sql = """
            SELECT id::text, status FROM progressive_capture_capture_runs
            WHERE lower(repository) = lower(%s) AND closed_at IS NOT NULL
        """
        (run, status), *_ = self.wait_until(
            lambda: self.rows(sql, repository), seconds, f"the capture run of {repository} was closed"
        )
        assert status == "completed", self.describe()
        return [Job(*row) for row in self.rows(f"{JOB} WHERE capture_run_id = %s::uuid ORDER BY id", run)]

    def job_of(self, actor: str) -> Job:
        """The one job of a type."""
        (found,) = [job for job in self.jobs() if job.actor == actor]
        return found

    def leader(self) -> tuple[str, int] | None:
        """Who holds the leader's lease, and in which term."""
        found = self.rows(
            "SELECT holder::text, term FROM progressive_capture_leases WHERE name = 'leader' AND expires_at > clock_timestamp()"
        )
        return found[0] if found else None

    def comparison(self, dataset: dict[str, Any]) -> Comparison:
        """Every column of every row, against the dataset."""
        connection = psycopg2.connect(self.database_url)
        try:
            return compare(connection, dataset)
        finally:
            connection.close()

    def account(self) -> Account:
        """What was asked and committed so far."""
        log = self.github.log
        asked = Counter((one["operation"], one["repository"], one["cursor"], str(one["variables"])) for one in log)
        return Account(
            pages=self.rows(PAGES)[0][0],
            asked=len(log),
            asked_twice=sum(count - 1 for count in asked.values()),
            rescues=self.rows(RESCUES)[0][0],
            faults=sum(one["fault"] is not None for one in log),
            kills=self.kills,
        )

    def check_exact(self, dataset: dict[str, Any], *, faults: int = 0) -> Account:
        """Fail unless every column is equal, no page was committed twice, and none asked for oftener than kills and faults explain.

        ``faults`` are those that happened elsewhere than in the stand-in, which counts its own.
        """
        result = self.comparison(dataset)
        account = self.account()
        self.report(str(account))
        assert result.is_equal, "\n".join([f"{result.total} differences", *result.differences, self.describe()])
        assert all(expected == stored for expected, stored in result.counts.values())
        assert self.rows(COMMITTED_TWICE) == []
        assert account.asked <= account.pages + account.kills + account.faults + faults, f"{account}\n{self.describe()}"
        return account

    def describe(self) -> str:
        """For a failure: the ledger, and what the processes said last."""
        jobs = [str(job) for job in self.jobs()[:20]]
        moves = self.rows(LAST_MOVES)
        return "\n".join([*jobs, *map(str, reversed(moves)), *(worker.last_words() for worker in self.workers)])

    def end(self) -> None:
        """Leave no process and no connection."""
        for worker in self.workers:
            worker.end()
        self.close_connection()
