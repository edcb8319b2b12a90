"""Prices, lists and node ids, without a server."""

from __future__ import annotations

import pytest

from console.local.github import generate, node_id
from console.local.github.execution import Engine
from console.local.github.listing import BadCursorError, Listing, Row, read_cursor, write_cursor
from console.local.github.node_ids import read_node_id
from console.local.github.schema import load_schema
from console.local.github.world import World

PAGE = """query ($pulls: Int!) { repository(owner: "o", name: "n") { pullRequests(first: $pulls) { nodes {
    reviews(first: %d) { nodes { id %s } } commits(first: %d) { nodes { id } } comments(first: %d) { nodes { id } }
} } } }"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_schema(), World([generate("o/n", 3)]))


@pytest.mark.parametrize(
    ("pulls", "query", "requests", "points", "nodes"),
    [
        (25, PAGE % (20, "", 50, 30), 76, 1, 2_525),
        (50, PAGE % (20, "", 50, 30), 151, 2, 5_050),
        (25, PAGE % (20, "comments(first: 10) { nodes { id } }", 50, 30), 576, 6, 7_525),
        (50, PAGE % (20, "comments(first: 10) { nodes { id } }", 50, 30), 1_151, 12, 15_050),
        (25, PAGE % (100, "comments(first: 100) { nodes { id } }", 100, 100), 2_576, 26, 257_525),
    ],
)
def test_points_and_nodes_follow_github_s_formula(
    engine: Engine, pulls: int, query: str, requests: int, points: int, nodes: int
) -> None:
    plan = engine.understand({"query": query, "variables": {"pulls": pulls}}).plan

    assert (plan.requests, plan.points, plan.nodes) == (requests, points, nodes)


def test_a_query_of_more_than_half_a_million_nodes_is_refused_whole(engine: Engine) -> None:
    query = PAGE % (100, "comments(first: 100) { nodes { id } }", 100, 100)

    errors = engine.understand({"query": query, "variables": {"pulls": 50}}).errors

    assert errors[0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"
    assert "515,050 possible nodes" in errors[0]["message"]


def test_what_is_not_included_costs_nothing(engine: Engine) -> None:
    query = """query ($with: Boolean!) { repository(owner: "o", name: "n") {
        ...Some @include(if: $with) } } fragment Some on Repository { pullRequests(first: 9) { nodes { id } } }"""

    plans = [engine.understand({"query": query, "variables": {"with": value}}).plan for value in (True, False)]

    assert [plan.nodes for plan in plans] == [9, 0]


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("{ viewer { nope } }", "undefinedField", "Field 'nope' doesn't exist on type 'User'"),
        (
            '{ repository(owner: "o", name: "n") { pullRequests(first: 1, filterBy: {}) { totalCount } } }',
            "argumentNotAccepted",
            "Field 'pullRequests' doesn't accept argument 'filterBy'",
        ),
        ("query Q($x: Int) { viewer { login } }", "variableNotUsed", "Variable $x is declared by Q but not used"),
        ('{ repository(owner: "o") { id } }', "missingRequiredArguments", "Field 'repository' is missing required"),
        ("{ viewer }", "selectionMismatch", "Field must have selections"),
        ("{ viewer { login { x } } }", "selectionMismatch", "Selections can't be made on scalars"),
        ("{ node(id: $x) { id } }", "variableNotDefined", "Variable $x is used by anonymous query but not declared"),
    ],
)
def test_invalid_queries_are_refused_in_github_s_words(engine: Engine, query: str, code: str, words: str) -> None:
    errors = engine.understand({"query": query}).errors

    assert errors[0]["extensions"]["code"] == code
    assert errors[0]["message"].startswith(words)


@pytest.mark.parametrize("descending", [False, True])
def test_a_keyset_page_goes_on_where_it_was_though_rows_moved(descending: bool) -> None:
    keys = {number: f"2020-01-{number:02}" for number in range(1, 21)}
    before = Listing(keys, lambda number: (keys[number], number)).window(first=5, descending=descending)

    keys.pop(before.items[-1])  # the very row of the cursor is deleted
    keys[before.items[0]] = "2021" if not descending else "2019"  # and one that was seen moves to the end
    after = Listing(keys, lambda number: (keys[number], number)).window(
        first=100, after=read_cursor(write_cursor(before.keys[-1])), descending=descending
    )

    assert {*before.items, *after.items} == set(range(1, 21))


@pytest.mark.parametrize("make", [lambda items: Listing(items, lambda n: ("", n)), Row])
def test_pages_from_either_end_meet(make) -> None:
    items = make(range(10))

    first, last = items.window(first=4), items.window(last=6)

    assert first.items + last.items == list(range(10))
    assert (first.has_previous, first.has_next, last.has_previous, last.has_next) == (False, True, True, False)
    assert items.window(last=2, before=last.keys[0]).items == [2, 3]
    assert items.window(first=5, after=last.keys[-1]).items == []


@pytest.mark.parametrize("text", ["", "nonsense", "Y3Vyc29yOnYyOlsx", write_cursor(("a", 1))[:-5]])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(text)


def test_node_ids_can_be_read_back() -> None:
    assert read_node_id(node_id("PullRequest", 2**40)) == ("PullRequest", str(2**40))
    assert read_node_id("MDEwOlJlcG9zaXRvcnkx") is None
