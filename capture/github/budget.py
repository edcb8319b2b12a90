"""What GitHub still allows an identity: the seam that a store shared by all processes implements."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import Literal, Protocol

from capture.clock import SYSTEM_CLOCK, Clock

Resource = Literal["graphql", "core"]
"""GitHub's names of its two separate budgets: GraphQL's points and REST's requests."""


def identity_of(token: str) -> str:
    """The name by which a token may be spoken of: stable, short, and of no use to anybody."""
    return "token-" + hashlib.sha256(token.encode()).hexdigest()[:8]


class Budget(Protocol):
    """One record per identity and resource, from GitHub's own headers and never from a count of ours."""

    def reserve(self, identity: str, points: int, *, resource: Resource) -> None:
        """Called before each request; raises ``RateLimited`` where the identity cannot afford ``points`` now."""

    def settle(self, identity: str, limit: int, remaining: int, reset_seconds: float, *, resource: Resource) -> None:
        """Called after each reply that tells: ``remaining`` of ``limit`` until ``reset_seconds`` from now."""

    def blocked(self, identity: str, *, resource: Resource) -> float | None:
        """Seconds for which the identity is not to ask, or None when it may."""

    def block(self, identity: str, seconds: float, reason: str, *, resource: Resource | None = None) -> None:
        """Let the identity rest; from both resources (a secondary limit) where none is named. Never shortens a rest."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The last word of GitHub on one budget."""

    limit: int
    remaining: int
    reset_seconds: float


class LocalBudget:
    """The budget of one process: it records and keeps rests, and holds nothing back. Safe between threads."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reserved: dict[tuple[str, Resource], int] = {}
        self._standings: dict[tuple[str, Resource], Standing] = {}
        self._rests: dict[tuple[str, Resource], tuple[float, str]] = {}

    def reserve(self, identity: str, points: int, *, resource: Resource) -> None:
        """Count the points; never refuses."""
        with self._lock:
            self._reserved[identity, resource] = self._reserved.get((identity, resource), 0) + points

    def settle(self, identity: str, limit: int, remaining: int, reset_seconds: float, *, resource: Resource) -> None:
        """Remember the standing."""
        with self._lock:
            self._standings[identity, resource] = Standing(limit, remaining, reset_seconds)

    def blocked(self, identity: str, *, resource: Resource) -> float | None:
        """Seconds of rest that are left, or None."""
        with self._lock:
            until, _ = self._rests.get((identity, resource), (0.0, ""))
        left = until - self._clock.monotonic()
        return left if left > 0 else None

    def block(self, identity: str, seconds: float, reason: str, *, resource: Resource | None = None) -> None:
        """Rest for ``seconds`` from now."""
        until = self._clock.monotonic() + seconds
        resources: tuple[Resource, ...] = ("graphql", "core") if resource is None else (resource,)
        with self._lock:
            for each in resources:
                if until > self._rests.get((identity, each), (0.0, ""))[0]:
                    self._rests[identity, each] = (until, reason)

    def standing(self, identity: str, *, resource: Resource) -> Standing | None:
        """What GitHub last said, or None before the first reply."""
        with self._lock:
            return self._standings.get((identity, resource))

    def reserved(self, identity: str, *, resource: Resource) -> int:
        """Points reserved so far: an estimate, made before asking."""
        with self._lock:
            return self._reserved.get((identity, resource), 0)
