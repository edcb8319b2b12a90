"""Capture the review comments of a repository."""

from __future__ import annotations

from capture.current import current_job
from capture.github import github
from models.comment import ReviewComment

from .broker import actor
from .known import beginning, stored_repository


@actor()
def fetch_comments(repository: str, since_days: int | None = None) -> None:
    """Store every review comment of ``owner/name`` from the repository-wide list; conversation comments come with their pull requests."""
    repo = stored_repository(repository)
    pages = current_job().checkpoint("review comments")
    if pages.done:
        return
    for page in github().review_comments(repository, after=pages.cursor, since=beginning(since_days)):
        with pages.commit(page.cursor, items=len(page), last=page.last) as tally:
            # Of a pull request that is not stored: opened since, or outside the range.
            tally.failed += ReviewComment.upsert_many(repo, page.items)
