"""What each GraphQL field answers: one table of type and field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .connections import connect, connect_by, connect_in_order
from .node_ids import node_id
from .queries import QUERY, RATE_LIMIT
from .things import Person, Pull, Review, ReviewComment, Thread, in_utc, threads
from .world import LARGEST_INT

Resolver = Callable[..., Any]
WEB = "https://github.com"


def raw(name: str) -> Resolver:
    """The record's own value."""
    return lambda source, info: source.raw[name]


def attribute(name: str) -> Resolver:
    """An attribute of the thing."""
    return lambda source, info: getattr(source, name)


def constant(value: Any) -> Resolver:
    """The same for everything."""
    return lambda source, info, **_: value


def _database_id(source: Any, info: Any) -> int | None:
    number = source.github_id
    return number if number <= LARGEST_INT else None


def _url(path: Callable[[Any], str]) -> dict[str, Resolver]:
    return {"url": lambda s, i: WEB + path(s), "resourcePath": lambda s, i: path(s)}


def _pull_path(pull: Pull) -> str:
    return f"/{pull.repo.name}/{pull.web_path}/{pull.raw['n']}"


IDENTIFIED: dict[str, Resolver] = {
    "id": attribute("node_id"),
    "databaseId": _database_id,
    "fullDatabaseId": lambda s, i: str(s.github_id),
}
WRITTEN: dict[str, Resolver] = {
    **IDENTIFIED,
    "author": attribute("author"),
    "body": lambda s, i: s.raw["body"] or "",
    "bodyText": lambda s, i: s.raw["body"] or "",
    "repository": attribute("repo"),
    "authorAssociation": constant("CONTRIBUTOR"),
    "createdViaEmail": constant(False),
    "includesCreatedEdit": constant(False),
    "viewerDidAuthor": constant(False),
}
PLACED = {**WRITTEN, "createdAt": raw("created"), "publishedAt": raw("created"), "updatedAt": raw("updated")}
CONVERSED = {
    **WRITTEN,
    "number": raw("n"),
    "title": raw("title"),
    "createdAt": raw("created_at"),
    "publishedAt": raw("created_at"),
    "updatedAt": raw("updated_at"),
    "closedAt": raw("closed_at"),
    "closed": lambda s, i: s.state == "CLOSED",
    "locked": constant(False),
    "comments": lambda s, i, **args: connect_by(s.comments(), lambda c: (c.raw["created"], c.raw["id"]), i, args),
    **_url(_pull_path),
}


def _stat(at: int) -> Resolver:
    return lambda source, info: source.raw["stats"][at]


def _reviews(pull: Pull, info: Any, states: list[str] | None = None, author: str | None = None, **args: Any) -> Any:
    chosen = [review for review in pull.reviews() if states is None or review.raw["state"] in states]
    if author is not None:
        chosen = [review for review in chosen if review.author is not None and review.author.login == author]
    return connect_by(chosen, lambda review: (review.created_at, review.raw["id"]), info, args)


def _head_repository(pull: Pull, info: Any) -> Any:
    return pull.repo if pull.raw["head_repo"] == pull.repo.name else None


PULL_REQUEST: dict[str, Resolver] = {
    **CONVERSED,
    "state": raw("state"),
    "merged": lambda s, i: s.raw["state"] == "MERGED",
    "mergedAt": raw("merged_at"),
    "mergedBy": lambda s, i: s.repo.person(s.raw["merged_by"]),
    "isDraft": raw("draft"),
    "baseRefName": raw("base"),
    "baseRefOid": raw("base_sha"),
    "baseRepository": attribute("repo"),
    "headRefName": raw("head"),
    "headRefOid": raw("head_sha"),
    "headRepository": _head_repository,
    "isCrossRepository": lambda s, i: s.raw["head_repo"] != s.repo.name,
    "mergeCommit": lambda s, i: s.repo.commit(s.raw["merge_sha"]) if s.raw["merge_sha"] else None,
    "additions": _stat(0),
    "deletions": _stat(1),
    "changedFiles": _stat(2),
    "totalCommentsCount": lambda s, i: len(s.raw["comments"]) + len(s.raw["review_comments"]),
    "reviews": _reviews,
    "commits": lambda s, i, **args: connect_in_order([(s, commit) for commit in s.commits()], i, args),
    "reviewThreads": lambda s, i, **args: connect_in_order(threads(s), i, args),
    "permalink": lambda s, i: WEB + _pull_path(s),
}


def _comments_of_review(review: Review, info: Any, **args: Any) -> Any:
    return connect_by(review.comments(), lambda item: (item.raw["created"], item.raw["id"]), info, args)


