"""GraphQL connections: bounds, pages, cursors, and the null nodes of a query that was too heavy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, SelectionSetNode

from .listing import BadCursorError, Key, Listing, Row, Window, read_cursor, write_cursor
from .refusals import RESOURCE_LIMITS, GraphQLRefusalError

if TYPE_CHECKING:
    from .execution import Context

MOST_PER_PAGE = 100


class Connection:
    """What a connection field resolves to."""

    __slots__ = ("outermost", "total", "window")

    def __init__(self, window: Window[Any], total: int, outermost: bool) -> None:
        self.window = window
        self.total = total
        self.outermost = outermost


def connect(
    listing: Listing[Any] | Row[Any], info: GraphQLResolveInfo[Any], args: dict[str, Any], descending: bool = False
) -> Connection:
    """The page of ``listing`` that the arguments ask for; refuses what GitHub refuses."""
    first, last = args.get("first"), args.get("last")
    outermost = not any(isinstance(step, int) for step in info.path.as_list())
    if first is None and last is None:
        if _lists_items(info):
            raise GraphQLRefusalError(
                "MISSING_PAGINATION_BOUNDARIES",
                f"You must provide a `first` or `last` value to properly paginate the `{info.field_name}` connection.",
            )
        first = 0
    for bound, value in (("first", first), ("last", last)):
        if value is not None and value > MOST_PER_PAGE:
            raise GraphQLRefusalError(
                "EXCESSIVE_PAGINATION",
                f"Requesting {value} records on the `{info.field_name}` connection exceeds the `{bound}` limit of "
                f"{MOST_PER_PAGE} records.",
            )
        if value is not None and value < 0:
            raise GraphQLRefusalError(
                None, f"`{bound}` on the `{info.field_name}` connection cannot be less than zero."
            )
    window = listing.window(
        first=first, last=last, after=_key(args.get("after")), before=_key(args.get("before")), descending=descending
    )
    if outermost and window.keys:
        context: Context = info.context
        context.end_cursor = context.end_cursor or write_cursor(window.keys[-1])
    return Connection(window, len(listing), outermost)


def connect_in_order(items: Sequence[Any], info: GraphQLResolveInfo[Any], args: dict[str, Any]) -> Connection:
    """A page of a list whose order is its own, such as the commits of a pull request."""
    return connect(Row(items), info, args)


def connect_by(
    items: Sequence[Any], key: Callable[[Any], Key], info: GraphQLResolveInfo[Any], args: dict[str, Any]
) -> Connection:
    """A page of a short list, sorted by ``key``."""
    return connect(Listing(items, key), info, args)


def nodes(source: Connection, info: GraphQLResolveInfo[Any]) -> list[Any]:
    """The items of a page; null, with an error each, where the query is to be found too heavy."""
    items: list[Any] = list(source.window.items)
    context: Context = info.context
    for at in context.withheld(items) if source.outermost else ():
        items[at] = None
        context.errors.append(
            {
                "type": RESOURCE_LIMITS,
                "path": [*info.path.as_list(), at],
                "message": "Resource limits for this query exceeded.",
            }
        )
    return items


def edges(source: Connection, info: GraphQLResolveInfo[Any]) -> list[Any]:
    """The items of a page with their cursors."""
    return list(zip(source.window.keys, nodes(source, info), strict=True))


def page_info(source: Connection, _: GraphQLResolveInfo[Any]) -> Window[Any]:
    """Where the page lies in its list."""
    return source.window


CONNECTION_FIELDS = {
    "nodes": nodes,
    "edges": edges,
    "pageInfo": page_info,
    "totalCount": lambda source, _: source.total,
}
EDGE_FIELDS = {"cursor": lambda source, _: write_cursor(source[0]), "node": lambda source, _: source[1]}
PAGE_INFO_FIELDS = {
    "hasNextPage": lambda window, _: window.has_next,
    "hasPreviousPage": lambda window, _: window.has_previous,
    "startCursor": lambda window, _: write_cursor(window.keys[0]) if window.keys else None,
    "endCursor": lambda window, _: write_cursor(window.keys[-1]) if window.keys else None,
}


def _key(cursor: str | None) -> Key | None:
    if cursor is None:
        return None
    try:
        return read_cursor(cursor)
    except BadCursorError:
        raise GraphQLRefusalError(
            "INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor."
        ) from None


def _lists_items(info: GraphQLResolveInfo[Any]) -> bool:
    waiting: list[SelectionSetNode | None] = [node.selection_set for node in info.field_nodes]
    while waiting:
        for chosen in getattr(waiting.pop(), "selections", ()):
            if isinstance(chosen, FieldNode):
                if chosen.name.value in {"nodes", "edges"}:
                    return True
            elif isinstance(chosen, FragmentSpreadNode):
                waiting.append(info.fragments[chosen.name.value].selection_set)
            else:
                waiting.append(chosen.selection_set)
    return False
