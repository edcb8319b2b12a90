"""The record of requests, and the places where a request is held."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request; never its token."""

    n: int
    at: float
    kind: str
    """``graphql`` or ``rest``."""
    path: str
    identity: str
    operation: str = ""
    repository: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    """GraphQL's variables, or the query string."""
    cursor: str | None = None
    page: int | None = None
    """The number of the page asked: 1 without a cursor; for a cursor, one more than of the page that ended with it."""
    first: int | None = None
    cost: int = 0
    nodes: int = 0
    status: int | None = None
    """None while unanswered, and for ever where the connection was dropped."""
    fault: str | None = None
    blocked: bool = False
    """Whether the identity had been told to wait."""
    seconds: float | None = None
    concurrent: int = 1
    """Requests of the same identity in flight, this one included."""


@dataclass(slots=True)
class Rule:
    """Which requests are meant; what is None does not matter."""

    operation: str | None = None
    repository: str | None = None
    page: int | None = None
    cursor: str | None = None
    kind: str | None = None

    def fits(self, entry: Entry) -> bool:
        """Whether the request is meant."""
        return all(
            wanted is None or wanted == getattr(entry, name)
            for name, wanted in (
                ("operation", self.operation),
                ("page", self.page),
                ("cursor", self.cursor),
                ("kind", self.kind),
            )
        ) and (self.repository is None or self.repository.lower() == (entry.repository or "").lower())


class Journal:
    """All requests since the start or the last reset."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._pages: dict[tuple[str, str], int] = {}

    def number_page(self, scope: str, entry: Entry) -> None:
        """Fill in which page of which list the entry asks for."""
        entry.page = 1 if entry.cursor is None else self._pages.get((scope, entry.cursor))

    def page_ends(self, scope: str, entry: Entry, end_cursor: str | None) -> None:
        """Remember with which cursor the page ended, so that the next one gets its number."""
        if end_cursor is not None and entry.page is not None:
            self._pages[scope, end_cursor] = entry.page + 1

    def asked(self, rule: Rule) -> list[Entry]:
        """The entries that a rule means."""
        return [entry for entry in self.entries if rule.fits(entry)]

    def stats(self) -> dict[str, Any]:
        """Totals: requests, points, calls while blocked, by operation, most in flight at once."""
        return {
            "requests": len(self.entries),
            "graphql_requests": sum(entry.kind == "graphql" for entry in self.entries),
            "rest_requests": sum(entry.kind == "rest" for entry in self.entries),
            "points": sum(entry.cost for entry in self.entries if entry.kind == "graphql"),
            "calls_while_blocked": sum(entry.blocked for entry in self.entries),
            "faults": sum(entry.fault is not None for entry in self.entries),
            "by_operation": dict(Counter(entry.operation for entry in self.entries)),
            "by_status": dict(Counter(str(entry.status) for entry in self.entries)),
            "peak_concurrency": max((entry.concurrent for entry in self.entries), default=0),
        }

    def as_records(self) -> list[dict[str, Any]]:
        """The entries as plain dictionaries."""
        return [asdict(entry) for entry in self.entries]


class Holds:
    """Requests that wait until they are released."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._released = asyncio.Event()
        self.holding: list[Entry] = []

    def add(self, rule: Rule) -> None:
        """Hold the next request that the rule means."""
        self._rules.append(rule)

    def release(self) -> None:
        """Let every held request go on, and hold no other."""
        self._rules.clear()
        self._released.set()
        self._released = asyncio.Event()

    async def pass_by(self, entry: Entry) -> None:
        """Return at once, or when released."""
        rule = next((rule for rule in self._rules if rule.fits(entry)), None)
        if rule is None:
            return
        self._rules.remove(rule)
        self.holding.append(entry)
        try:
            await self._released.wait()
        finally:
            self.holding.remove(entry)