PULL_REQUEST_REVIEW: dict[str, Resolver] = {
    **WRITTEN,
    "state": raw("state"),
    "submittedAt": raw("at"),
    "publishedAt": raw("at"),
    "createdAt": attribute("created_at"),
    "updatedAt": lambda s, i: s.raw.get("updated") or s.created_at,
    "commit": lambda s, i: s.repo.commit(s.raw["commit"]) if s.raw["commit"] else None,
    "pullRequest": attribute("place"),
    "comments": _comments_of_review,
    "authorCanPushToRepository": constant(False),
    "isMinimized": constant(False),
    **_url(lambda review: f"{_pull_path(review.place)}#pullrequestreview-{review.raw['id']}"),
}


def _reply_to(item: ReviewComment, info: Any) -> ReviewComment | None:
    answered = item.raw.get("reply")
    return next((other for other in item.place.review_comments() if other.raw["id"] == answered), None)  # type: ignore[union-attr]


def _commit_of(item: Any, info: Any) -> Any:
    return item.repo.commit(item.raw["commit"]) if item.raw.get("commit") else None


REVIEW_COMMENT: dict[str, Resolver] = {
    **PLACED,
    "path": raw("path"),
    "diffHunk": lambda s, i: s.raw.get("hunk") or "",
    "draftedAt": raw("created"),
    "position": lambda s, i: s.raw.get("pos"),
    "originalPosition": lambda s, i: s.raw.get("opos") or 1,
    "outdated": lambda s, i: s.raw.get("pos") is None,
    "commit": _commit_of,
    "originalCommit": _commit_of,
    "pullRequest": attribute("place"),
    "pullRequestReview": lambda s, i: s.place.review(s.raw["review"]),
    "replyTo": _reply_to,
    "state": constant("SUBMITTED"),
    "subjectType": constant("LINE"),
    "isMinimized": constant(False),
    **_url(lambda item: f"{_pull_path(item.place)}#discussion_r{item.raw['id']}"),
}


def _comments_of_thread(thread: Thread, info: Any, skip: int | None = None, **args: Any) -> Any:
    return connect_in_order(thread.comments[skip or 0 :], info, args)


THREAD: dict[str, Resolver] = {
    "id": attribute("node_id"),
    "comments": _comments_of_thread,
    "path": lambda s, i: s.comments[0].raw["path"],
    "pullRequest": attribute("place"),
    "repository": lambda s, i: s.place.repo,
    "isOutdated": lambda s, i: s.comments[0].raw.get("pos") is None,
    "isResolved": constant(False),
    "isCollapsed": constant(False),
    "diffSide": constant("RIGHT"),
    "subjectType": constant("LINE"),
}


def _associated(commit: Any, info: Any, orderBy: dict[str, str] | None = None, **args: Any) -> Any:  # noqa: N803
    key = "updated_at" if (orderBy or {}).get("field") == "UPDATED_AT" else "created_at"
    found = commit.repo.pulls_with(commit.sha)
    return connect_by(found, lambda pull: (pull.raw[key], pull.raw["id"]), info, args)


def _parents(commit: Any, info: Any, **args: Any) -> Any:
    found = [commit.repo.commit(sha) for sha in commit.raw["p"]]
    return connect_in_order([parent for parent in found if parent is not None], info, args)


def _history(commit: Any, info: Any, since: str | None = None, until: str | None = None, **args: Any) -> Any:
    low, high = in_utc(since) if since else "", in_utc(until) if until else "~"
    commits = commit.repo.history(commit.sha)
    if since or until:
        commits = [found for found in commits if low <= found.committed_at <= high]
    return connect_in_order(commits, info, args)


COMMIT: dict[str, Resolver] = {
    "id": attribute("node_id"),
    "oid": attribute("sha"),
    "abbreviatedOid": lambda s, i: s.sha[:7],
    "repository": attribute("repo"),
    "message": raw("m"),
    "messageHeadline": lambda s, i: s.raw["m"].partition("\n")[0],
    "messageBody": lambda s, i: s.raw["m"].partition("\n")[2].lstrip("\n"),
    "authoredDate": attribute("authored_at"),
    "committedDate": attribute("committed_at"),
    "additions": lambda s, i: s.raw["s"][0],
    "deletions": lambda s, i: s.raw["s"][1],
    "changedFiles": lambda s, i: s.raw["s"][2],
    "changedFilesIfAvailable": lambda s, i: s.raw["s"][2],
    "author": lambda s, i: s.signature("a"),
    "committer": lambda s, i: s.signature("c"),
    "authoredByCommitter": lambda s, i: s.raw["a"][:2] == s.raw["c"][:2],
    "committedViaWeb": lambda s, i: s.raw["cl"] == "web-flow",
    "parents": _parents,
    "associatedPullRequests": _associated,
    "history": _history,
    **_url(lambda commit: f"/{commit.repo.name}/commit/{commit.sha}"),
}
GIT_ACTOR: dict[str, Resolver] = {
    "name": lambda s, i: s.line[0],
    "email": lambda s, i: s.line[1],
    "date": lambda s, i: s.line[2],
    "user": attribute("person"),
}
PULL_REQUEST_COMMIT: dict[str, Resolver] = {
    "id": lambda s, i: node_id("PullRequestCommit", f"{s[0].raw['id']}:{s[1].sha}"),
    "pullRequest": lambda s, i: s[0],
    "commit": lambda s, i: s[1],
    **_url(lambda pair: f"{_pull_path(pair[0])}/commits/{pair[1].sha}"),
}
ACTOR: dict[str, Resolver] = {
    **IDENTIFIED,
    "login": attribute("login"),
    "name": attribute("name"),
    "createdAt": constant("2012-02-29T08:00:00Z"),
    "updatedAt": constant("2024-02-29T08:00:00Z"),
    "avatarUrl": lambda s, i, **_: f"https://avatars.githubusercontent.com/u/{s.github_id}?v=4",
    **_url(lambda person: f"/{person.login}"),
}
# A bot that GitHub found behind a commit's address comes as a User, with the login that REST gives it.
USER = {**ACTOR, "login": attribute("full_login"), "email": constant("")}


