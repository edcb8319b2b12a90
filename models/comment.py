"""Comments: in the conversation of a pull request, and on the lines of its diff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from peewee import BigIntegerField, TextField

from capture.github import payloads
from models.contributor import Contributor, People, number_of
from models.repository import Repository
from models.upsert import Moment, Stored, ids, upsert


class Comment(Stored):
    """A comment in the conversation."""

    github_id = BigIntegerField()
    pull_request_id = BigIntegerField()
    author_id = BigIntegerField(null=True)
    body = TextField()
    created_at = Moment()
    updated_at = Moment()

    class Meta:
        """Where it lives."""

        table_name = "comments"

    @classmethod
    def upsert_many(cls, pull_request_id: int, comments: Sequence[payloads.Comment]) -> None:
        """Store comments of one pull request with their authors."""
        people = Contributor.upsert_many(comment.author for comment in comments)
        cls.store(((pull_request_id, comment) for comment in comments), people)

    @classmethod
    def store(cls, comments: Iterable[tuple[int, payloads.Comment]], people: People) -> None:
        """Store comments, each with our id of its pull request; ``people`` holds the authors' ids."""
        rows = [
            {
                "github_id": comment.github_id,
                "pull_request_id": pull_request_id,
                "author_id": people[number_of(comment.author)],
                "body": comment.body,
                "created_at": comment.created_at,
                "updated_at": comment.updated_at,
            }
            for pull_request_id, comment in comments
        ]
        upsert(cls, rows)


class ReviewComment(Stored):
    """A comment on a line of the diff, of a review or of none."""

    github_id = BigIntegerField()
    pull_request_id = BigIntegerField()
    review_id = BigIntegerField(null=True)
    author_id = BigIntegerField(null=True)
    path = TextField()
    body = TextField()
    created_at = Moment()
    updated_at = Moment()

    class Meta:
        """Where it lives."""

        table_name = "review_comments"

    @classmethod
    def upsert_many(cls, repository: Repository, comments: Sequence[payloads.ReviewComment]) -> int:
        """Store comments of any pull requests; returns how many were skipped, for want of their pull request.

        A review that is not stored is NULL, until the comment is stored again after its review.
        """
        pulls = ids("pull_requests", "number", (comment.pull_request_number for comment in comments), repository.id)
        placed = [comment for comment in comments if comment.pull_request_number in pulls]
        people = Contributor.upsert_many(comment.author for comment in placed)
        reviews = ids("reviews", "github_id", (comment.review_github_id for comment in placed))
        rows = [
            {
                "github_id": comment.github_id,
                "pull_request_id": pulls[comment.pull_request_number],
                "review_id": reviews.get(comment.review_github_id),
                "author_id": people[number_of(comment.author)],
                "path": comment.path,
                "body": comment.body,
                "created_at": comment.created_at,
                "updated_at": comment.updated_at,
            }
            for comment in placed
        ]
        upsert(cls, rows)
        return len(comments) - len(placed)
