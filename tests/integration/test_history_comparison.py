"""The comparison of stored rows with a dataset: equal after a true capture, and no column whose corruption it does not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from console.comparison import TABLES, compare
from console.local.github import generate
from models.database import connect, disconnect
from tests.integration.history_payloads import store_dataset

OURS = {"id", "stored_at", "changed_at", "watermark"}
OTHER_VALUE = {
    "bigint": "{0} + 1000000000000",
    "integer": "{0} + 1000000",
    "text": "{0} || '.'",
    "boolean": "NOT {0}",
    "timestamp with time zone": "{0} + interval '1 second'",
}
REFERRED = {
    "repository_id": "repositories",
    "author_id": "contributors",
    "merged_by_id": "contributors",
    "pull_request_id": "pull_requests",
    "review_id": "reviews",
    "commit_id": "commits",
}


@pytest.fixture
def stored(database_url: str) -> Iterator[Any]:
    """A function that stores a dataset and gives a connection with an open transaction on it."""
    connections = []
    connect(database_url)

    def store(dataset: dict[str, Any]) -> Any:
        store_dataset(dataset)
        connections.append(psycopg2.connect(database_url))
        return connections[-1]

    yield store
    for connection in connections:
        connection.close()
    disconnect()


def columns(connection: Any) -> list[tuple[str, str, str]]:
    """(table, column, type) of everything that the history tables hold of GitHub's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_name = ANY(%s)",
            [[table.name for table in TABLES]],
        )
        return [row for row in cursor.fetchall() if row[1] not in OURS]


def corrupt(connection: Any, table: str, column: str, kind: str) -> None:
    """Change the column in one row, to a value that the constraints allow."""
    value, where = OTHER_VALUE[kind].format(column), f"{column} IS NOT NULL"
    if column == "state" and table == "pull_requests":
        value = "CASE state WHEN 'OPEN' THEN 'CLOSED' ELSE 'OPEN' END"
    elif column in REFERRED:
        # One that no row of the table refers to, so that no unique key is in the way.
        value = f"(SELECT max(o.id) FROM {REFERRED[column]} o WHERE o.id <> t.{column})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} t SET {column} = {value} WHERE id = (SELECT min(id) FROM {table} WHERE {where})"
        )
        assert cursor.rowcount == 1


def test_every_corrupted_column_is_seen_and_named(stored: Any) -> None:
    dataset = generate("octo/columns", 12, seed=3).data
    connection = stored(dataset)
    everything = columns(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO repositories (github_id, node_id, owner, name, pull_request_count, created_at)"
            " VALUES (5, 'R_5', 'some', 'other', 0, now())"
        )
    connection.commit()
    assert compare(connection, dataset).differences == []
    connection.rollback()

    unseen = []
    for table, column, kind in everything:
        corrupt(connection, table, column, kind)
        differences = compare(connection, dataset).differences
        connection.rollback()
        if not any(line.startswith(f"{table} ") and column in line for line in differences):
            unseen.append((table, column, differences[:3]))

    assert unseen == []
    assert len(everything) == 67
    assert {(table.name, column) for table in TABLES for column in table.columns} == {(t, c) for t, c, _ in everything}


def test_a_null_in_place_of_a_value_is_seen(stored: Any) -> None:
    dataset = generate("octo/nulls", 12, seed=3).data
    connection = stored(dataset)

    for table, column in (
        ("pull_requests", "author_id"),
        ("commits", "is_direct_commit"),
        ("review_comments", "review_id"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {column} = NULL WHERE id = (SELECT min(id) FROM {table} WHERE {column} IS NOT NULL)"
            )
        comparison = compare(connection, dataset)
        connection.rollback()

        assert comparison.total == 1
        assert f"{column}: expected " in comparison.differences[0]
        assert comparison.differences[0].endswith("stored None")


@pytest.mark.parametrize("table", ["reviews", "comments", "review_comments", "pull_request_commits"])
def test_a_missing_row_is_a_difference(stored: Any, table: str) -> None:
    dataset = generate("octo/rows", 12, seed=4).data
    connection = stored(dataset)
    unreferred = "NOT EXISTS (SELECT FROM review_comments c WHERE c.review_id = t.id)" if table == "reviews" else "true"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table} t WHERE {unreferred})")

    comparison = compare(connection, dataset)

    (line,) = comparison.differences
    assert line.startswith(f"{table} ")
    assert line.endswith(": the row is not stored")
    assert comparison.counts[table][0] == comparison.counts[table][1] + 1


def test_rows_that_the_dataset_does_not_have_are_differences(stored: Any) -> None:
    dataset = generate("octo/extra", 12, seed=5).data
    connection = stored(dataset)
    known = dataset["pulls"].pop(3)
    person = max((user["id"], login) for login, user in dataset["users"].items())[0] + 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contributors (github_id, node_id, login, type) VALUES (%s, 'x', 'x', 'User')", [person]
        )

    lines = compare(connection, dataset).differences

    assert f"pull_requests github_id={known['id']}: a row is stored that was not expected" in lines
    assert f"contributors github_id={person}: a row is stored that was not expected" in lines


def test_other_repositories_with_the_same_people_do_not_disturb(stored: Any) -> None:
    first, second = generate("octo/one", 30, seed=1).data, generate("octo/two", 15, seed=2).data
    stored(first)
    connection = stored(second)

    assert compare(connection, first).differences == []
    assert compare(connection, second).differences == []


def test_every_awkward_case_is_stored_exactly(stored: Any) -> None:
    dataset = generate("octo/awkward", 120, seed=6).data
    connection = stored(dataset)
    connection.commit()
    connection.autocommit = True

    assert compare(connection, dataset).differences == []


def test_an_empty_repository_is_equal_too(stored: Any) -> None:
    dataset = generate("octo/empty", empty=True).data

    comparison = compare(stored(dataset), dataset)

    assert (comparison.is_equal, comparison.counts["repositories"], comparison.counts["commits"]) == (
        True,
        (1, 1),
        (0, 0),
    )


def test_a_real_history_is_stored_exactly(stored: Any, reference_data: Path) -> None:
    dataset = json.loads((reference_data / "data" / "dramatiq.json").read_text("utf-8"))
    connection = stored(dataset)

    comparison = compare(connection, dataset)

    assert comparison.differences == []
    counted = {table: stored for table, (_, stored) in comparison.counts.items()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM commits WHERE is_direct_commit")
        counted["direct"] = cursor.fetchone()[0]
    del counted["contributors"]
    assert counted == {
        "repositories": 1,
        "pull_requests": 179,
        "reviews": 412,
        "review_comments": 419,
        "comments": 482,
        "commits": 604,
        "pull_request_commits": 581,
        "direct": 192,
    }
