"""How the stored rows of one repository are read for the comparison: plain SQL, with references as GitHub's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from console.expected_rows import Row

ROWS_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """A history table: its columns, how many of the first make the key, and where they come from."""

    name: str
    key_length: int
    column_names: str
    source: str
    """FROM, WHERE and ORDER BY; gives the columns their values, references as GitHub's numbers."""
    values: dict[str, str] = field(default_factory=dict)
    """Column -> what to select for it, where that is not the table's own column ``t.<column>``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, those of the key first."""
        return tuple(self.column_names.split())

    @property
    def sql(self) -> str:
        """Every row of the repository ``%(repository)s`` in the order of the key."""
        return f"SELECT {', '.join(self.values.get(column, f't.{column}') for column in self.columns)} {self.source}"

    def key_of(self, row: Row) -> Row:
        """What tells the row from others."""
        return row[: self.key_length]

    def named(self, row: Row) -> str:
        """The row, for people."""
        pairs = zip(self.columns, self.key_of(row), strict=False)
        return f"{self.name} {' '.join(f'{column}={value}' for column, value in pairs)}"


AUTHOR = "LEFT JOIN contributors a ON a.id = t.author_id"
IN_REPOSITORY = "JOIN repositories r ON r.id = p.repository_id"
OF_PULL_REQUEST = f"JOIN pull_requests p ON p.id = t.pull_request_id {IN_REPOSITORY} {AUTHOR}"
BY_NUMBER = "WHERE r.github_id = %(repository)s ORDER BY t.github_id"
REFERENCES = {"author_id": "a.github_id", "pull_request_id": "p.github_id", "repository_id": "r.github_id"}

TABLES = (
    Table(
        "repositories",
        1,
        "github_id node_id owner name default_branch pull_request_count created_at",
        "FROM repositories t WHERE t.github_id = %(repository)s OR (lower(t.owner) = lower(%(owner)s) AND lower(t.name) = lower(%(name)s))"
        " ORDER BY t.github_id",
    ),
    Table("contributors", 1, "github_id node_id login type name", "FROM contributors t ORDER BY t.github_id"),
    Table(
        "pull_requests",
        1,
        "github_id node_id repository_id number title body state draft author_id merged_by_id base_ref head_ref head_sha merge_commit_sha"
        " additions deletions changed_files created_at updated_at closed_at merged_at",
        f"FROM pull_requests t JOIN repositories r ON r.id = t.repository_id {AUTHOR} LEFT JOIN contributors m ON m.id = t.merged_by_id"
        " WHERE r.github_id = %(repository)s OR t.github_id = ANY(%(pulls)s::bigint[]) ORDER BY t.github_id",
        {**REFERENCES, "merged_by_id": "m.github_id"},
    ),
    Table(
        "reviews",
        1,
        "github_id pull_request_id author_id state body submitted_at commit_sha",
        f"FROM reviews t {OF_PULL_REQUEST} {BY_NUMBER}",
        REFERENCES,
    ),
    Table(
        "review_comments",
        1,
        "github_id pull_request_id review_id author_id path body created_at updated_at",
        f"FROM review_comments t {OF_PULL_REQUEST} LEFT JOIN reviews v ON v.id = t.review_id {BY_NUMBER}",
        {**REFERENCES, "review_id": "v.github_id"},
    ),
    Table(
        "comments",
        1,
        "github_id pull_request_id author_id body created_at updated_at",
        f"FROM comments t {OF_PULL_REQUEST} {BY_NUMBER}",
        REFERENCES,
    ),
    Table(
        "commits",
        2,
        "repository_id sha message author_id author_name authored_at committed_at additions deletions is_direct_commit pull_request_id",
        f"FROM commits t JOIN repositories r ON r.id = t.repository_id {AUTHOR} LEFT JOIN pull_requests p ON p.id = t.pull_request_id"
        ' WHERE r.github_id = %(repository)s ORDER BY t.sha COLLATE "C"',
        REFERENCES,
    ),
    Table(
        "pull_request_commits",
        2,
        "pull_request_id commit_id",
        f"FROM pull_request_commits t JOIN pull_requests p ON p.id = t.pull_request_id {IN_REPOSITORY} JOIN commits c ON c.id = t.commit_id"
        ' WHERE r.github_id = %(repository)s ORDER BY p.github_id, c.sha COLLATE "C"',
        {**REFERENCES, "commit_id": "c.sha"},
    ),
)

KNOWN_ELSEWHERE = """
WITH pulls AS (
    SELECT p.* FROM pull_requests p JOIN repositories r ON r.id = p.repository_id WHERE r.github_id <> %(repository)s
), mentioned AS (
    SELECT author_id FROM pulls UNION SELECT merged_by_id FROM pulls
    UNION SELECT t.author_id FROM reviews t JOIN pulls p ON p.id = t.pull_request_id
    UNION SELECT t.author_id FROM review_comments t JOIN pulls p ON p.id = t.pull_request_id
    UNION SELECT t.author_id FROM comments t JOIN pulls p ON p.id = t.pull_request_id
    UNION SELECT t.author_id FROM commits t JOIN repositories r ON r.id = t.repository_id WHERE r.github_id <> %(repository)s
)
SELECT c.github_id FROM contributors c JOIN mentioned m ON m.author_id = c.id
"""


def stored_rows(cursor: Any, sql: str, params: dict[str, Any]) -> Iterator[Row]:
    """The rows of a statement, a thousand at a time, inside a transaction or without one."""
    cursor.execute(f"DECLARE comparison NO SCROLL CURSOR WITH HOLD FOR {sql}", params)
    try:
        while True:
            cursor.execute(f"FETCH {ROWS_AT_A_TIME} FROM comparison")
            rows = cursor.fetchall()
            yield from rows
            if len(rows) < ROWS_AT_A_TIME:
                return
    finally:
        cursor.execute("CLOSE comparison")
