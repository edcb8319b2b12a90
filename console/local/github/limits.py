"""What each identity may still ask: points and requests per window, and until when it was told to wait."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass, field

GRAPHQL, CORE = "graphql", "core"
ANONYMOUS = "anonymous"


@dataclass(slots=True)
class Limits:
    """The sizes; a short window makes a simulated hour."""

    points: int = 5000
    requests: int = 5000
    anonymous_requests: int = 60
    window_seconds: float = 3600
    skew_seconds: float = 0
    """How far GitHub's clock is ahead of this machine's."""
    concurrent: int = 100
    """Requests that one identity may have in flight; more are refused by the secondary limit."""


@dataclass(slots=True)
class Budget:
    """One resource of one identity within one window."""

    limit: int
    used: int
    reset_at: float

    @property
    def remaining(self) -> int:
        """What is left."""
        return max(self.limit - self.used, 0)


@dataclass(slots=True)
class Identity:
    """Whoever sends a token, known by its hash."""

    name: str
    budgets: dict[str, Budget] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    """Until when it was told to leave a resource alone."""
    in_flight: int = 0


class Accounts:
    """All identities."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.known: dict[str, Identity] = {}

    def now(self) -> float:
        """The time by GitHub's clock, in epoch seconds."""
        return time.time() + self.limits.skew_seconds

    def identity(self, token: str | None) -> Identity:
        """Who the token belongs to; the token itself is not kept."""
        name = hashlib.sha256(token.encode()).hexdigest()[:12] if token else ANONYMOUS
        return self.known.setdefault(name, Identity(name))

    def budget(self, identity: Identity, resource: str) -> Budget:
        """The current window, begun anew where the last one is over."""
        now = self.now()
        budget = identity.budgets.get(resource)
        if budget is None or now >= budget.reset_at:
            budget = Budget(self._limit(identity, resource), 0, now + self.limits.window_seconds)
            identity.budgets[resource] = budget
        return budget

    def charge(self, identity: Identity, resource: str, price: int) -> None:
        """Take a price; an identity that is told of nothing left is expected to wait for the reset."""
        budget = self.budget(identity, resource)
        budget.used += price
        if budget.remaining == 0:
            identity.waits[resource] = budget.reset_at

    def exhaust(self, identity: Identity, resource: str, seconds: float) -> None:
        """Leave nothing until ``seconds`` from now."""
        budget = self.budget(identity, resource)
        budget.used, budget.reset_at = budget.limit, self.now() + seconds
        identity.waits[resource] = budget.reset_at

    def is_waiting(self, identity: Identity, resource: str) -> bool:
        """Whether the identity was told to wait and should not have called."""
        return self.now() < identity.waits.get(resource, 0)

    def headers(self, identity: Identity, resource: str) -> dict[str, str]:
        """The five headers of every reply."""
        budget = self.budget(identity, resource)
        return {
            "x-ratelimit-limit": str(budget.limit),
            "x-ratelimit-remaining": str(budget.remaining),
            "x-ratelimit-used": str(min(budget.used, budget.limit)),
            "x-ratelimit-reset": str(math.ceil(budget.reset_at)),
            "x-ratelimit-resource": resource,
        }

    def _limit(self, identity: Identity, resource: str) -> int:
        if identity.name == ANONYMOUS:
            return self.limits.anonymous_requests if resource == CORE else 0
        return self.limits.points if resource == GRAPHQL else self.limits.requests
