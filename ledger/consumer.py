"""What Dramatiq's worker iterates over: claimed messages; their acknowledgement is the end of the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import dramatiq
from dramatiq.broker import MessageProxy

from capture.errors import Deferred, Interrupted, LeaseLost
from ledger.engine import Engine
from ledger.run import Run

if TYPE_CHECKING:
    from typing import Self


EXPECTED = (Deferred, Interrupted, LeaseLost)


class ClaimedMessage(MessageProxy):
    """A message made from the job's row, with the run that holds it."""

    def __init__(self, run: Run, queue_name: str) -> None:
        claimed = run.claimed
        super().__init__(
            # `throws`: Dramatiq logs these ends as expected, without a trace.
            dramatiq.Message(
                queue_name, claimed.actor, claimed.args, claimed.kwargs, {"throws": EXPECTED}, message_id=claimed.id
            )
        )
        self.run = run


class LedgerConsumer(dramatiq.Consumer):
    """Yields what was claimed for one queue. A promise never rests on a hook: the run's end is recorded here."""

    def __init__(self, engine: Engine, queue_name: str, timeout: int) -> None:
        self._engine = engine
        self._queue_name = queue_name
        self._seconds = timeout / 1000
        engine.serve(queue_name)

    def __iter__(self) -> Self:
        """This consumer."""
        return self

    def __next__(self) -> MessageProxy | None:
        """The next claimed message, or None after the worker's time-out."""
        run = self._engine.next_run(self._queue_name, self._seconds)
        return ClaimedMessage(run, self._queue_name) if run is not None else None

    def ack(self, message: MessageProxy) -> None:
        """End the run as decided; returns when the answer is known."""
        if isinstance(message, ClaimedMessage):
            self._engine.end(message.run)

    def nack(self, message: MessageProxy) -> None:
        """End the run as decided: the ledger, not the queue, keeps what failed."""
        self.ack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back what was claimed and not started."""
        for message in messages:
            self.ack(message)
