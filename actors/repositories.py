"""Capture a repository: open a capture run and fan out."""

from __future__ import annotations

from typing import Any

from capture.current import current_job
from capture.github import github
from capture.priority import size_of
from models.capture_run import CaptureRun
from models.repository import Repository

from .broker import actor
from .comments import fetch_comments
from .commits import analyze_commits
from .pull_requests import fetch_prs
from .reviews import fetch_reviews


@actor()
def capture_repository(repository: str, since_days: int | None = None) -> None:
    """Open a capture run of ``owner/name`` and send its jobs; a request while another is open waits for its end."""
    job = current_job()
    opened = job.checkpoint("opened")
    if opened.done:
        return
    found = github().repository(repository)
    name = f"{found.owner}/{found.name}"
    with opened.commit(None, items=1, last=True) as tally:
        stored = Repository.upsert(found)
        run = CaptureRun.open(name, stored.id, since_days, job.job_id)
        tally.cursor = run  # by which a waiter finds the run
        options: dict[str, Any] = {
            "capture_run_id": run,
            "trigger_source": job.facts.trigger_source,
            "repository_size": size_of(found.pull_requests),
            "time_range_days": since_days,
        }
        pulls = fetch_prs.send_with_options(args=(name, since_days), **options)
        tails = fetch_reviews.send_with_options(args=(name, since_days), blocked_by=[pulls.message_id], **options)
        for later in (fetch_comments, analyze_commits):
            later.send_with_options(args=(name, since_days), blocked_by=[tails.message_id], **options)