def _person(source: Any, info: Any) -> Person:
    owner = source.people.get(source.facts["owner"])
    return owner or Person(source.github_id + 1, source.facts["owner"], "Organization", None)


def _pulls(
    repo: Any,
    info: Any,
    orderBy: dict[str, str] | None = None,  # noqa: N803
    states: list[str] | None = None,
    baseRefName: str | None = None,  # noqa: N803
    headRefName: str | None = None,  # noqa: N803
    labels: list[str] | None = None,
    **args: Any,
) -> Any:
    order = orderBy or {"field": "CREATED_AT", "direction": "ASC"}
    key = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at"}.get(order["field"], "created_at")
    listing = repo.pulls_by(key, frozenset(states) if states else None)
    if baseRefName or headRefName or labels:
        chosen = [
            pull
            for pull in listing.items
            if (not baseRefName or pull.raw["base"] == baseRefName)
            and (not headRefName or pull.raw["head"] == headRefName)
            and (not labels or set(labels) & set(pull.raw.get("labels", ())))
        ]
        listing = type(listing)(chosen, lambda pull: (pull.raw[key], pull.raw["id"]))
    return connect(listing, info, args, descending=order["direction"] == "DESC")


def _issues(repo: Any, info: Any, **args: Any) -> Any:
    wanted = {name: args[name] for name in ("first", "last", "after", "before") if name in args}
    return connect_by(
        list(repo.issues.values()), lambda issue: (issue.raw["created_at"], issue.raw["id"]), info, wanted
    )


REPOSITORY: dict[str, Resolver] = {
    "id": lambda s, i: node_id("Repository", s.github_id),
    "databaseId": _database_id,
    "name": lambda s, i: s.facts["name"],
    "nameWithOwner": attribute("name"),
    "owner": _person,
    "description": lambda s, i: s.facts.get("description"),
    "createdAt": lambda s, i: s.facts["created_at"],
    "updatedAt": lambda s, i: s.facts["created_at"],
    "isEmpty": attribute("is_empty"),
    **{name: constant(False) for name in ("isArchived", "isPrivate", "isFork", "isDisabled", "isLocked", "isMirror")},
    "visibility": constant("PUBLIC"),
    "hasIssuesEnabled": constant(True),
    "pullRequests": _pulls,
    "pullRequest": lambda s, i, number: i.context.numbered(s.pulls, number, "PullRequest"),
    "issue": lambda s, i, number: i.context.numbered(s.issues, number, "Issue"),
    "issues": _issues,
    "defaultBranchRef": lambda s, i: None if s.is_empty else s,
    "object": lambda s, i, oid=None, expression=None: i.context.git_object(s, oid or expression),
    "ref": lambda s, i, qualifiedName: i.context.branch(s, qualifiedName),
    **_url(lambda repo: f"/{repo.name}"),
}
REF: dict[str, Resolver] = {
    "id": lambda s, i: node_id("Ref", f"{s.github_id}:{s.facts['default_branch']}"),
    "name": lambda s, i: s.facts["default_branch"],
    "prefix": constant("refs/heads/"),
    "repository": lambda s, i: s,
    "target": lambda s, i: s.commit(s.data["history"][0]),
}

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
    "IssueComment": {**PLACED, "isMinimized": constant(False), "pullRequest": lambda s, i: _if_pull(s.place)},
    "Commit": COMMIT,
    "GitActor": GIT_ACTOR,
    "PullRequestCommit": PULL_REQUEST_COMMIT,
    "User": USER,
    "Bot": ACTOR,
    "Mannequin": ACTOR,
    "Organization": ACTOR,
}


def _if_pull(place: Any) -> Pull | None:
    return place if isinstance(place, Pull) else None
