"""The doors of the graph: a repository by name, a node by id, the viewer, the rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .node_ids import read_node_id
from .refusals import GraphQLRefusalError
from .things import GHOST

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from .execution import Context


def _repository(_: Any, info: GraphQLResolveInfo, owner: str, name: str, followRenames: bool = True) -> Any:  # noqa: N803
    context: Context = info.context
    found = context.world.find(owner, name)
    if found is None or (not followRenames and found.name.lower() != f"{owner}/{name}".lower()):
        message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
        raise GraphQLRefusalError("NOT_FOUND", message)
    if found.state == "blocked":
        raise GraphQLRefusalError("FORBIDDEN", "Repository access blocked")
    return found


def find_node(context: Context, wanted: str) -> Any:
    """Whatever has the node id; None where nothing has."""
    kind, number = read_node_id(wanted) or ("", "")
    if kind in {"User", "Bot", "Mannequin", "Organization"}:
        found = GHOST if number == str(GHOST.github_id) else context.world.people.get(int(number))
        return found if found is not None and found.typename == kind else None
    if kind == "Repository":
        return context.world.numbered(int(number))
    if kind == "Commit":
        repo = context.world.numbered(int(number.partition(":")[0]))
        return repo.commit(number.partition(":")[2]) if repo else None
    if kind in {"PullRequest", "Issue", "PullRequestReview", "PullRequestReviewComment", "IssueComment"}:
        repos = (repo for repo in context.world.repos if repo.state == "ok")
        return next((found for repo in repos if (found := repo.by_id(kind, int(number))) is not None), None)
    return None


def _node(_: Any, info: GraphQLResolveInfo, id: str) -> Any:  # noqa: A002
    found = find_node(info.context, id)
    if found is None:
        raise GraphQLRefusalError("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'")
    return found


def _nodes(_: Any, info: GraphQLResolveInfo, ids: list[str]) -> list[Any]:
    context: Context = info.context
    found = [find_node(context, wanted) for wanted in ids]
    for at, (wanted, thing) in enumerate(zip(ids, found, strict=True)):
        if thing is None:
            message = f"Could not resolve to a node with the global id of '{wanted}'"
            context.errors.append({"type": "NOT_FOUND", "path": ["nodes", at], "message": message})
    return found


def _account(kinds: frozenset[str], word: str) -> Any:
    def resolve(_: Any, info: GraphQLResolveInfo, login: str) -> Any:
        found = info.context.world.find_person(login)
        if found is None or found.typename not in kinds:
            raise GraphQLRefusalError("NOT_FOUND", f"Could not resolve to {word} with the login of '{login}'.")
        return found

    return resolve


QUERY: dict[str, Any] = {
    "repository": _repository,
    "node": _node,
    "nodes": _nodes,
    "viewer": lambda _, info: info.context.viewer,
    "user": _account(frozenset({"User"}), "a User"),
    "organization": _account(frozenset({"Organization"}), "an Organization"),
    "repositoryOwner": _account(frozenset({"User", "Organization"}), "a RepositoryOwner"),
    "rateLimit": lambda _, info, **__: info.context.rate,
    "id": lambda _, info: "query",
}
RATE_LIMIT: dict[str, Any] = {
    "limit": lambda rate, _: rate["limit"],
    "cost": lambda rate, _: rate["cost"],
    "remaining": lambda rate, _: rate["remaining"],
    "used": lambda rate, _: rate["used"],
    "resetAt": lambda rate, _: rate["reset_at"],
    "nodeCount": lambda rate, _: rate["node_count"],
}
