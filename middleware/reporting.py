"""Reporting: a failed run reaches Sentry with its job and what follows, and without a secret. Nothing waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dramatiq
import sentry_sdk
from dramatiq.middleware import Middleware
from sentry_sdk.integrations.logging import LoggingIntegration

from capture.failures import scrub
from ledger.consumer import ClaimedMessage

if TYPE_CHECKING:
    from dramatiq.broker import Broker, MessageProxy

    from capture.settings import Settings

FLUSH_SECONDS = 5


def start_reporting(settings: Settings) -> bool:
    """Begin to report, if a DSN is set; called before the broker is built. Says whether it is on."""
    if not settings.sentry_dsn:
        return False
    sentry_sdk.init(
        settings.sentry_dsn,
        traces_sample_rate=settings.sentry_traces_sample_rate,
        send_default_pii=False,
        include_local_variables=False,
        # Dramatiq logs every failure: as an event that would make ours, which says more, a repeat.
        integrations=[LoggingIntegration(event_level=None)],
        before_send=lambda event, _hint: _scrubbed(event),
        before_send_transaction=lambda event, _hint: _scrubbed(event),
        before_breadcrumb=lambda crumb, _hint: _scrubbed(crumb),
    )
    return True


class Reporting(Middleware):
    """One event per failed run, grouped by the failure's fingerprint."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Report a failure, if reporting is on."""
        del broker, result
        if exception is None or not isinstance(message, ClaimedMessage) or message.run.failure is None:
            return
        if not sentry_sdk.is_initialized():
            return
        run = message.run
        with sentry_sdk.new_scope() as scope:
            scope.fingerprint = [message.run.failure.fingerprint]
            scope.set_tag("job.type", run.actor_name)
            scope.set_tag("job.id", run.job_id)
            scope.set_tag("job.next", str(run.decision.status) if run.decision else "undecided")
            scope.set_context(
                "job",
                {
                    "repository": run.claimed.repository,
                    "processor_type": run.claimed.processor_type,
                    "attempt": run.history.attempts + 1,
                    "run": run.epoch,
                },
            )
            scope.capture_exception(exception)

    def after_worker_shutdown(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Worker processes do not run exit hooks: send what is queued."""
        del broker, worker
        if sentry_sdk.is_initialized():
            sentry_sdk.flush(FLUSH_SECONDS)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _scrubbed(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(one) for one in value]
    return value
