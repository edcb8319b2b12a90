"""Leadership: as long as one worker lives, somebody promotes, dispatches, rescues and releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq
from dramatiq.middleware import Middleware

from ledger.broker import LedgerBroker
from ledger.leader import Leader

from .retries import policy_of

if TYPE_CHECKING:
    from dramatiq.broker import Broker


class Leadership(Middleware):
    """Lets this process lead, or stand by."""

    def __init__(self) -> None:
        self._leader: Leader | None = None

    def after_worker_boot(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Begin."""
        del worker
        assert isinstance(broker, LedgerBroker)
        settings = broker.settings
        assert settings.database_url is not None and settings.redis_url is not None
        self._leader = Leader(
            settings.database_url,
            settings.redis_url,
            policy=policy_of(settings),
            seconds_per_point=settings.seconds_per_point,
            lease_seconds=settings.leader_lease_seconds,
        )
        self._leader.start()

    def after_worker_shutdown(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Step down, so that another leads at once."""
        del broker, worker
        if self._leader is not None:
            self._leader.stop()
