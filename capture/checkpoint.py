"""The checkpoint step that an actor holds: how far it has come, and the only way to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from capture.errors import Interrupted, Refused

#: A pass whose ids do not add up to what GitHub declared is walked once more before it is given up as incomplete.
WALKS = 2


@dataclass(frozen=True, slots=True)
class Step:
    """The stored state of a step; absolute numbers, never increments."""

    cursor: str | None = None
    items: int = 0
    failed: int = 0
    total: int | None = None
    seen: int = 0
    """Distinct ids of this walk, known once it is finished."""
    page: int = 0
    """Pages committed in this walk."""
    walk: int = 1
    done: bool = False

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Step:
        """The step as stored; unknown keys of a newer version are left out."""
        return cls(**{key: value for key, value in data.items() if key in cls.__slots__})

    def to_json(self) -> dict[str, Any]:
        """What is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class PageCommit:
    """What one page adds to a step."""

    step_name: str
    step: Step
    """The step after the page."""
    walk: int
    page: int
    cursor: str | None
    items: int
    ids: tuple[str, ...]
    last_id: str | None


@dataclass(slots=True)
class Tally:
    """What is known of a page only while it is being stored."""

    failed: int = 0
    """Items that could not be stored."""
    cursor: str | None = None
    """Where the page ends."""


class Storage(Protocol):
    """Where steps live. Implemented by the engine over PostgreSQL."""

    def step(self, name: str) -> Step:
        """The step as last committed."""

    def page(self, name: str) -> AbstractContextManager[list[PageCommit]]:
        """A fenced transaction: the block's writes and the one :class:`PageCommit` put into the list commit together or not at all.

        Raises ``LeaseLost`` where the run no longer holds its job.
        """

    def distinct_ids(self, name: str, walk: int, ids: Iterable[str]) -> int:
        """How many distinct ids the walk has seen, ``ids`` of the page in hand included."""

    def stop_reason(self) -> str | None:
        """Why the run should stop at this commit, or None to go on."""


class Checkpoint:
    """One named step of a job. Iterate from :attr:`cursor`, and write only inside :meth:`commit`."""

    def __init__(self, name: str, storage: Storage) -> None:
        self.name = name
        self._storage = storage
        self._step = storage.step(name)

    @property
    def cursor(self) -> str | None:
        """Where the last committed page ended; None at the beginning."""
        return self._step.cursor

    @property
    def done(self) -> bool:
        """Whether the step is finished: a done step asks for no page."""
        return self._step.done

    @property
    def state(self) -> Step:
        """The step as last committed."""
        return self._step

    @contextmanager
    def commit(
        self,
        cursor: str | None,
        *,
        items: int,
        total: int | None = None,
        failed: int = 0,
        last: bool = False,
        ids: Iterable[object] = (),
    ) -> Iterator[Tally]:
        """Commit what the block writes together with the cursor and the counts.

        Afterwards the page is stored exactly once, or nothing of it is. Raises ``Interrupted`` after the commit when the run should stop
        there; the last page never interrupts. ``ids`` are what completeness is proved by, where GitHub declares a ``total``.
        """
        if items < 0 or failed < 0 or (total is not None and total < 0):
            raise Refused("A page commit takes counts of zero and more.")
        seen = tuple(str(one) for one in ids)
        with self._storage.page(self.name) as commits:
            tally = Tally(failed, cursor)
            yield tally
            after = self._after(tally.cursor, items, total, tally.failed, last, seen)
            now = self._step
            commits.append(
                PageCommit(
                    self.name, after, now.walk, now.page + 1, tally.cursor, items, seen, seen[-1] if seen else None
                )
            )
        self._step = after
        reason = self._storage.stop_reason()
        if reason and not last:
            raise Interrupted(reason)

    def _after(
        self, cursor: str | None, items: int, total: int | None, failed: int, last: bool, ids: tuple[str, ...]
    ) -> Step:
        now = self._step
        after = replace(
            now,
            cursor=cursor,
            items=now.items + items,
            failed=now.failed + failed,
            total=now.total if total is None else total,
            page=now.page + 1,
            done=last,
        )
        if not last or total is None:
            return after
        after = replace(after, seen=self._storage.distinct_ids(self.name, now.walk, ids))
        if after.seen == total or now.walk >= WALKS:
            return after
        return Step(walk=now.walk + 1)
