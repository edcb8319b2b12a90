"""The jobs in this process's hands: how many more it can take, and the run set that its lease vouches for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.run import Run


class Hands:
    """Counts what a worker process holds, from before the claim until the finish is known."""

    def __init__(self, worker_id: str, threads: int) -> None:
        self.worker_id = worker_id
        self.threads = threads
        self._held: dict[str, Run | None] = {}
        self._changed = threading.Condition()
        self._draining = threading.Event()

    @property
    def draining(self) -> bool:
        """Whether nothing more is taken and runs stop at their next commit."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Take nothing more."""
        self._draining.set()
        with self._changed:
            self._changed.notify_all()

    def wait_for_free(self, seconds: float) -> int:
        """How many threads are free; waits up to ``seconds`` for the first. 0 when draining."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                free = self.threads - len(self._held)
                left = deadline - time.monotonic()
                if self.draining or free > 0 or left <= 0:
                    return 0 if self.draining else max(free, 0)
                self._changed.wait(left)

    def reserve(self, job_ids: Iterable[str]) -> None:
        """Count jobs as held from before their claim, so that the lease vouches for them without a gap."""
        with self._changed:
            for job_id in job_ids:
                self._held.setdefault(job_id, None)

    def hold(self, run: Run) -> None:
        """The claim was won."""
        with self._changed:
            self._held[run.job_id] = run

    def release(self, job_id: str) -> None:
        """The finish is known, or there was nothing to hold."""
        with self._changed:
            self._held.pop(job_id, None)
            self._changed.notify_all()

    def ids(self) -> list[str]:
        """The run set."""
        with self._changed:
            return list(self._held)

    def wait_until_empty(self, seconds: float) -> bool:
        """Whether all was finished within ``seconds``."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._held:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True
