"""The doors of the graph: a repository by name, a node by id, the viewer, the rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .node_ids import read_node_id
from .refusals import GraphQLRefusalError
from .things import GHOST, threads

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from .execution import Context


def _repository(_: Any, info: GraphQLResolveInfo[Any], owner: str, name: str, followRenames: bool = True) -> Any:  # noqa: N803
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
    kind, name = read_node_id(wanted) or ("", "")
    first, _, rest = name.partition(":")
    if not first.isdigit():
        return None
    number = int(first)
    if kind in {"User", "Bot", "Mannequin", "Organization"}:
        person = GHOST if number == GHOST.github_id else context.world.people.get(number)
        return person if person is not None and person.typename == kind else None
    if kind == "Repository":
        return context.world.numbered(number)
    if kind == "Commit":
        home = context.world.numbered(number)
        return home.commit(rest) if home else None
    if kind == "PullRequestReviewThread":
        root = _numbered(context, "PullRequestReviewComment", number)
        return next((thread for thread in threads(root.place) if thread.node_id == wanted), None) if root else None
    return _numbered(context, kind, number)


def _numbered(context: Context, kind: str, number: int) -> Any:
    repos = (repo for repo in context.world.repos if repo.state == "ok")
    return next((found for repo in repos if (found := repo.by_id(kind, number)) is not None), None)


def _node(_: Any, info: GraphQLResolveInfo[Any], id: str) -> Any:
    found = find_node(info.context, id)
    if found is None:
        raise GraphQLRefusalError("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'")
    return found


def _nodes(_: Any, info: GraphQLResolveInfo[Any], ids: list[str]) -> list[Any]:
    context: Context = info.context
    found = [find_node(context, wanted) for wanted in ids]
    for at, (wanted, thing) in enumerate(zip(ids, found, strict=True)):
        if thing is None:
            message = f"Could not resolve to a node with the global id of '{wanted}'"
            context.errors.append({"type": "NOT_FOUND", "path": ["nodes", at], "message": message})
    return found


def _account(kinds: frozenset[str], word: str) -> Any:
    def resolve(_: Any, info: GraphQLResolveInfo[Any], login: str) -> Any:
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
    "id": lambda *_: "query",
}
RATE_LIMIT: dict[str, Any] = {
    "limit": lambda rate, _: rate["limit"],
    "cost": lambda rate, _: rate["cost"],
    "remaining": lambda rate, _: rate["remaining"],
    "used": lambda rate, _: rate["used"],
    "resetAt": lambda rate, _: rate["reset_at"],
    "nodeCount": lambda rate, _: rate["node_count"],
}
