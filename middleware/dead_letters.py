"""Dead letters: a job that is given up is never silent; its letter, with the reason, commits with its last state."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dramatiq.middleware import Middleware

from ledger.consumer import ClaimedMessage
from models.moves import Failure

if TYPE_CHECKING:
    from dramatiq.broker import Broker, MessageProxy

log = logging.getLogger(__name__)


class DeadLetters(Middleware):
    """Sees that a job that is given up says why; the finish writes its letter in the same statement."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Give a reason to a run that was given up without an error of its own."""
        del broker, result, exception
        if not isinstance(message, ClaimedMessage):
            return
        run = message.run
        if run.decision is None or not run.decision.is_dead:
            return
        if run.failure is None:
            reason = f"Given up after {run.history.runs} runs without an end."
            run.failure = Failure("NoEnd", reason, None, "no-end")
        log.error("Job %s (%s) is given up: %s", run.job_id, run.actor_name, run.failure.message)
