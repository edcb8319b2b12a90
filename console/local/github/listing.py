"""Keyset lists: what is sorted once and then cut into pages by a key, so that edits between two pages lose nothing."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = tuple[str, int]

MARK = "cursor:v2:"


class BadCursorError(ValueError):
    """The text is no cursor of ours."""


def write_cursor(key: Key) -> str:
    """An opaque cursor that holds the sort key and the id of one item."""
    return base64.b64encode((MARK + json.dumps(key, separators=(",", ":"))).encode()).decode()


def read_cursor(text: str) -> Key:
    """The key behind a cursor; raises BadCursorError."""
    try:
        plain = base64.b64decode(text, validate=True).decode()
        sort_key, number = json.loads(plain.removeprefix(MARK))
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadCursorError(text) from error
    if not (plain.startswith(MARK) and isinstance(sort_key, str) and isinstance(number, int)):
        raise BadCursorError(text)
    return sort_key, number


@dataclass(frozen=True, slots=True)
class Window(Generic[Item]):
    """One page of a list, in the order asked."""

    items: list[Item]
    keys: list[Key]
    has_next: bool
    has_previous: bool


class Listing(Generic[Item]):
    """Items in ascending order of a key that is unique among them."""

    __slots__ = ("items", "keys")

    def __init__(self, items: Iterable[Item], key: Callable[[Item], Key]) -> None:
        self.items = sorted(items, key=key)
        self.keys = [key(item) for item in self.items]

    def __len__(self) -> int:
        return len(self.items)

    def window(
        self,
        *,
        first: int | None = None,
        last: int | None = None,
        after: Key | None = None,
        before: Key | None = None,
        descending: bool = False,
    ) -> Window[Item]:
        """The first or last so many items between two keys; the keys themselves need not be there any more."""
        low, high = (before, after) if descending else (after, before)
        start = bisect_right(self.keys, low) if low is not None else 0
        stop = bisect_left(self.keys, high) if high is not None else len(self.keys)
        positions = range(stop - 1, start - 1, -1) if descending else range(start, stop)
        chosen = _ends_of(positions, first, last)
        ends = (len(self.keys) - 1, 0) if descending else (0, len(self.keys) - 1)
        return Window(
            items=[self.items[at] for at in chosen],
            keys=[self.keys[at] for at in chosen],
            has_next=bool(chosen) and chosen[-1] != ends[1],
            has_previous=chosen[0] != ends[0] if chosen else after is not None and bool(self.keys),
        )


class Row(Generic[Item]):
    """Items whose order is their own, such as commits: the cursor holds the place."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def window(
        self,
        *,
        first: int | None = None,
        last: int | None = None,
        after: Key | None = None,
        before: Key | None = None,
        descending: bool = False,
    ) -> Window[Item]:
        """The first or last so many items between two places."""
        order = range(len(self.items))[::-1] if descending else range(len(self.items))
        # A place past the end is one that a force-push took away: nothing follows it.
        start = (order.index(after[1]) + 1 if after[1] in order else len(order)) if after else 0
        stop = order.index(before[1]) if before and before[1] in order else len(order)
        chosen = _ends_of(order[start:stop], first, last)
        return Window(
            items=[self.items[at] for at in chosen],
            keys=[("", at) for at in chosen],
            has_next=bool(chosen) and chosen[-1] != order[-1],
            has_previous=bool(order) and (not chosen or chosen[0] != order[0]),
        )


def _ends_of(positions: range, first: int | None, last: int | None) -> range:
    return positions[:first] if first is not None else positions[max(len(positions) - (last or 0), 0) :]
