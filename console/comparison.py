"""Is what is stored exactly what the dataset says? Every column of every history table, by a reading of its own.

Neither our client's parsing nor our models take part, so that a fault of theirs shows. Left out are our own ids, ``stored_at`` and
``changed_at``, and the watermark, which is ours too. Both sides are read in the order of their keys, a thousand rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from console.expected_rows import ExpectedRows, Row
from console.stored_rows import KNOWN_ELSEWHERE, TABLES, Table, stored_rows

DIFFERENCES_SHOWN = 200
TEXT_SHOWN = 60


@dataclass(slots=True)
class Comparison:
    """What came out: nothing in :attr:`differences` means that all is equal."""

    differences: list[str] = field(default_factory=list)
    """One sentence each, the first of them; :attr:`total` counts them all."""
    total: int = 0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Table -> rows expected and rows stored."""

    @property
    def is_equal(self) -> bool:
        """Whether every row and column is as expected."""
        return self.total == 0

    def add(self, difference: str) -> None:
        """Count a difference, and keep its sentence while there are few."""
        self.total += 1
        if len(self.differences) < DIFFERENCES_SHOWN:
            self.differences.append(difference)


def compare(connection: Any, dataset: dict[str, Any]) -> Comparison:
    """Compare what is stored of the dataset's repository with the dataset; ``connection`` is a DB-API connection to PostgreSQL.

    Other repositories may be stored too: what is theirs is no difference.
    """
    expected, repo, result = ExpectedRows(dataset), dataset["repo"], Comparison()
    params = {
        "repository": repo["id"],
        "owner": repo["owner"],
        "name": repo["name"],
        "pulls": expected.pull_request_numbers,
    }
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_ELSEWHERE, params)
        known_elsewhere = {int(number) for (number,) in cursor.fetchall()}
        for table in TABLES:
            rows = list(expected.of(table.name, known_elsewhere))
            stored = stored_rows(cursor, table.sql, params)
            if table.name == "contributors":
                ours = {row[0] for row in rows}
                stored = (row for row in stored if row[0] in ours or row[0] not in known_elsewhere)
            result.counts[table.name] = len(rows), compare_rows(table, rows, stored, result)
    return result


def compare_rows(table: Table, expected: Iterable[Row], stored: Iterator[Row], result: Comparison) -> int:
    """Walk both sides together by key; returns how many rows are stored."""
    count, row = 0, next(stored, None)
    for wanted in expected:
        while row is not None and table.key_of(row) < table.key_of(wanted):
            result.add(f"{table.named(row)}: a row is stored that was not expected")
            count, row = count + 1, next(stored, None)
        if row is None or table.key_of(row) != table.key_of(wanted):
            result.add(f"{table.named(wanted)}: the row is not stored")
            continue
        _compare_columns(table, wanted, row, result)
        count, row = count + 1, next(stored, None)
    while row is not None:
        result.add(f"{table.named(row)}: a row is stored that was not expected")
        count, row = count + 1, next(stored, None)
    return count


def _compare_columns(table: Table, expected: Row, stored: Row, result: Comparison) -> None:
    for column, wanted, found in zip(table.columns, expected, stored, strict=True):
        if wanted != found:
            wanted_text, found_text = _shown(wanted, found)
            result.add(f"{table.named(expected)} {column}: expected {wanted_text}, stored {found_text}")


def _shown(expected: Any, stored: Any) -> tuple[str, str]:
    """Both values, short; long texts from shortly before where they part."""
    if isinstance(expected, str) and isinstance(stored, str):
        same = next((at for at, pair in enumerate(zip(expected, stored, strict=False)) if pair[0] != pair[1]), 0)
        start = max(same - 10, 0) if max(len(expected), len(stored)) > TEXT_SHOWN else 0
        return _excerpt(expected, start), _excerpt(stored, start)
    return _excerpt(expected, 0), _excerpt(stored, 0)


def _excerpt(value: Any, start: int) -> str:
    if not isinstance(value, str):
        return str(value)
    end = start + TEXT_SHOWN
    return f"{'…' if start else ''}{value[start:end]!r}{'…' if end < len(value) else ''} ({len(value)} characters)"
