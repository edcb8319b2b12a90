"""Submitted reviews of pull requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from peewee import BigIntegerField, TextField

from capture.github import payloads
from models.contributor import Contributor, People, number_of
from models.upsert import Moment, Stored, upsert


class Review(Stored):
    """A review; its state may change under the same number, as when it is dismissed."""

    github_id = BigIntegerField()
    pull_request_id = BigIntegerField()
    author_id = BigIntegerField(null=True)
    state = TextField()
    body = TextField()
    submitted_at = Moment(null=True)
    commit_sha = TextField(null=True)

    class Meta:
        """Where it lives."""

        table_name = "reviews"

    @classmethod
    def upsert_many(cls, pull_request_id: int, reviews: Sequence[payloads.Review]) -> None:
        """Store reviews of one pull request with their authors."""
        people = Contributor.upsert_many(review.author for review in reviews)
        cls.store(((pull_request_id, review) for review in reviews), people)

    @classmethod
    def store(cls, reviews: Iterable[tuple[int, payloads.Review]], people: People) -> None:
        """Store reviews, each with our id of its pull request; ``people`` holds the authors' ids."""
        rows = [
            {
                "github_id": review.github_id,
                "pull_request_id": pull_request_id,
                "author_id": people[number_of(review.author)],
                "state": review.state,
                "body": review.body,
                "submitted_at": review.submitted_at,
                "commit_sha": review.commit_sha,
            }
            for pull_request_id, review in reviews
        ]
        upsert(cls, rows)
