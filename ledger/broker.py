"""Our Dramatiq broker: enqueueing is one row in PostgreSQL, consuming is claiming what a hint names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import dramatiq
from dramatiq.errors import QueueJoinTimeout, QueueNotFound
from dramatiq.middleware import Middleware

from capture.current import find_current_job
from capture.errors import Refused
from capture.job_types import JobType
from capture.new_job import NewJob, checked
from capture.priority import BULK, REALTIME, Facts
from capture.producer import insert
from capture.settings import Settings
from ledger.actor import LedgerActor, refuse_replaced
from ledger.consumer import LedgerConsumer
from ledger.engine import Engine
from ledger.waker import Waker
from models.database import after_commit, execute, transaction

#: Queues that a job is routed to by its facts; an actor declared with another name keeps to that.
ROUTED: Final = frozenset({REALTIME, BULK})
OPTIONS: Final = frozenset({"trigger_source", "repository_size", "time_range_days", "capture_run_id", "blocked_by"})
#: Middleware of Dramatiq's whose work is done here, by other means.
REFUSED_MIDDLEWARE: Final = frozenset(
    {
        "Retries",
        "TimeLimit",
        "AgeLimit",
        "Results",
        "Pipelines",
        "Callbacks",
        "GroupCallbacks",
        "ShutdownNotifications",
        "AsyncIO",
    }
)
WAITING: Final = """
SELECT count(*) FROM progressive_capture_jobs
WHERE processor_type = %s AND status IN ('blocked', 'pending', 'processing', 'retrying')
"""
FLUSH: Final = """
UPDATE progressive_capture_jobs SET status = 'cancelled', ready_rank = NULL, due_at = NULL, unique_key = NULL, blocked_by = NULL,
    completed_at = clock_timestamp(), updated_at = clock_timestamp(),
    moved_at = clock_timestamp(), moved_by = 'flush', moved_why = 'the queue was flushed'
WHERE processor_type = %s AND status IN ('blocked', 'pending', 'retrying')
"""


class LedgerBroker(dramatiq.Broker):
    """Sending needs PostgreSQL only, joins the caller's transaction, and returns messages whose id is the live job's."""

    def __init__(self, settings: Callable[[], Settings], middleware: Sequence[Middleware] = ()) -> None:
        self._settings = settings
        self.queues: dict[str, None] = {}
        self.waker = Waker(lambda: settings().redis_url or "")
        self.engine: Engine | None = None
        super().__init__(middleware=[])
        for one in middleware:
            self.add_middleware(one)
        for queue_name in (REALTIME, BULK):
            self.declare_queue(queue_name)

    @property
    def settings(self) -> Settings:
        """The process's settings, read when first needed."""
        return self._settings()

    @property
    def job_types(self) -> Mapping[str, JobType]:
        """How each declared actor runs; plain Dramatiq actors run with the defaults."""
        return {
            name: actor.job_type if isinstance(actor, LedgerActor) else JobType() for name, actor in self.actors.items()
        }

    def add_middleware(
        self,
        middleware: Middleware,
        *,
        before: type[Middleware] | None = None,
        after: type[Middleware] | None = None,
    ) -> None:
        """Add a middleware; raises ``Refused`` for those of Dramatiq's whose work the ledger does."""
        name = type(middleware).__name__
        if name in REFUSED_MIDDLEWARE and type(middleware).__module__.startswith("dramatiq."):
            raise Refused(f"Dramatiq's {name} cannot be used here: the ledger does its work, see docs/decisions.md.")
        super().add_middleware(middleware, before=before, after=after)

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; there are no delay queues, for the ledger holds what is not yet due."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Insert the job; afterwards it is stored, or an error was raised. Raises ``Refused`` with one sentence for bad input."""
        return self.enqueue_many([message], delay=delay)[0]

    def enqueue_many(
        self, messages: Iterable[dramatiq.Message[Any]], *, delay: int | None = None
    ) -> list[dramatiq.Message[Any]]:
        """Insert jobs in one transaction."""
        batch = list(messages)
        jobs = [self._checked(message, delay) for message in batch]
        for message in batch:
            self.emit_before("enqueue", message, delay)
        job = find_current_job()
        who = f"job {job.job_id}" if job else "application"
        with transaction():
            ids = insert(execute, jobs, who=who, seconds_per_point=self.settings.seconds_per_point)
            after_commit(self.waker.wake)
        sent = [message.copy(message_id=ids[one.id]) for message, one in zip(batch, jobs, strict=True)]
        for message in sent:
            self.emit_after("enqueue", message, delay)
        return sent

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30000) -> LedgerConsumer:  # noqa: ARG002
        """The claimed messages of a queue. A claim is made only for a free thread, so nothing is fetched ahead."""
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)  # type: ignore[no-untyped-call]
        if self.engine is None:
            raise RuntimeError("The worker was not registered: the Liveness middleware is missing from the broker.")
        return LedgerConsumer(self.engine, queue_name, timeout)

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until every job of the queue is over (``timeout`` in milliseconds)."""
        deadline = None if timeout is None else time.monotonic() + timeout / 1000
        while execute(WAITING, (queue_name,))[0][0]:
            if deadline is not None and time.monotonic() > deadline:
                raise QueueJoinTimeout(queue_name)  # type: ignore[no-untyped-call]
            time.sleep(0.05)

    def flush(self, queue_name: str) -> None:
        """Cancel every job of the queue that is not running."""
        execute(FLUSH, (queue_name,))

    def flush_all(self) -> None:
        """Cancel every job that is not running."""
        for queue_name in self.queues:
            self.flush(queue_name)

    def _checked(self, message: dramatiq.Message[Any], delay: int | None) -> NewJob:
        options = {key: value for key, value in message.options.items() if value is not None}
        refuse_replaced(options, f"{message.actor_name}.send")
        unknown = set(options) - OPTIONS
        if unknown:
            raise Refused(f"{message.actor_name} was sent with unknown options: {', '.join(sorted(unknown))}.")
        if message.actor_name not in self.actors:
            raise Refused(f"There is no actor {message.actor_name!r}; there are {', '.join(sorted(self.actors))}.")
        job = find_current_job()
        facts = {
            name: options[name] for name in ("trigger_source", "repository_size", "time_range_days") if name in options
        }
        return checked(
            message.actor_name,
            message.args,
            message.kwargs,
            job_type=self.job_types[message.actor_name],
            facts=Facts(**facts) if facts or job is None else job.facts,
            queue=None if message.queue_name in ROUTED else message.queue_name,
            delay_seconds=(delay or 0) / 1000,
            capture_run_id=options.get("capture_run_id") or (job.capture_run_id if job else None),
            blocked_by=options.get("blocked_by", ()),
            job_id=message.message_id,
        )
