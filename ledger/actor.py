"""Our actor: a Dramatiq actor that runs only what was claimed, and says at send why it is wanted."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import dramatiq

from capture.current import NoCurrentJob, find_current_job
from capture.errors import Refused
from capture.ids import new_id
from capture.job_types import DRAMATIQ_PRIORITY, JobType

if TYPE_CHECKING:
    from ledger.broker import LedgerBroker

P = ParamSpec("P")
R = TypeVar("R")

#: Options of Dramatiq that this system replaces, with what to say instead.
REPLACED: Mapping[str, str] = {
    "max_retries": "use retryable=..., and RETRY_MAX_ATTEMPTS for how often",
    "min_backoff": "backoff is set by RETRY_BASE_SECONDS",
    "max_backoff": "backoff is set by RETRY_MAX_SECONDS",
    "backoff_strategy": "backoff is exponential, set by RETRY_BACKOFF_MULTIPLIER",
    "jitter": "jitter is set by RETRY_JITTER",
    "retry_when": "raise capture.errors.Transient or Permanent instead",
    "throws": "raise capture.errors.Permanent instead",
    "on_retry_exhausted": "a job that is given up becomes a dead letter",
    "on_failure": "a failed run is a row in the ledger",
    "on_success": "send what follows inside the last page commit",
    "time_limit": "use timeout_minutes=...",
    "max_age": "cancel jobs that are no longer wanted",
    "notify_shutdown": "a run stops by itself at its next commit",
    "store_results": "what a job finds is stored in the database",
    "result_ttl": "what a job finds is stored in the database",
    "pipe_target": "send what follows inside the last page commit",
    "pipe_ignore": "send what follows inside the last page commit",
    "group_completion_uuid": "capture runs say when all their jobs are over",
    "group_completion_callbacks": "capture runs say when all their jobs are over",
    "broker_priority": "say why a job is wanted (trigger_source, repository_size, time_range_days)",
}


def refuse_replaced(names: Iterable[str], what: str) -> None:
    """Raise ``Refused`` with one sentence if a name is an option of Dramatiq that has no meaning here."""
    for name in names:
        if name in REPLACED:
            raise Refused(f"{what} does not take {name}: {REPLACED[name]}.")


class LedgerActor(dramatiq.Actor[P, R]):
    """Runs only inside a claimed run of its own; outside it raises, for nothing would guarantee the writes."""

    job_type: JobType

    def __init__(self, fn: Callable[P, R], *, broker: dramatiq.Broker, options: dict[str, Any], **rest: Any) -> None:
        if inspect.iscoroutinefunction(fn):
            raise Refused(
                f"{fn.__name__} is async; actors here are plain functions, for a commit must not be suspended."
            )
        refuse_replaced(options, f"{fn.__name__}")
        job_type: JobType = options.pop("job_type", None) or JobType()
        self.job_type = job_type if job_type.signature else replace(job_type, signature=inspect.signature(fn))
        rest["priority"] = rest.get("priority") or DRAMATIQ_PRIORITY[self.job_type.priority]
        super().__init__(fn, broker=broker, options=options, **rest)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function; raises ``NoCurrentJob`` unless this thread holds a claimed run of this actor."""
        job = find_current_job()
        if job is None or job.actor_name != self.actor_name:
            raise NoCurrentJob
        return self.fn(*args, **kwargs)

    def message_with_options(
        self, *, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None, **options: Any
    ) -> dramatiq.Message[R]:
        """A message whose id will be the job's."""
        refuse_replaced(options, f"{self.actor_name}.send_with_options")
        return dramatiq.Message(
            self.queue_name, self.actor_name, tuple(args), kwargs or {}, options, message_id=new_id()
        )

    def send_with_options(
        self,
        *,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        delay: timedelta | int | None = None,
        **options: Any,
    ) -> dramatiq.Message[R]:
        """Send with ``delay`` (milliseconds), ``trigger_source``, ``repository_size``, ``time_range_days``.

        Also for fan-out: ``capture_run_id``, and ``blocked_by`` (message ids that must be completed first).
        """
        if isinstance(delay, timedelta):
            delay = int(delay.total_seconds() * 1000)
        message = self.message_with_options(args=args, kwargs=kwargs, **options)
        return cast("dramatiq.Message[R]", self.broker.enqueue(message, delay=delay))

    def send_many(self, calls: Iterable[tuple[Any, ...] | dict[str, Any]], **options: Any) -> list[str]:
        """Send many jobs in one transaction; each call is a tuple of arguments or a dict of them. Returns the jobs' ids in order."""
        messages = [
            self.message_with_options(kwargs=dict(call), **options)
            if isinstance(call, dict)
            else self.message_with_options(args=tuple(call), **options)
            for call in calls
        ]
        return [message.message_id for message in cast("LedgerBroker", self.broker).enqueue_many(messages)]
