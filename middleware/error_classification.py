"""Error classification: every exception of a run has a kind, and is kept as a failure: scrubbed, bounded, with a fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq.middleware import Middleware

from capture.classification import classify
from capture.errors import Deferred, Interrupted, LeaseLost, RateLimited, Transient
from capture.failures import clean, describe
from capture.retry import Kind
from ledger.consumer import ClaimedMessage
from models.identity import Identity
from models.moves import Failure

if TYPE_CHECKING:
    from dramatiq.broker import Broker, MessageProxy


class ErrorClassification(Middleware):
    """Says what kind of end an exception is; a deferral's time is stored before anything is decided."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Classify what the run raised."""
        del broker, result
        if exception is None or not isinstance(message, ClaimedMessage):
            return
        run = message.run
        if isinstance(exception, LeaseLost):
            run.lost = True
            return
        run.kind = classify(exception)
        if isinstance(exception, Interrupted):
            run.interrupted_by = exception.reason
            return
        if isinstance(exception, Transient):
            run.asked_seconds = exception.retry_after
        if isinstance(exception, Deferred):
            run.asked_seconds = exception.seconds
            if isinstance(exception, RateLimited) and exception.identity:
                Identity.block(exception.identity, exception.seconds, clean(str(exception), 500))
        if run.kind is not Kind.DEFERRED:
            words = describe(exception)
            run.failure = Failure(words.error_class, words.message, words.trace, words.fingerprint)
