"""Checkpoints: an actor sees its claimed job, writes only through fenced page commits, and is completed only if all is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq.middleware import Middleware

from capture.current import set_current_job
from capture.retry import Kind
from ledger.consumer import ClaimedMessage
from ledger.run import Run
from models.moves import Failure

if TYPE_CHECKING:
    from dramatiq.broker import Broker, MessageProxy


class Checkpoints(Middleware):
    """Hands the run to the actor, and judges a return without error: complete, to be continued, or incomplete."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Make the run current; without it the actor refuses to run."""
        del broker
        if isinstance(message, ClaimedMessage):
            message.run.started = True
            set_current_job(message.run)

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Judge a run that returned."""
        del broker, result
        set_current_job(None)
        if exception is None and isinstance(message, ClaimedMessage):
            judge(message.run)

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        """A skipped message was not started."""
        del broker, message
        set_current_job(None)


def judge(run: Run) -> None:
    """Set how a run that returned has ended; a pass is complete if the distinct ids it saw are as many as GitHub declared."""
    open_steps = [name for name, step in run.steps.items() if not step.done]
    if open_steps and run.pages:
        run.kind = Kind.INTERRUPTED
        again = [name for name in open_steps if run.steps[name].walk > 1 and run.steps[name].page == 0]
        why = (
            "to be walked once more, for the ids did not add up to the declared total"
            if again
            else "to be gone on with"
        )
        run.interrupted_by = f"{', '.join(again or open_steps)}: {why}"
        return
    short = {name: step for name, step in run.steps.items() if step.total is not None and step.seen != step.total}
    if open_steps or short:
        run.kind = Kind.INCOMPLETE
        words = [f"{name}: GitHub declares {step.total}, seen {step.seen}" for name, step in short.items()]
        words += [f"{name} was not finished" for name in open_steps if name not in short]
        run.failure = Failure("Incomplete", f"The pass is not complete: {'; '.join(words)}.", None, "incomplete")
        return
    run.kind = Kind.COMPLETED
