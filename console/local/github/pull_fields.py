"""What the GraphQL fields of a pull request and its reviews answer."""

from __future__ import annotations

from typing import Any

from .connections import connect_by, connect_in_order
from .fields import CONVERSED, PLACED, WEB, WRITTEN, Resolver, attribute, constant, pull_path, raw, urls
from .things import Fork, Pull, Review, ReviewComment, Thread, threads


def _stat(at: int) -> Resolver:
    return lambda source, _: source.raw["stats"][at]


def _reviews(pull: Pull, info: Any, states: list[str] | None = None, author: str | None = None, **args: Any) -> Any:
    chosen = [review for review in pull.reviews() if states is None or review.raw["state"] in states]
    if author is not None:
        chosen = [review for review in chosen if review.author is not None and review.author.login == author]
    return connect_by(chosen, lambda review: (review.created_at, review.raw["id"]), info, args)


def _head_repository(pull: Pull, _info: Any) -> Any:
    name = pull.raw["head_repo"]
    if name is None or name == pull.repo.name:
        return pull.repo if name else None
    return Fork(name, pull.repo.people)


PULL_REQUEST: dict[str, Resolver] = {
    **CONVERSED,
    "state": raw("state"),
    "merged": lambda s, _: s.raw["state"] == "MERGED",
    "mergedAt": raw("merged_at"),
    "mergedBy": lambda s, _: s.repo.person(s.raw["merged_by"]),
    "isDraft": raw("draft"),
    "baseRefName": raw("base"),
    "baseRefOid": raw("base_sha"),
    "baseRepository": attribute("repo"),
    "headRefName": raw("head"),
    "headRefOid": raw("head_sha"),
    "headRepository": _head_repository,
    "isCrossRepository": lambda s, _: s.raw["head_repo"] != s.repo.name,
    "mergeCommit": lambda s, _: s.repo.commit(s.raw["merge_sha"]) if s.raw["merge_sha"] else None,
    "additions": _stat(0),
    "deletions": _stat(1),
    "changedFiles": _stat(2),
    "totalCommentsCount": lambda s, _: len(s.raw["comments"]) + len(s.raw["review_comments"]),
    "reviews": _reviews,
    "commits": lambda s, i, **args: connect_in_order([(s, commit) for commit in s.commits()], i, args),
    "reviewThreads": lambda s, i, **args: connect_in_order(threads(s), i, args),
    "permalink": lambda s, _: WEB + pull_path(s),
}


def _comments_of_review(review: Review, info: Any, **args: Any) -> Any:
    return connect_by(review.comments(), lambda item: (item.raw["created"], item.raw["id"]), info, args)


PULL_REQUEST_REVIEW: dict[str, Resolver] = {
    **WRITTEN,
    "state": raw("state"),
    "submittedAt": raw("at"),
    "publishedAt": raw("at"),
    "createdAt": attribute("created_at"),
    "updatedAt": lambda s, _: s.raw.get("updated") or s.created_at,
    "commit": lambda s, _: s.repo.commit(s.raw["commit"]) if s.raw["commit"] else None,
    "pullRequest": attribute("place"),
    "comments": _comments_of_review,
    "authorCanPushToRepository": constant(False),
    "isMinimized": constant(False),
    **urls(lambda review: f"{pull_path(review.place)}#pullrequestreview-{review.raw['id']}"),
}


def _reply_to(item: ReviewComment, _info: Any) -> ReviewComment | None:
    answered = item.raw.get("reply")
    return next((other for other in item.place.review_comments() if other.raw["id"] == answered), None)  # type: ignore[union-attr]


def _commit_of(item: Any, _info: Any) -> Any:
    return item.repo.commit(item.raw["commit"]) if item.raw.get("commit") else None


REVIEW_COMMENT: dict[str, Resolver] = {
    **PLACED,
    "path": raw("path"),
    "diffHunk": lambda s, _: s.raw.get("hunk") or "",
    "draftedAt": raw("created"),
    "position": lambda s, _: s.raw.get("pos"),
    "originalPosition": lambda s, _: s.raw.get("opos") or 1,
    "outdated": lambda s, _: s.raw.get("pos") is None,
    "commit": _commit_of,
    "originalCommit": _commit_of,
    "pullRequest": attribute("place"),
    "pullRequestReview": lambda s, _: s.place.review(s.raw["review"]),
    "replyTo": _reply_to,
    "state": constant("SUBMITTED"),
    "subjectType": constant("LINE"),
    "isMinimized": constant(False),
    **urls(lambda item: f"{pull_path(item.place)}#discussion_r{item.raw['id']}"),
}


def _comments_of_thread(thread: Thread, info: Any, skip: int | None = None, **args: Any) -> Any:
    return connect_in_order(thread.comments[skip or 0 :], info, args)


THREAD: dict[str, Resolver] = {
    "id": attribute("node_id"),
    "comments": _comments_of_thread,
    "path": lambda s, _: s.comments[0].raw["path"],
    "pullRequest": attribute("place"),
    "repository": lambda s, _: s.place.repo,
    "isOutdated": lambda s, _: s.comments[0].raw.get("pos") is None,
    "isResolved": constant(False),
    "isCollapsed": constant(False),
    "diffSide": constant("RIGHT"),
    "subjectType": constant("LINE"),
}
