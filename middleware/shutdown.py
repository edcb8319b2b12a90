"""Shutdown: nothing claimed is left behind. What runs stops at its next commit; what is left at the end of the drain is put back."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import dramatiq
from dramatiq.middleware import Middleware, SkipMessage

from ledger.broker import LedgerBroker
from ledger.consumer import ClaimedMessage

if TYPE_CHECKING:
    from dramatiq.broker import Broker, MessageProxy

    from ledger.engine import Engine

log = logging.getLogger(__name__)


class Shutdown(Middleware):
    """Drains the process when Dramatiq begins to stop its worker."""

    def before_worker_shutdown(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Take nothing more, and bound the drain."""
        del worker
        assert isinstance(broker, LedgerBroker)
        if broker.engine is not None:
            broker.engine.hands.drain()
            seconds = broker.settings.drain_seconds
            broker.engine.committer.leave_within(seconds + 10)
            threading.Thread(
                target=_end_drain, args=(broker.engine, seconds), name="capture-drain", daemon=True
            ).start()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """A job that was claimed but not started goes back at once."""
        del broker
        if isinstance(message, ClaimedMessage) and message.run.hands.draining:
            raise SkipMessage("the worker shuts down")


def _end_drain(engine: Engine, seconds: float) -> None:
    if engine.hands.wait_until_empty(seconds):
        return
    back = engine.give_back("still running at the end of the drain")
    log.warning("The drain of %s s is over: %d running jobs were put back.", seconds, len(back))
