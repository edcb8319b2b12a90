"""Waking the leader after a commit: coalesced, in the background, and never a sender's problem."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

import redis

from ledger.hints import Hints

#: Seconds that a wake may take; the leader looks by itself every second.
WAKE_SECONDS = 0.2


class Waker:
    """Pushes one wake for however many sends happened meanwhile; errors are swallowed, for the push may be lost."""

    def __init__(self, redis_url: Callable[[], str]) -> None:
        self._redis_url = redis_url
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._pid = 0

    def wake(self) -> None:
        """Return at once; the push follows from a daemon thread."""
        self._wanted.set()
        if self._pid != os.getpid():
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._push, name="capture-waker", daemon=True).start()

    def _push(self) -> None:
        hints: Hints | None = None
        while True:
            self._wanted.wait()
            self._wanted.clear()
            with contextlib.suppress(redis.RedisError, OSError, ValueError):
                hints = hints or Hints(self._redis_url(), timeout=WAKE_SECONDS)
                hints.wake()
