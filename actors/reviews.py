"""Work off the tails: reviews, commits and comments of pull requests with longer lists than a page holds."""

from __future__ import annotations

from capture.current import current_job
from capture.github import github
from models.list_tail import ListTail

from .broker import actor
from .known import stored_repository


@actor()
def fetch_reviews(repository: str, since_days: int | None = None) -> None:
    """Store the rest of every overflowing list of ``owner/name``; the tails themselves say how far it has come."""
    del since_days
    repo = stored_repository(repository)
    step = current_job().checkpoint("tails")
    while (tail := ListTail.next_of(repo)) is not None:
        for page in github().tail(tail.as_payload(), after=tail.cursor):
            with step.commit(f"{tail.id}:{page.cursor}", items=len(page)):
                tail.store(page)
    if not step.done:
        with step.commit(None, items=0, last=True):
            pass
