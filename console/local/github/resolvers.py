"""What each GraphQL field answers: one table of type and field."""

from __future__ import annotations

from collections.abc import Mapping

from .fields import CONVERSED, PLACED, Resolver, attribute, constant
from .pull_fields import PULL_REQUEST, PULL_REQUEST_REVIEW, REVIEW_COMMENT, THREAD
from .queries import QUERY, RATE_LIMIT
from .repository_fields import ACTOR, COMMIT, GIT_ACTOR, PULL_REQUEST_COMMIT, REF, REPOSITORY, USER
from .things import Pull

FIELDS: Mapping[str, Mapping[str, Resolver]] = {
    "Query": QUERY,
    "RateLimit": RATE_LIMIT,
    "Repository": REPOSITORY,
    "Ref": REF,
    "PullRequest": PULL_REQUEST,
    "Issue": {**CONVERSED, "state": attribute("state")},
    "PullRequestReview": PULL_REQUEST_REVIEW,
    "PullRequestReviewComment": REVIEW_COMMENT,
    "PullRequestReviewThread": THREAD,
    "IssueComment": {
        **PLACED,
        "isMinimized": constant(False),
        "pullRequest": lambda s, _: s.place if isinstance(s.place, Pull) else None,
    },
    "Commit": COMMIT,
    "GitActor": GIT_ACTOR,
    "PullRequestCommit": PULL_REQUEST_COMMIT,
    "User": USER,
    "Bot": ACTOR,
    "Mannequin": ACTOR,
    "Organization": ACTOR,
}
