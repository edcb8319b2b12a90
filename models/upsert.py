"""How rows of the history are written: many at once, in the order of their keys, and only where something is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from peewee import BigAutoField, DateTimeField, Model

from models.database import database, execute

Values = dict[str, Any]
Columns = tuple[str, ...]

GITHUB_ID: Columns = ("github_id",)
KEY_TYPES = {"github_id": "bigint", "number": "integer", "sha": "text"}


class Moment(DateTimeField):
    """A point in time, with its zone."""

    field_type = "TIMESTAMPTZ"


class Stored(Model):
    """A table of the history: when a row came and when it last changed are the database's own times."""

    id = BigAutoField()
    stored_at = Moment()
    changed_at = Moment()

    class Meta:
        """Where it lives."""

        database = database


def upsert(
    model: type[Stored],
    rows: Sequence[Values],
    key: Columns = GITHUB_ID,
    *,
    keep: Columns = (),
    fixed: Columns = (),
) -> None:
    """Insert ``rows`` or bring the stored ones up to date, in one statement of the caller's transaction.

    A row that says nothing new is neither written nor locked. Where the table has ``updated_at``, an older row never undoes a newer
    one. Rows are taken in the order of ``key``, so that writers of the same rows wait for each other instead of locking each other
    out; of rows with the same key the newest counts, the last of equals. A null in a column of ``keep`` leaves what is stored. Columns
    of ``fixed`` are only inserted: to set a column of a unique index would lock out whoever inserts a row that refers to this one.
    """
    chosen = newest(rows, key)
    if chosen:
        columns = tuple(chosen[0])
        execute(_upsert_sql(model, columns, key, keep, fixed), [[row[column] for row in chosen] for column in columns])


def newest(rows: Iterable[Values], key: Columns) -> list[Values]:
    """One row per key: the one with the latest ``updated_at``, or the last where that does not tell."""
    found: dict[tuple[Any, ...], Values] = {}
    for row in rows:
        name = tuple(row[column] for column in key)
        known = found.get(name)
        if known is None or "updated_at" not in row or row["updated_at"] >= known["updated_at"]:
            found[name] = row
    return list(found.values())


def ids(table: str, column: str, values: Iterable[Any], repository_id: int | None = None) -> dict[Any, int]:
    """Our ids of the stored rows whose ``column`` is among ``values``, by that value; of one repository where its id is given."""
    wanted = sorted({value for value in values if value is not None})
    if not wanted:
        return {}
    scope, scoped = ("", []) if repository_id is None else (" AND stored.repository_id = %s", [repository_id])
    sql = f"""
        SELECT stored.{column}, stored.id FROM unnest(%s::{KEY_TYPES[column]}[]) AS wanted(value)
        JOIN {table} AS stored ON stored.{column} = wanted.value{scope}
    """
    return dict(execute(sql, [wanted, *scoped]))


@lru_cache(maxsize=64)
def _upsert_sql(model: type[Stored], columns: Columns, key: Columns, keep: Columns, fixed: Columns) -> str:
    data = [column for column in columns if column not in key + fixed]
    arrays = ", ".join(f"%s::{_sql_type(model, column)}[]" for column in columns)
    names = ", ".join(columns)
    same_key = " AND ".join(f"stored.{column} = incoming.{column}" for column in key)
    insert = f"""
        INSERT INTO {_table(model)} AS stored ({names})
        SELECT incoming.* FROM unnest({arrays}) AS incoming({names})
        LEFT JOIN {_table(model)} AS stored ON {same_key}
        WHERE stored.id IS NULL{f" OR {_news('incoming', data, keep)}" if data else ""}
        ORDER BY {", ".join(f"incoming.{column}" for column in key)}
        ON CONFLICT ({", ".join(key)}) DO """
    if not data:
        return f"{insert}NOTHING"
    changes = ", ".join(f"{column} = {_value('excluded', column, keep)}" for column in data)
    return f"{insert}UPDATE SET {changes}, changed_at = clock_timestamp() WHERE {_news('excluded', data, keep)}"


def _news(source: str, data: list[str], keep: Columns) -> str:
    """Whether ``source`` says something that the stored row does not, and is not older."""
    stored = ", ".join(f"stored.{column}" for column in data)
    values = ", ".join(_value(source, column, keep) for column in data)
    news = f"({stored}) IS DISTINCT FROM ({values})"
    return f"({news} AND {source}.updated_at >= stored.updated_at)" if "updated_at" in data else news


def _value(source: str, column: str, keep: Columns) -> str:
    return f"coalesce({source}.{column}, stored.{column})" if column in keep else f"{source}.{column}"


def _table(model: type[Stored]) -> str:
    return str(model._meta.table_name)


def _sql_type(model: type[Stored], column: str) -> str:
    return str(model._meta.columns[column].field_type)
