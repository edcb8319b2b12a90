"""What the GraphQL fields of a repository, its commits and people answer."""

from __future__ import annotations

from typing import Any

from .connections import connect, connect_by, connect_in_order
from .fields import IDENTIFIED, Resolver, attribute, constant, database_id, pull_path, raw, urls
from .listing import Listing
from .node_ids import node_id
from .things import Fork, Person, in_utc
from .world import Repo


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
    "abbreviatedOid": lambda s, _: s.sha[:7],
    "repository": attribute("repo"),
    "message": raw("m"),
    "messageHeadline": lambda s, _: s.raw["m"].partition("\n")[0],
    "messageBody": lambda s, _: s.raw["m"].partition("\n")[2].lstrip("\n"),
    "authoredDate": attribute("authored_at"),
    "committedDate": attribute("committed_at"),
    "additions": lambda s, _: s.raw["s"][0],
    "deletions": lambda s, _: s.raw["s"][1],
    "changedFiles": lambda s, _: s.raw["s"][2],
    "changedFilesIfAvailable": lambda s, _: s.raw["s"][2],
    "author": lambda s, _: s.signature("a"),
    "committer": lambda s, _: s.signature("c"),
    "authoredByCommitter": lambda s, _: s.raw["a"][:2] == s.raw["c"][:2],
    "committedViaWeb": lambda s, _: s.raw["cl"] == "web-flow",
    "parents": _parents,
    "associatedPullRequests": _associated,
    "history": _history,
    **urls(lambda commit: f"/{commit.repo.name}/commit/{commit.sha}"),
}
GIT_ACTOR: dict[str, Resolver] = {
    "name": lambda s, _: s.line[0],
    "email": lambda s, _: s.line[1],
    "date": lambda s, _: s.line[2],
    "user": attribute("person"),
}
PULL_REQUEST_COMMIT: dict[str, Resolver] = {
    "id": lambda s, _: node_id("PullRequestCommit", f"{s[0].raw['id']}:{s[1].sha}"),
    "pullRequest": lambda s, _: s[0],
    "commit": lambda s, _: s[1],
    **urls(lambda pair: f"{pull_path(pair[0])}/commits/{pair[1].sha}"),
}
ACTOR: dict[str, Resolver] = {
    **IDENTIFIED,
    "login": attribute("login"),
    "name": attribute("name"),
    "createdAt": constant("2012-02-29T08:00:00Z"),
    "updatedAt": constant("2024-02-29T08:00:00Z"),
    "avatarUrl": lambda s, *_, **__: f"https://avatars.githubusercontent.com/u/{s.github_id}?v=4",
    **urls(lambda person: f"/{person.login}"),
}
# A bot that GitHub found behind a commit's address comes as a User, with the login that REST gives it.
USER = {**ACTOR, "login": attribute("full_login"), "email": constant("")}


def _owner(source: Any, _info: Any) -> Person:
    owner = source.people.get(source.facts["owner"])
    return owner or Person(source.github_id + 1, source.facts["owner"], "Organization", None)


def _pulls(repo: Repo, info: Any, **args: Any) -> Any:
    order = args.pop("orderBy", None) or {"field": "CREATED_AT", "direction": "ASC"}
    states = args.pop("states", None)
    base, head, labels = (args.pop(name, None) for name in ("baseRefName", "headRefName", "labels"))
    key = "updated_at" if order["field"] == "UPDATED_AT" else "created_at"
    listing = repo.pulls_by(key, frozenset(states) if states else None)
    if base or head or labels:
        chosen = [
            pull
            for pull in listing.items
            if (not base or pull.raw["base"] == base)
            and (not head or pull.raw["head"] == head)
            and (not labels or set(labels) & set(pull.raw.get("labels", ())))
        ]
        listing = Listing(chosen, lambda pull: (pull.raw[key], pull.raw["id"]))
    return connect(listing, info, args, descending=order["direction"] == "DESC")


def _issues(repo: Any, info: Any, **args: Any) -> Any:
    wanted: dict[str, Any] = {name: args[name] for name in ("first", "last", "after", "before") if name in args}
    return connect_by(
        list(repo.issues.values()), lambda issue: (issue.raw["created_at"], issue.raw["id"]), info, wanted
    )


REPOSITORY: dict[str, Resolver] = {
    "id": lambda s, _: node_id("Repository", s.github_id),
    "databaseId": database_id,
    "name": lambda s, _: s.facts["name"],
    "nameWithOwner": attribute("name"),
    "owner": _owner,
    "description": lambda s, _: s.facts.get("description"),
    "createdAt": lambda s, _: s.facts["created_at"],
    "updatedAt": lambda s, _: s.facts["created_at"],
    "isEmpty": attribute("is_empty"),
    **{name: constant(False) for name in ("isArchived", "isPrivate", "isDisabled", "isLocked", "isMirror")},
    "isFork": lambda s, _: isinstance(s, Fork),
    "visibility": constant("PUBLIC"),
    "hasIssuesEnabled": constant(True),
    "pullRequests": _pulls,
    "pullRequest": lambda s, i, number: i.context.numbered(s.pulls, number, "PullRequest"),
    "issue": lambda s, i, number: i.context.numbered(s.issues, number, "Issue"),
    "issues": _issues,
    "defaultBranchRef": lambda s, _: None if s.is_empty else s,
    "object": lambda s, i, oid=None, expression=None: i.context.git_object(s, oid or expression),
    "ref": lambda s, i, **args: i.context.branch(s, args["qualifiedName"]),
    **urls(lambda repo: f"/{repo.name}"),
}
REF: dict[str, Resolver] = {
    "id": lambda s, _: node_id("Ref", f"{s.github_id}:{s.facts['default_branch']}"),
    "name": lambda s, _: s.facts["default_branch"],
    "prefix": constant("refs/heads/"),
    "repository": lambda s, _: s,
    "target": lambda s, _: s.commit(s.data["history"][0]),
}
