"""What the job types share: the stored repository, and where a bounded pass begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from capture.current import current_job
from capture.errors import Permanent
from capture.github import github
from models.repository import Repository


def stored_repository(repository: str) -> Repository:
    """The repository's row; asks GitHub and stores it where a job was sent without a capture run."""
    try:
        return Repository.named(repository)
    except Permanent:
        found = github().repository(repository)
    with current_job().checkpoint("repository").commit(None, items=0, last=True):
        return Repository.upsert(found)


def beginning(since_days: int | None) -> datetime | None:
    """Midnight UTC so many days ago: the same for all runs of a job within a day."""
    if since_days is None:
        return None
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=since_days)
