"""Capture the pull requests of a repository."""

from __future__ import annotations

from capture.current import current_job
from capture.github import github
from models.list_tail import ListTail
from models.pull_request import PullRequest
from models.repository import PageSize

from .broker import actor
from .known import beginning, stored_repository
from .reviews import fetch_reviews


@actor()
def fetch_prs(repository: str, since_days: int | None = None) -> None:
    """Store every pull request of ``owner/name`` with its reviews, commits and comments, one page per commit."""
    repo = stored_repository(repository)
    job = current_job()
    pages = job.checkpoint("pages")
    if pages.done:
        return
    size, since = PageSize.of(repository), beginning(since_days)
    for page in github().pull_requests(repository, after=pages.cursor, size=size, since=since):
        ids = [pull.github_id for pull in page.items]
        with pages.commit(page.cursor, items=len(page), total=page.total, last=page.last, ids=ids):
            PullRequest.upsert_many(repo, page.items)
            ListTail.remember(repo, [tail for pull in page.items for tail in pull.tails])
            PageSize.remember(repository, page.size)
            if page.last and job.capture_run_id is None:
                fetch_reviews.send(repository, since_days)
