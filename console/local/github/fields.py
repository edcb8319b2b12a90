"""What the GraphQL fields of several types have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .connections import connect_by
from .things import Issue, Pull
from .world import LARGEST_INT

Resolver = Callable[..., Any]
WEB = "https://github.com"


def raw(name: str) -> Resolver:
    """The record's own value."""
    return lambda source, _: source.raw[name]


def attribute(name: str) -> Resolver:
    """An attribute of the thing."""
    return lambda source, _: getattr(source, name)


def constant(value: Any) -> Resolver:
    """The same for everything."""
    return lambda *_, **__: value


def database_id(source: Any, _info: Any) -> int | None:
    """GitHub's number, null where it does not fit 32 bits."""
    number = source.github_id
    return number if number <= LARGEST_INT else None


def urls(path: Callable[[Any], str]) -> dict[str, Resolver]:
    """The address of a thing on the web, whole and as a path."""
    return {"url": lambda s, _: WEB + path(s), "resourcePath": lambda s, _: path(s)}


def pull_path(pull: Pull | Issue) -> str:
    """Where a pull request or issue is on the web."""
    return f"/{pull.repo.name}/{pull.web_path}/{pull.raw['n']}"


IDENTIFIED: dict[str, Resolver] = {
    "id": attribute("node_id"),
    "databaseId": database_id,
    "fullDatabaseId": lambda s, _: str(s.github_id),
}
WRITTEN: dict[str, Resolver] = {
    **IDENTIFIED,
    "author": attribute("author"),
    "body": lambda s, _: s.raw["body"] or "",
    "bodyText": lambda s, _: s.raw["body"] or "",
    "repository": attribute("repo"),
    "authorAssociation": constant("CONTRIBUTOR"),
    "createdViaEmail": constant(False),
    "includesCreatedEdit": constant(False),
    "viewerDidAuthor": constant(False),
}
PLACED: dict[str, Resolver] = {
    **WRITTEN,
    "createdAt": raw("created"),
    "publishedAt": raw("created"),
    "updatedAt": raw("updated"),
}
CONVERSED: dict[str, Resolver] = {
    **WRITTEN,
    "number": raw("n"),
    "title": raw("title"),
    "createdAt": raw("created_at"),
    "publishedAt": raw("created_at"),
    "updatedAt": raw("updated_at"),
    "closedAt": raw("closed_at"),
    "closed": lambda s, _: s.state == "CLOSED",
    "locked": constant(False),
    "comments": lambda s, i, **args: connect_by(s.comments(), lambda c: (c.raw["created"], c.raw["id"]), i, args),
    **urls(pull_path),
}
