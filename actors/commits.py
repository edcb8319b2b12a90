"""Capture the default branch, and say of each commit how it came there."""

from __future__ import annotations

from capture.current import current_job
from capture.github import github
from models.commit import Commit

from .broker import actor
from .known import beginning, stored_repository


@actor()
def analyze_commits(repository: str, since_days: int | None = None) -> None:
    """Store the commits of the default branch; afterwards each is known to be direct, or by which pull request it came."""
    repo = stored_repository(repository)
    pages = current_job().checkpoint("commits")
    if not pages.done:
        for page in github().commits(repository, after=pages.cursor, since=beginning(since_days)):
            ids = [commit.sha for commit in page.items]
            with pages.commit(page.cursor, items=len(page), total=page.total, last=page.last, ids=ids):
                Commit.upsert_many(repo, page.items)
    if not pages.done:  # the ids did not add up: walked once more before anything is decided
        return
    decided = current_job().checkpoint("decided")
    if not decided.done:
        with decided.commit(None, items=0, last=True):
            Commit.decide_direct(repo)
