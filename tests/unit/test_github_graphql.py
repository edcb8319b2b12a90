"""Errors that come inside a 200."""

import json

import pytest

from capture.errors import Permanent, RateLimited
from capture.github.graphql import data_of
from capture.github.replies import Reply, TooHeavy


def read(body, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return data_of(Reply(200, names, json.dumps(body).encode()), "repository o/n", "token-1")


def test_data_without_errors_is_the_answer():
    assert read({"data": {"repository": {}}}) == {"repository": {}}
    assert read({"data": {"repository": {}}, "errors": []}) == {"repository": {}}


@pytest.mark.parametrize(
    "error",
    [
        {"type": "RATE_LIMIT", "message": "API rate limit exceeded."},
        {"type": "RATE_LIMITED", "message": "API rate limit exceeded."},
        {"message": "You have exceeded a secondary rate limit."},
    ],
)
def test_both_spellings_of_the_limit_and_its_words_are_a_limit(error):
    with pytest.raises(RateLimited) as limit:
        read({"data": {"repository": None}, "errors": [error]}, retry_after="17")

    assert (limit.value.seconds, limit.value.identity) == (17, "token-1")


def test_a_secondary_limit_may_come_as_a_bare_message():
    with pytest.raises(RateLimited):
        read({"message": "You have exceeded a secondary rate limit."})


def test_a_limit_wins_over_other_errors():
    with pytest.raises(RateLimited):
        read({"data": None, "errors": [{"type": "NOT_FOUND", "path": ["repository"]}, {"type": "RATE_LIMITED"}]})


@pytest.mark.parametrize("path", [["repository"], ["node"]])
def test_what_was_asked_for_and_is_not_there_is_permanent(path):
    error = {"type": "NOT_FOUND", "path": path, "message": "Could not resolve."}

    with pytest.raises(Permanent, match=r"^Repository o/n does not exist or is not visible\.$"):
        read({"data": {path[0]: None}, "errors": [error]})


def test_a_part_that_is_not_found_deeper_down_spoils_only_the_page():
    error = {"type": "NOT_FOUND", "path": ["repository", "pullRequests", "nodes", 3], "message": "Could not resolve."}

    with pytest.raises(TooHeavy):
        read({"data": {"repository": {}}, "errors": [error]})


@pytest.mark.parametrize(
    "error",
    [
        {"type": "FORBIDDEN", "message": "Resource protected by organization SAML enforcement."},
        {"type": "INVALID_CURSOR_ARGUMENTS", "message": "`x` does not appear to be a valid cursor."},
        {"message": "Too many nodes.", "extensions": {"code": "MAX_NODE_LIMIT_EXCEEDED"}},
    ],
)
def test_a_refusal_of_what_was_asked_is_permanent(error):
    with pytest.raises(Permanent):
        read({"data": {"repository": None}, "errors": [error]})


def test_an_invalid_query_is_our_bug_and_permanent():
    error = {"message": "Field 'x' doesn't exist on type 'PullRequest'", "locations": [{"line": 1, "column": 2}]}

    with pytest.raises(Permanent, match="our query"):
        read({"errors": [{**error, "extensions": {"code": "undefinedField"}}]})
    with pytest.raises(Permanent, match="our query"):
        read({"errors": [error]})


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"repository": {}}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Too much."}]},
        {"data": None, "errors": [{"message": "Something went wrong while executing your query."}]},
        {"errors": [{"message": "Something went wrong while executing your query.", "locations": []}]},
        {"data": {"repository": {}}, "errors": [{"type": "A_NEW_ONE", "message": "?"}]},
        {"data": {"repository": {}}, "errors": ["?"]},
        {"data": {"repository": {}}, "errors": "?"},
        {"data": None},
        {"data": []},
        {},
        [],
        None,
        "no",
    ],
)
def test_anything_else_but_whole_data_is_asked_again_smaller(body):
    with pytest.raises(TooHeavy):
        read(body)
