"""Comments: in the conversation of a pull request, and on the lines of its diff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from peewee import BigIntegerField, TextField

from capture.github import payloads
from models.contributor import Contributor, People, number_of
from models.review import Review
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
