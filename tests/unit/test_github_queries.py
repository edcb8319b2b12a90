"""The queries against GitHub's official schema, and what they cost by GitHub's formula."""

import os
from pathlib import Path

import pytest

from capture.github.graphql import document, points

graphql = pytest.importorskip("graphql")

QUERIES = sorted(path.stem for path in Path("capture/github/queries").glob("*.graphql"))
REFERENCE = os.environ.get("CAPTURE_REFERENCE_DATA")


@pytest.fixture(scope="module")
def schema():
    path = Path(REFERENCE or "") / "github" / "schema.graphql"
    if not REFERENCE or not path.exists():
        pytest.skip("GitHub's schema is not here: CAPTURE_REFERENCE_DATA names no folder with github/schema.graphql")
    return graphql.build_schema(path.read_text("utf-8"), assume_valid=True, assume_valid_sdl=True)


def requests(node, fragments, variables, times=1):
    """How many requests would fill every list below a node, each list assumed full."""
    count = 0
    for selection in node.selection_set.selections if node.selection_set else ():
        if isinstance(selection, graphql.FragmentSpreadNode):
            count += requests(fragments[selection.name.value], fragments, variables, times)
            continue
        sizes = [
            each.value for each in getattr(selection, "arguments", None) or () if each.name.value in ("first", "last")
        ]
        inside = times
        if sizes:
            size = sizes[0]
            inside *= variables[size.name.value] if isinstance(size, graphql.VariableNode) else int(size.value)
            count += times
        count += requests(selection, fragments, variables, inside)
    return count


def test_there_is_a_file_for_each_query():
    assert QUERIES == ["commits", "pull_requests", "repository", "tail_comments", "tail_commits", "tail_reviews"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_valid_against_the_official_schema(schema, query):
    assert graphql.validate(schema, graphql.parse(document(query))) == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_holds_each_fragment_once_and_asks_what_it_costs(query):
    definitions = graphql.parse(document(query)).definitions
    names = [each.name.value for each in definitions]

    assert len(names) == len(set(names))
    assert "Budget" in names


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("size", [1, 2, 11, 12, 17, 25, 49, 50, 100])
def test_the_price_that_is_reserved_is_what_githubs_formula_gives(query, size):
    definitions = graphql.parse(document(query)).definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, graphql.FragmentDefinitionNode)}

    needed = requests(definitions[0], fragments, {"first": size})

    assert points(query, size) == max(1, int(needed / 100 + 0.5))


def test_a_page_of_25_costs_one_point_and_one_of_50_two():
    assert (points("pull_requests", 25), points("pull_requests", 50), points("commits", 100)) == (1, 2, 1)
