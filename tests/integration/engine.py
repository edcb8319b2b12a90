"""The engine on a workbench: a broker, toy actors, and the hands of a worker, a leader and someone at psql."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import dramatiq
import psycopg2

from capture.current import set_current_job
from capture.ids import new_id
from capture.job_types import JobType
from capture.producer import Execute
from capture.retry import Decision, History, Kind, RetryPolicy
from capture.settings import Settings
from ledger.actor import LedgerActor
from ledger.broker import LedgerBroker
from ledger.hands import Hands
from ledger.leader import LEAD
from ledger.run import Run
from middleware import stack
from models import moves
from models import worker as workers
from models.moves import Claimed, Failure, Finish
from models.worker import execute_on

SECONDS_PER_POINT = 60.0
FAILED = Failure("LookupError", "it broke", "the trace", "print")
QUIET = "SET session_replication_role = {}"


def wait_until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What ``condition`` returns as soon as it is true; an assertion error if it does not become so."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.005)


@contextmanager
def connection_to(database_url: str) -> Iterator[Any]:
    """A plain connection of its own in autocommit, as a hand at psql has it."""
    with closing(psycopg2.connect(database_url)) as connection:
        connection.autocommit = True
        yield connection


def say(word: str) -> None:
    """A toy."""


def once(word: str) -> None:
    """A toy, at most one live job per word."""


class Bench:
    """Everything that a test of the engine touches; ``sql`` is the hand at psql, on a connection of its own."""

    def __init__(self, database_url: str, redis_url: str, connection: Any, **settings: Any) -> None:
        self.database_url = database_url
        self.redis_url = redis_url
        self.connection = connection
        self.sql: Execute = execute_on(connection)
        self.settings = Settings(database_url=database_url, redis_url=redis_url, **settings)
        self.broker = LedgerBroker(lambda: self.settings, stack())
        self.say = self.actor(say)
        self.once = self.actor(once, unique=True)

    def actor(self, fn: Callable[..., Any], queue_name: str = "bulk", **job_type: Any) -> LedgerActor[..., Any]:
        """Declare ``fn`` on this bench's broker."""
        return LedgerActor(
            fn,
            broker=self.broker,
            actor_name=fn.__name__,
            queue_name=queue_name,
            priority=0,
            options={"job_type": JobType(**job_type)},
        )

    def change_settings(self, **settings: Any) -> None:
        """From now on the settings are these."""
        self.settings = replace(self.settings, **settings)

    # What the tables say.

    def query(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement, as a hand at psql sees them."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, sql: str, *params: Any) -> Any:
        """The one value of a statement."""
        return self.query(sql, *params)[0][0]

    def job(self, job_id: str) -> dict[str, Any]:
        """A job's row."""
        found: dict[str, Any] = self.value("SELECT to_jsonb(j) FROM progressive_capture_jobs j WHERE id = %s", job_id)
        return found

    def status(self, job_id: str) -> str:
        """A job's state."""
        return str(self.value("SELECT status FROM progressive_capture_jobs WHERE id = %s", job_id))

    def count(self, table: str = "progressive_capture_jobs") -> int:
        """How many rows a table has."""
        return int(self.value(f"SELECT count(*) FROM {table}"))

    def log(self, job_id: str) -> list[tuple[str | None, str]]:
        """A job's moves, in order."""
        rows = self.query(
            "SELECT from_status, to_status FROM progressive_capture_transitions WHERE job_id = %s ORDER BY id", job_id
        )
        return [(old, new) for old, new in rows]

    # What a sender does.

    def sent(self, word: str = "x", **options: Any) -> str:
        """The id of a sent `say` job."""
        return self.say.send_with_options(args=(word,), **options).message_id

    def sent_many(self, count: int) -> list[str]:
        """The ids of as many sent `say` jobs, in order."""
        return self.say.send_many([(str(number),) for number in range(count)])

    # What a worker does.

    def worker(self, sql: Execute | None = None, *, lease: float = 600, **more: Any) -> str:
        """Register a worker that lives on ``sql``'s connection; returns its id."""
        given: dict[str, Any] = {
            "worker_id": new_id(),
            "host": "here",
            "pid": os.getpid(),
            "version": "0",
            "queues": ["realtime", "bulk"],
            "actors": dict.fromkeys(("say", "once"), 1),
            "knowledge": "all",
            "threads": 4,
            "lease_seconds": lease,
        }
        given |= more
        workers.register(sql or self.sql, **given)
        return str(given["worker_id"])

    def claim(self, *job_ids: str, worker_id: str | None = None, sql: Execute | None = None) -> list[Claimed]:
        """Claim the jobs at the epoch they have."""
        epochs = {job_id: self.job(job_id)["epoch"] for job_id in job_ids}
        return moves.claim(sql or self.sql, worker_id or self.worker(), list(epochs.items()))

    def claimed(self, word: str = "x", worker_id: str | None = None) -> Claimed:
        """A sent job in a worker's hand."""
        (claimed,) = self.claim(self.sent(word), worker_id=worker_id)
        return claimed

    def run(self, claimed: Claimed, **job_type: Any) -> Run:
        """What an actor would see."""
        return Run(claimed, JobType(**job_type), Hands(new_id(), 4))

    @contextmanager
    def inside(self, run: Run) -> Iterator[Run]:
        """This thread runs the job."""
        set_current_job(run)
        try:
            yield run
        finally:
            set_current_job(None)

    def finish(self, *finishes: Finish) -> set[str]:
        """End runs in one statement."""
        return moves.finish(self.sql, finishes, seconds_per_point=SECONDS_PER_POINT)

    # What the leader does.

    def lead(self) -> int:
        """Take the lease; returns the term."""
        return int(self.sql(LEAD, {"me": new_id(), "lease": 600})[0][0])

    def settle(self, job_id: str, status: str) -> None:
        """Bring a waiting job to an end, by the moves of the table."""
        if status in ("completed", "failed"):
            (claimed,) = self.claim(job_id)
            kind = Kind.COMPLETED if status == "completed" else Kind.PERMANENT
            assert self.finish(ended(claimed, kind)) == {job_id}
        else:
            assert moves.cancel(self.sql, job_id, who="test", why="told to")


def ended(
    claimed: Claimed,
    kind: Kind = Kind.COMPLETED,
    *,
    policy: RetryPolicy | None = None,
    failure: Failure | None = None,
    decision: Decision | None = None,
    **more: Any,
) -> Finish:
    """The end of a claimed run, as the engine would decide it."""
    bad = kind not in (Kind.COMPLETED, Kind.INTERRUPTED, Kind.DEFERRED)
    return Finish(
        claimed.id,
        claimed.epoch,
        decision or (policy or RetryPolicy()).decide(kind, claimed.history),
        who="a worker",
        why=f"ended as {kind}",
        failure=failure or (FAILED if bad else None),
        **more,
    )


def many_rows(bench: Bench, count: int, **columns: str) -> None:
    """Insert as many ready scheduled jobs straight into the table; ``columns`` are SQL over the number ``n``."""
    row = {
        "id": "gen_random_uuid()",
        "actor": "'say'",
        "processor_type": "'bulk'",
        "status": "'pending'",
        "ready_at": "clock_timestamp()",
        "ready_rank": "extract(epoch FROM clock_timestamp()) - 5 * 60",
        "metadata": """'{"priority": 5}'::jsonb""",
    } | columns
    bench.query(
        f"INSERT INTO progressive_capture_jobs ({', '.join(row)})"
        f" SELECT {', '.join(row.values())} FROM generate_series(1, %s) AS n",
        count,
    )
    bench.query("VACUUM ANALYZE progressive_capture_jobs")


def in_state(bench: Bench, status: str, count: int = 1) -> list[str]:
    """Jobs in any state, put there with the guards off, as a restored backup would be."""
    ids = [new_id() for _ in range(count)]
    with connection_to(bench.database_url) as connection, connection.cursor() as cursor:
        cursor.execute(QUIET.format("replica"))
        for job_id in ids:
            cursor.execute(
                "INSERT INTO progressive_capture_jobs (id, actor, processor_type, status, epoch, ready_rank, due_at, blocked_by,"
                " worker_id) VALUES (%s, 'say', 'bulk', %s, 5, 1, clock_timestamp(), '{}', %s)",
                (job_id, status, new_id()),
            )
    return ids


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


def worker_of(bench: Bench, threads: int = 4) -> dramatiq.Worker:
    """Dramatiq's worker on the bench's broker, in this process."""
    return dramatiq.Worker(bench.broker, worker_timeout=50, worker_threads=threads)


__all__ = ["FAILED", "Bench", "History", "connection_to", "ended", "in_state", "many_rows", "wait_until", "worker_of"]
