"""What the comparison expects of a dataset, and how it words a difference; no database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from console.comparison import DIFFERENCES_SHOWN, Comparison, compare_rows
from console.expected_rows import ExpectedRows, Row
from console.stored_rows import TABLES

NOON = "2026-03-01T12:00:00Z"
TABLE = {table.name: table for table in TABLES}


def pull(number: int, state: str = "OPEN", **other: Any) -> dict[str, Any]:
    return {
        "n": number,
        "id": 100 + number,
        "title": "t",
        "body": None,
        "state": state,
        "draft": False,
        "author": None,
        "merged_by": None,
        "created_at": NOON,
        "updated_at": NOON,
        "closed_at": None,
        "merged_at": None,
        "base": "main",
        "head": "h",
        "head_sha": "s",
        "merge_sha": None,
        "stats": [1, 2, 3],
        "commits": [],
        "reviews": [],
        "review_comments": [],
        "comments": [],
        **other,
    }


def commit(account: str | None = None, at: str = NOON) -> dict[str, Any]:
    return {
        "a": ["A. Uthor", "m", at],
        "al": account,
        "c": ["C", "m", NOON],
        "cl": None,
        "m": "m",
        "p": [],
        "s": [1, 2, 3],
    }


def dataset(pulls: list[dict[str, Any]], history: tuple[str, ...] = (), **commits: dict[str, Any]) -> dict[str, Any]:
    shas = {sha for one in pulls for sha in one["commits"]}.union(history)
    return {
        "repo": {"owner": "octo", "name": "hello", "id": 1, "default_branch": "main", "created_at": NOON},
        "users": {
            "ann": {"id": 1, "name": "Ann", "type": "User"},
            "build[bot]": {"id": 2, "name": "Build", "type": "Bot"},
            "bob": {"id": 3, "name": "Bob", "type": "User"},
        },
        "commits": {sha: commit() for sha in shas} | commits,
        "history": list(history),
        "pulls": pulls,
    }


def rows(data: dict[str, Any], table: str, *columns: str, known_elsewhere: frozenset[int] = frozenset()) -> list[Any]:
    """The expected rows of a table, cut to some columns."""
    places = [TABLE[table].columns.index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in ExpectedRows(data).of(table, set(known_elsewhere))]


def test_direct_commits_and_owners_follow_the_definition() -> None:
    data = dataset(
        [
            pull(1, commits=["shared", "unmerged"]),
            pull(2, "CLOSED", commits=["unmerged"], merge_sha="test-merge"),
            pull(4, "MERGED", commits=["shared"], merge_sha="merge"),
            pull(3, "MERGED", commits=["shared"]),
        ],
        ("merge", "direct", "test-merge"),
    )

    assert rows(data, "commits", "sha", "is_direct_commit", "pull_request_id") == [
        ("direct", True, None),
        ("merge", False, 104),
        ("shared", False, 103),
        ("test-merge", False, None),
        ("unmerged", False, 101),
    ]


def test_a_commit_listed_twice_by_one_pull_request_is_one_listing() -> None:
    assert rows(dataset([pull(1, commits=["b", "a", "b"])]), "pull_request_commits", "commit_id") == [("a",), ("b",)]


def test_pending_reviews_are_not_stored_and_their_comments_have_no_review() -> None:
    reviews = [
        {"id": 7, "state": "PENDING", "author": "ann", "body": "", "at": None, "commit": None},
        {"id": 8, "state": "APPROVED", "author": "ann", "body": None, "at": NOON, "commit": "x"},
    ]
    lines = [
        {"id": 20 + of, "review": of, "author": None, "body": "b", "path": "p", "created": NOON, "updated": NOON}
        for of in (7, 8)
    ]
    data = dataset([pull(1, reviews=reviews, review_comments=lines)])

    assert rows(data, "reviews", "github_id", "body", "submitted_at") == [(8, "", datetime(2026, 3, 1, 12, tzinfo=UTC))]
    assert rows(data, "review_comments", "github_id", "review_id") == [(27, None), (28, 8)]


def test_contributors_are_those_who_are_mentioned_bots_without_suffix_or_name() -> None:
    line = {"id": 20, "review": None, "author": "bob", "body": "b", "path": "p", "created": NOON, "updated": NOON}
    data = dataset([pull(1, author="build[bot]", review_comments=[line])], ("c",), c=commit("ann"))

    columns = ("github_id", "login", "type", "name")
    assert rows(data, "contributors", *columns) == [
        (1, "ann", "User", "Ann"),
        (2, "build", "Bot", None),
        (3, "bob", "User", None),
    ]
    assert rows(data, "contributors", *columns, known_elsewhere=frozenset({3}))[2] == (3, "bob", "User", "whatever")


def test_text_and_times_are_normalised() -> None:
    data = dataset([pull(1, title="a\0b\ud83d", body="👍")], ("c",), c=commit(at="2026-03-01T01:00:00+14:00"))

    assert rows(data, "pull_requests", "title", "body", "author_id") == [("a\ufffdb\ufffd", "👍", None)]
    assert rows(data, "commits", "authored_at") == [(datetime(2026, 2, 28, 11, tzinfo=UTC),)]


@pytest.mark.parametrize(("history", "branch"), [((), None), (("c",), "main")])
def test_an_empty_repository_has_no_default_branch(history: tuple[str, ...], branch: str | None) -> None:
    assert rows(dataset([], history), "repositories", "default_branch") == [(branch,)]


def compared(expected: list[Row], stored: list[Row]) -> Comparison:
    comparison = Comparison()
    walk: Iterator[Row] = iter(stored)
    assert compare_rows(TABLE["comments"], expected, walk, comparison) == len(stored)
    return comparison


def row(github_id: int, body: str) -> Row:
    return (github_id, 101, None, body, NOON, NOON)


def test_a_difference_names_table_row_column_and_both_values() -> None:
    assert compared([row(5, "a")], [row(5, "b")]).differences == [
        "comments github_id=5 body: expected 'a' (1 characters), stored 'b' (1 characters)"
    ]


def test_long_texts_are_shown_from_where_they_part() -> None:
    long = "x" * 5000

    (line,) = compared([row(5, f"{long}a")], [row(5, f"{long}b")]).differences

    assert (
        line
        == "comments github_id=5 body: expected …'xxxxxxxxxxa' (5001 characters), stored …'xxxxxxxxxxb' (5001 characters)"
    )


def test_missing_and_extra_rows_are_told_apart_wherever_they_lie() -> None:
    stored = [row(1, ""), row(3, ""), row(5, "")]
    expected = [row(2, ""), row(3, ""), row(4, "")]

    assert compared(expected, stored).differences == [
        "comments github_id=1: a row is stored that was not expected",
        "comments github_id=2: the row is not stored",
        "comments github_id=4: the row is not stored",
        "comments github_id=5: a row is stored that was not expected",
    ]


def test_all_differences_are_counted_and_the_first_are_kept() -> None:
    comparison = compared([row(number, "") for number in range(1000)], [])

    assert (comparison.total, len(comparison.differences), comparison.is_equal) == (1000, DIFFERENCES_SHOWN, False)
