"""Retries: every run that ended otherwise than well has a decided next state, with jittered exponential backoff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq.middleware import Middleware

from capture.retry import Kind, RetryPolicy
from ledger.consumer import ClaimedMessage
from ledger.run import SLICE_USED_UP, TIME_USED_UP

if TYPE_CHECKING:
    from dramatiq.broker import Broker, MessageProxy

    from capture.settings import Settings


def policy_of(settings: Settings) -> RetryPolicy:
    """The policy that the settings describe."""
    return RetryPolicy(
        max_retries=settings.retry_max_attempts,
        base_seconds=settings.retry_base_seconds,
        multiplier=settings.retry_backoff_multiplier,
        max_seconds=settings.retry_max_seconds,
        jitter=settings.retry_jitter,
        crash_limit=settings.crash_limit,
        fault_limit=settings.fault_limit,
        max_runs=settings.max_runs,
        no_wait=settings.retry_no_wait,
    )


class Retries(Middleware):
    """Asks the policy what follows the run; the consumer's acknowledgement carries it out."""

    def __init__(self, policy: RetryPolicy | None = None) -> None:
        self._policy = policy

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Decide."""
        del result, exception
        if not isinstance(message, ClaimedMessage) or message.run.lost:
            return
        run = message.run
        policy = self._policy or policy_of(broker.settings)  # type: ignore[attr-defined]
        run.decision = policy.decide(
            run.kind or Kind.SYSTEM,
            run.history,
            retryable=run.job_type.retryable,
            asked_seconds=run.asked_seconds,
            used_up=run.interrupted_by in (SLICE_USED_UP, TIME_USED_UP),
        )
