"""GraphQL replies as payloads; a reply with a hole in it raises as :mod:`capture.github.normalise` says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from capture.github.normalise import (
    contributor,
    flag,
    listed,
    moment,
    number,
    optional_moment,
    optional_text,
    required_text,
    text,
)
from capture.github.payloads import Comment, Commit, Contributor, Page, PullRequest, Repository, Review, Tail

Item = TypeVar("Item")
Node = dict[str, Any]

LISTS = ("reviews", "commits", "comments")
PENDING = "PENDING"

_PICTURE = re.compile(r"/u/([0-9]+)(?:\?|\Z)")


def page(connection: Node, parse: Callable[[Node], Item], *, after: str | None, size: int) -> Page[Item]:
    """One page of a connection; ``ValueError`` where it claims to go on but not from where."""
    end = optional_text(connection["pageInfo"]["endCursor"])
    last = not flag(connection["pageInfo"]["hasNextPage"])
    if not last and end in (None, after):
        raise ValueError("a next page without a cursor of its own")
    items = tuple(parse(node) for node in listed(connection["nodes"]))
    return Page(items, cursor=end or after, last=last, total=number(connection["totalCount"]), size=size)


def repository(node: Node) -> Repository:
    """The repository as it is called today."""
    branch = node["defaultBranchRef"]
    return Repository(
        github_id=number(node["databaseId"]),
        node_id=required_text(node["id"]),
        owner=required_text(node["owner"]["login"]),
        name=required_text(node["name"]),
        default_branch=None if branch is None else required_text(branch["name"]),
        pull_requests=number(node["pullRequests"]["totalCount"]),
        created_at=moment(node["createdAt"]),
    )


def pull_request(node: Node) -> PullRequest:
    """A pull request with the first page of each list, and a tail for each list that is longer."""
    github_id, node_id = number(node["fullDatabaseId"]), required_text(node["id"])
    merge_commit = node["mergeCommit"]
    return PullRequest(
        github_id=github_id,
        node_id=node_id,
        number=number(node["number"]),
        title=required_text(node["title"]),
        body=text(node["body"]),
        state=required_text(node["state"]),
        draft=flag(node["isDraft"]),
        author=person(node["author"]),
        merged_by=person(node["mergedBy"]),
        base_ref=required_text(node["baseRefName"]),
        head_ref=required_text(node["headRefName"]),
        head_sha=required_text(node["headRefOid"]),
        merge_commit_sha=None if merge_commit is None else required_text(merge_commit["oid"]),
        additions=number(node["additions"]),
        deletions=number(node["deletions"]),
        changed_files=number(node["changedFiles"]),
        created_at=moment(node["createdAt"]),
        updated_at=moment(node["updatedAt"]),
        closed_at=optional_moment(node["closedAt"]),
        merged_at=optional_moment(node["mergedAt"]),
        reviews=submitted(page(node["reviews"], review, after=None, size=0).items),
        commits=page(node["commits"], commit_of_pull_request, after=None, size=0).items,
        comments=page(node["comments"], comment, after=None, size=0).items,
        tails=tuple(
            Tail(github_id, node_id, name, rest["pageInfo"]["endCursor"], number(rest["totalCount"]))
            for name, rest in ((name, node[name]) for name in LISTS)
            if rest["pageInfo"]["hasNextPage"]
        ),
    )


def review(node: Node) -> Review:
    """A review; a pending one too, which :func:`submitted` leaves out."""
    commit_node = node["commit"]
    return Review(
        github_id=number(node["fullDatabaseId"]),
        author=person(node["author"]),
        state=required_text(node["state"]),
        body=text(node["body"]),
        submitted_at=optional_moment(node["submittedAt"]),
        commit_sha=None if commit_node is None else required_text(commit_node["oid"]),
    )


def submitted(reviews: tuple[Review, ...]) -> tuple[Review, ...]:
    """The reviews that others can see: the viewer's own pending one is left out."""
    return tuple(each for each in reviews if each.state != PENDING)


def comment(node: Node) -> Comment:
    """A comment of the conversation."""
    return Comment(
        github_id=number(node["fullDatabaseId"]),
        author=person(node["author"]),
        body=text(node["body"]),
        created_at=moment(node["createdAt"]),
        updated_at=moment(node["updatedAt"]),
    )


def commit_of_pull_request(node: Node) -> Commit:
    """The commit in an entry of a pull request's list."""
    return commit(node["commit"])


def commit(node: Node) -> Commit:
    """A commit; its author has a name even where no account goes with it."""
    author = node["author"]
    return Commit(
        sha=required_text(node["oid"]),
        message=text(node["message"]),
        author=None if author is None else person(author["user"]),
        author_name="" if author is None else text(author["name"]),
        authored_at=moment(node["authoredDate"]),
        committed_at=moment(node["committedDate"]),
        additions=number(node["additions"]),
        deletions=number(node["deletions"]),
    )


def person(node: Node | None) -> Contributor | None:
    """Who; None for a deleted account. Some kinds of account have no numeric id, others no name."""
    if node is None:
        return None
    return contributor(_account_id(node), node.get("id"), node["login"], node["__typename"], node.get("name"))


def _account_id(node: Node) -> Any:
    """The account's number, or that in its picture's address where ``databaseId`` is too narrow for it; else None."""
    if "id" not in node or node["databaseId"] is not None:
        return node.get("databaseId")
    picture = _PICTURE.search(required_text(node["avatarUrl"]))
    return picture and picture[1]
