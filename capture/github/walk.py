"""Walking a list of GraphQL's page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from capture.github.caller import Answer
from capture.github.graphql import GraphQL
from capture.github.paging import PageSize, Patience
from capture.github.payloads import Page

Item = TypeVar("Item")
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Walk(Generic[Item]):
    """One list: the query that asks for it, and how a page is read from the data, the cursor and the size asked."""

    query: str
    variables: Data
    about: str
    read: Callable[[Data, str | None, int], Page[Item]]

    def pages(self, graphql: GraphQL, patience: Patience, size: PageSize, after: str | None) -> Iterator[Page[Item]]:
        """The pages after a cursor; lazy, and at least one."""
        last = False
        while not last:
            page = patience.ask(size, self._asking(graphql, after))
            yield page
            after, last = page.cursor, page.last

    def _asking(self, graphql: GraphQL, after: str | None) -> Callable[[int], Answer[Page[Item]]]:
        def ask(first: int) -> Answer[Page[Item]]:
            variables = {**self.variables, "first": first, "after": after}
            return graphql.ask(self.query, variables, self.about, lambda data: self.read(data, after, first))

        return ask
