"""Whose token a call uses: turn by turn, never while resting, and one GraphQL query in flight per identity."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from capture.errors import RateLimited, Refused, SystemFault
from capture.github.budget import Budget, Resource, identity_of

#: When every identity stays busy, a caller is put off for this long instead of holding its thread.
BUSY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A token and the name to speak of it."""

    name: str
    token: str | None = field(repr=False)


ANONYMOUS = Identity("anonymous", None)


class Identities:
    """Hands out identities; safe between threads of one process."""

    def __init__(self, tokens: Sequence[str], budget: Budget, *, patience: float) -> None:
        self._all = [Identity(identity_of(token), token) for token in dict.fromkeys(map(_checked, tokens))]
        self._budget = budget
        self._patience = patience
        self._turn = 0
        self._busy: set[str] = set()
        self._change = threading.Condition()

    @contextmanager
    def hold(self, resource: Resource, points: int) -> Iterator[Identity]:
        """An identity for one call, its price reserved; for GraphQL nobody else in this process has it meanwhile.

        Raises ``RateLimited`` when all rest or stay busy too long; ``SystemFault`` when GraphQL has no token:
        jobs wait until the configuration is put right.
        """
        exclusive = resource == "graphql"
        if exclusive and not self._all:
            raise SystemFault("GITHUB_TOKEN is not set, and GitHub answers GraphQL only with a token.")
        identity = self._take(resource, exclusive)
        try:
            self._budget.reserve(identity.name, points, resource=resource)
            yield identity
        finally:
            if exclusive:
                self._give_back(identity)

    def _take(self, resource: Resource, exclusive: bool) -> Identity:
        with self._change:
            taken = self._change.wait_for(lambda: self._next(resource, exclusive), self._patience)
            if taken is None:
                raise RateLimited(
                    "Every identity has a query in flight.", seconds=BUSY_SECONDS, identity=self._all[0].name
                )
            if exclusive:
                self._busy.add(taken.name)
            return taken

    def _next(self, resource: Resource, exclusive: bool) -> Identity | None:
        """The next in turn that may ask; None when those are busy. Asked anew after a wait: a rest may have begun."""
        everybody = self._all or [ANONYMOUS]
        self._turn += 1
        order = [everybody[(self._turn + place) % len(everybody)] for place in range(len(everybody))]
        rests = [(self._budget.blocked(each.name, resource=resource), each) for each in order]
        awake = [each for seconds, each in rests if seconds is None]
        if not awake:
            seconds, soonest = min(((seconds or 0.0, each) for seconds, each in rests), key=lambda rest: rest[0])
            raise RateLimited(
                f"GitHub's budget is spent: {soonest.name} rests for {seconds:.0f} s more.",
                seconds=seconds,
                identity=soonest.name,
            )
        return next((each for each in awake if not exclusive or each.name not in self._busy), None)

    def _give_back(self, identity: Identity) -> None:
        with self._change:
            self._busy.discard(identity.name)
            self._change.notify_all()


def _checked(token: str) -> str:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Refused("A GitHub token has printable characters only and no spaces.")
    return token
