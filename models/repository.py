"""Repositories, and the page size that each of them bears."""

from __future__ import annotations

from peewee import BigIntegerField, IntegerField, TextField

from capture.errors import Permanent
from capture.github import payloads
from models.database import execute
from models.upsert import Moment, Stored, upsert

CLAIM_NAME = """
UPDATE repositories mine SET changed_at = clock_timestamp() WHERE github_id = %s AND EXISTS (
    SELECT FROM repositories other
    WHERE lower(other.owner) = lower(mine.owner) AND lower(other.name) = lower(mine.name)
      AND other.id <> mine.id AND other.changed_at >= mine.changed_at)
"""

REMEMBER_PAGE_SIZE = """
INSERT INTO progressive_capture_page_sizes AS stored (repository, size) VALUES (lower(%s), %s)
ON CONFLICT (repository) DO UPDATE SET size = excluded.size, updated_at = clock_timestamp() WHERE stored.size <> excluded.size
"""


class Repository(Stored):
    """A repository, the same through renames. Its name may be borne by another row too: then the one that changed last has it."""

    github_id = BigIntegerField()
    node_id = TextField()
    owner = TextField()
    name = TextField()
    default_branch = TextField(null=True)
    pull_request_count = IntegerField()
    created_at = Moment()
    watermark = Moment(null=True)

    class Meta:
        """Where it lives."""

        table_name = "repositories"

    @classmethod
    def upsert(cls, payload: payloads.Repository) -> Repository:
        """Store what GitHub says of a repository today and return the row."""
        row = {
            "github_id": payload.github_id,
            "node_id": payload.node_id,
            "owner": payload.owner,
            "name": payload.name,
            "default_branch": payload.default_branch,
            "pull_request_count": payload.pull_requests,
            "created_at": payload.created_at,
        }
        upsert(cls, [row])
        execute(CLAIM_NAME, [payload.github_id])
        found: Repository = cls.get(cls.github_id == payload.github_id)
        return found

    @classmethod
    def named(cls, repository: str) -> Repository:
        """The row of ``owner/name``, in whatever case; :class:`Permanent` where none is stored."""
        sql = """
            SELECT id FROM repositories WHERE lower(owner) = lower(%s) AND lower(name) = lower(%s)
            ORDER BY changed_at DESC, id DESC LIMIT 1
        """
        owner, _, name = repository.partition("/")
        found = execute(sql, [owner, name])
        if not found:
            raise Permanent(f"{repository} is not stored yet: run `capture repo {repository}`.")
        row: Repository = cls.get_by_id(found[0][0])
        return row


class PageSize:
    """How many pull requests a page of a repository may hold, learned from the pages before."""

    @staticmethod
    def of(repository: str) -> int | None:
        """What went well last for ``owner/name``; None where nothing is known."""
        found = execute("SELECT size FROM progressive_capture_page_sizes WHERE repository = lower(%s)", [repository])
        return int(found[0][0]) if found else None

    @staticmethod
    def remember(repository: str, size: int) -> None:
        """Begin with ``size`` next time."""
        execute(REMEMBER_PAGE_SIZE, [repository, size])
