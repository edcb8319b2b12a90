"""How large a page to ask for, and how often the same page is asked again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from capture.clock import Clock
from capture.errors import Transient
from capture.github.caller import Answer
from capture.github.replies import TooHeavy

Content = TypeVar("Content")

#: After so many clean pages in a row, each quicker than this, a page twice as large is tried.
CLEAN_PAGES = 3
QUICK_SECONDS = 3.0

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


class PageSize:
    """The size of the next page of one walk: halves when GitHub cannot deliver, grows slowly when it can."""

    def __init__(self, size: int, *, smallest: int = 1, largest: int = 50) -> None:
        self.size = size
        self._smallest = smallest
        self._largest = largest
        self._clean = 0

    @classmethod
    def fixed(cls, size: int) -> PageSize:
        """A size that never changes, for lists whose page numbers depend on it."""
        return cls(size, smallest=size, largest=size)

    def shrink(self) -> bool:
        """Halve; False when it is as small as it gets."""
        self._clean = 0
        if self.size <= self._smallest:
            return False
        self.size = max(self.size // 2, self._smallest)
        return True

    def delivered(self, seconds: float) -> None:
        """A page came whole after ``seconds``."""
        self._clean = self._clean + 1 if seconds < QUICK_SECONDS else 0
        if self._clean >= CLEAN_PAGES and self.size < self._largest:
            self.size = min(self.size * 2, self._largest)
            self._clean = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """Asks for one page until it comes whole or patience ends.

    A page too heavy is asked again halved, for nothing; otherwise ``tries`` are counted. No further try begins later
    than ``longest_seconds`` after the first, or where GitHub wishes a longer pause than is worth holding a thread for.
    """

    tries: int
    longest_seconds: float
    clock: Clock
    uniform: Callable[[float, float], float] = random.uniform

    def ask(self, size: PageSize, page: Callable[[int], Answer[Content]]) -> Content:
        """What ``page`` gives for a size; raises its last error."""
        started = self.clock.monotonic()
        tried = asked = 0
        while True:
            try:
                answer = page(size.size)
            except Transient as error:
                halved = isinstance(error, TooHeavy) and size.shrink()
                tried += not halved
                wait = self._wait(asked, error)
                late = self.clock.monotonic() - started + wait > self.longest_seconds
                if tried >= self.tries or late or wait > LONGEST_WAIT_SECONDS:
                    raise
                asked += 1
                self.clock.sleep(wait)
            else:
                size.delivered(answer.seconds)
                return answer.content

    def _wait(self, asked: int, error: Transient) -> float:
        if error.retry_after is not None:
            return error.retry_after
        return min(FIRST_WAIT_SECONDS * 2.0**asked * self.uniform(0.75, 1.25), LONGEST_WAIT_SECONDS)
