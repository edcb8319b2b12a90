"""What a query costs, by GitHub's published formula, and which list it pages through; all before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
    get_named_type,
)
from graphql.type import GraphQLField, GraphQLIncludeDirective, GraphQLSkipDirective

MOST_NODES = 500_000


@dataclass(slots=True)
class Plan:
    """What can be said of a query without running it."""

    requests: int = 0
    """Requests needed to fill every list, assuming each is full."""
    nodes: int = 0
    roots: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The fields of the query itself, with their arguments."""
    lists: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The lists that are in no other list, with their arguments."""

    @property
    def points(self) -> int:
        """What GitHub charges: a hundredth of the requests, rounded, at least one."""
        return max(1, int(self.requests / 100 + 0.5))

    @property
    def paged(self) -> tuple[str, dict[str, Any]] | None:
        """The list that the query pages through: the first with a cursor, else the first."""
        asked = [(name, args) for name, args in self.lists if args.get("first") or args.get("last")]
        further = [(name, args) for name, args in asked if args.get("after") or args.get("before")]
        return next(iter([*further, *asked]), None)


class Planner:
    """Walks one operation with the variables it was sent with."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode], variables: Any) -> None:
        self.schema = schema
        self.fragments = fragments
        self.variables = variables
        self.plan = Plan()

    def walk(self, operation: OperationDefinitionNode) -> Plan:
        """The plan of the operation."""
        root = self.schema.get_root_type(operation.operation)
        for node, kind in self._fields(operation.selection_set, root):
            definition = getattr(kind, "fields", {}).get(node.name.value)
            if definition is not None:
                self.plan.roots.append((node.name.value, self._arguments(definition, node)))
        self._visit(operation.selection_set, root, 1, outside=True)
        return self.plan

    def _visit(self, chosen: SelectionSetNode | None, kind: Any, times: int, outside: bool) -> None:
        for node, parent in self._fields(chosen, kind):
            definition = getattr(parent, "fields", {}).get(node.name.value)
            if definition is None:
                continue
            below, inner, still_outside = times, get_named_type(definition.type), outside
            if inner.name.endswith("Connection"):
                args = self._arguments(definition, node)
                size = args.get("first") or args.get("last") or 0
                self.plan.requests += times
                self.plan.nodes += times * size
                below, still_outside = times * max(size, 1), False
                if outside:
                    self.plan.lists.append((node.name.value, args))
            elif node.name.value == "nodes" and parent is self.schema.query_type:
                below = times * max(len(self._arguments(definition, node).get("ids") or ()), 1)
            self._visit(node.selection_set, inner, below, still_outside)

    def _fields(self, chosen: SelectionSetNode | None, kind: Any) -> Iterator[tuple[FieldNode, Any]]:
        for node in chosen.selections if chosen else ():
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                yield node, kind
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                yield from self._fields(
                    fragment.selection_set, self.schema.get_type(fragment.type_condition.name.value)
                )
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else kind
                yield from self._fields(node.selection_set, inner)

    def _included(self, node: Any) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip or {}).get("if", False) and (include or {}).get("if", True)

    def _arguments(self, definition: GraphQLField, node: FieldNode) -> dict[str, Any]:
        return dict(get_argument_values(definition, node, self.variables))
