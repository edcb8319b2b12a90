"""The rest of lists that were longer than their first page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peewee import BigIntegerField, BooleanField, IntegerField, TextField

from capture.github import payloads
from models.comment import Comment
from models.commit import Commit
from models.contributor import Contributor
from models.database import execute
from models.repository import Repository
from models.review import Review
from models.upsert import Stored, ids, upsert

ADVANCE = """
UPDATE progressive_capture_list_tails SET cursor = %s, seen = %s, done = %s, changed_at = clock_timestamp()
WHERE id = %s AND cursor = %s AND NOT done RETURNING id
"""


class ListTail(Stored):
    """Where to go on asking for the reviews, commits or comments of one pull request; remembered with the page that found it."""

    repository_id = BigIntegerField()
    pull_request_id = BigIntegerField()
    list_name = TextField()
    node_id = TextField()
    cursor = TextField()
    total = IntegerField()
    seen = IntegerField()
    done = BooleanField()

    class Meta:
        """Where it lives."""

        table_name = "progressive_capture_list_tails"

    @classmethod
    def remember(cls, repository: Repository, tails: Sequence[payloads.Tail]) -> None:
        """Store tails of pull requests that are stored. One that is known, even if done, begins again after the first page."""
        pulls = ids("pull_requests", "github_id", (tail.pull_request_github_id for tail in tails))
        rows = [
            {
                "repository_id": repository.id,
                "pull_request_id": pulls[tail.pull_request_github_id],
                "list_name": tail.list_name,
                "node_id": tail.pull_request_node_id,
                "cursor": tail.cursor,
                "total": tail.total,
                "seen": 0,
                "done": False,
            }
            for tail in tails
        ]
        upsert(cls, rows, ("pull_request_id", "list_name"))

    @classmethod
    def next_of(cls, repository: Repository) -> ListTail | None:
        """The tail of the repository to work on: the first that is not done. None where all are."""
        unfinished = cls.select().where((cls.repository_id == repository.id) & ~cls.done)
        found: ListTail | None = unfinished.order_by(cls.id).first()
        return found

    def as_payload(self) -> payloads.Tail:
        """The tail as the client asks for it."""
        (found,) = execute("SELECT github_id FROM pull_requests WHERE id = %s", [self.pull_request_id])
        return payloads.Tail(found[0], self.node_id, self.list_name, self.cursor, self.total)

    def store(self, page: payloads.Page[Any]) -> bool:
        """Store the page that follows :attr:`cursor` and move on, to the end if it is the last.

        False where the tail was set back meanwhile: the rows are stored, and :meth:`next_of` gives it anew.
        """
        if self.list_name == "reviews":
            Review.upsert_many(self.pull_request_id, page.items)
        elif self.list_name == "comments":
            Comment.upsert_many(self.pull_request_id, page.items)
        else:
            people = Contributor.upsert_many(commit.author for commit in page.items)
            Commit.store_listed(self.repository_id, [(self.pull_request_id, commit) for commit in page.items], people)
        return self._advance(page)

    def _advance(self, page: payloads.Page[Any]) -> bool:
        cursor, seen = page.cursor or self.cursor, self.seen + len(page)
        if not execute(ADVANCE, [cursor, seen, page.last, self.id, self.cursor]):
            return False
        self.cursor, self.seen, self.done = cursor, seen, page.last
        return True
