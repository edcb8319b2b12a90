"""One normalisation for GraphQL and REST."""

from datetime import UTC, datetime

import pytest

from capture.github import parse_graphql, parse_rest
from capture.github.normalise import flag, moment, number, reading, text
from capture.github.payloads import Contributor
from capture.github.replies import TooHeavy

MONA = {"__typename": "User", "login": "mona", "id": "U_1", "databaseId": 1, "name": "Mona"}


def a_page(nodes=(), more=False, end=None, total=None):
    total = len(nodes) if total is None else total
    return {"totalCount": total, "pageInfo": {"hasNextPage": more, "endCursor": end}, "nodes": list(nodes)}


def a_commit(**changes):
    node = {
        "oid": "a" * 40,
        "message": "Fix",
        "author": {"name": "Mona", "user": MONA},
        "authoredDate": "2026-01-01T00:00:00Z",
        "committedDate": "2026-01-01T00:00:00Z",
        "additions": 1,
        "deletions": 2,
    }
    return {**node, **changes}


def a_review(**changes):
    node = {
        "fullDatabaseId": "3000000000",
        "author": MONA,
        "state": "APPROVED",
        "body": "",
        "submittedAt": "2026-01-01T00:00:00Z",
        "commit": None,
    }
    return {**node, **changes}


def a_pull_request(**changes):
    node = {
        "id": "PR_1",
        "fullDatabaseId": "3000000001",
        "number": 7,
        "title": "A title",
        "body": "A body",
        "state": "OPEN",
        "isDraft": False,
        "author": MONA,
        "mergedBy": None,
        "baseRefName": "main",
        "headRefName": "topic",
        "headRefOid": "b" * 40,
        "mergeCommit": None,
        "additions": 1,
        "deletions": 2,
        "changedFiles": 3,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "closedAt": None,
        "mergedAt": None,
        "reviews": a_page(),
        "commits": a_page(),
        "comments": a_page(),
    }
    return {**node, **changes}


def a_review_comment(**changes):
    node = {
        "id": 3000000002,
        "pull_request_review_id": 5,
        "pull_request_url": "https://api.github.com/repos/octo/hello/pulls/7",
        "user": {"id": 1, "node_id": "U_1", "login": "mona", "type": "User"},
        "path": "a.py",
        "body": "Why?",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }
    return {**node, **changes}


def test_what_postgresql_cannot_store_becomes_the_replacement_character():
    assert text("a\x00b\ud800c\udfffd") == "a\ufffdb\ufffdc\ufffdd"
    assert text("😀 ‏שלום") == "😀 ‏שלום"
    assert text(None) == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00+05:45", datetime(2025, 12, 31, 18, 15, tzinfo=UTC)),
        ("2026-01-01T00:00:00.250-07:00", datetime(2026, 1, 1, 7, 0, 0, 250_000, tzinfo=UTC)),
        ("1901-12-13T20:45:52Z", datetime(1901, 12, 13, 20, 45, 52, tzinfo=UTC)),
        ("2099-01-01T00:00:00+14:00", datetime(2098, 12, 31, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_aware_and_in_utc_whatever_its_year_and_zone(written, meant):
    assert moment(written) == meant
    assert moment(written).tzinfo is UTC


@pytest.mark.parametrize("written", ["2026-01-01T00:00:00", "yesterday", "", None, 5, "0001-01-01T00:00:00+01:00"])
def test_what_is_no_time_with_a_zone_spoils_the_page(written):
    with pytest.raises(TooHeavy), reading("repository o/n"):
        moment(written)


@pytest.mark.parametrize(("value", "meant"), [("9007199254740993", 9007199254740993), (2**40, 2**40), (0, 0)])
def test_an_id_is_a_whole_number_also_where_it_is_sent_as_text(value, meant):
    assert number(value) == meant


@pytest.mark.parametrize("value", [None, True, 1.0, "x", [], {}])
def test_nothing_else_is_a_whole_number(value):
    with pytest.raises((TypeError, ValueError)):
        number(value)


def test_nothing_but_true_and_false_is_a_flag():
    with pytest.raises(TypeError):
        flag(None)


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (MONA, Contributor(1, "U_1", "mona", "User", "Mona")),
        ({**MONA, "name": None}, Contributor(1, "U_1", "mona", "User", None)),
        (
            {"__typename": "Bot", "login": "dependabot", "id": "B", "databaseId": 2},
            Contributor(2, "B", "dependabot", "Bot"),
        ),
        ({"__typename": "Mannequin", "login": "m", "id": "M", "databaseId": 3}, Contributor(3, "M", "m", "Mannequin")),
        (
            {"__typename": "Organization", "login": "o", "id": "O", "databaseId": 4, "name": "Org"},
            Contributor(4, "O", "o", "Organization", "Org"),
        ),
        ({"__typename": "EnterpriseUserAccount", "login": "e", "avatarUrl": "https://a.example/u/5?v=4"}, None),
        ({**MONA, "login": "dependabot[bot]", "name": None}, Contributor(1, "U_1", "dependabot", "Bot")),
        (
            {**MONA, "databaseId": None, "avatarUrl": "https://avatars.example/u/3000000001?s=1&v=4"},
            Contributor(3000000001, "U_1", "mona", "User", "Mona"),
        ),
        ({**MONA, "databaseId": None, "avatarUrl": "https://avatars.example/in/15368?v=4"}, None),
        ({"__typename": "User", "login": "ghost", "id": "G", "databaseId": 10137, "name": None}, None),
        (
            {"__typename": "User", "login": "real", "id": "R", "databaseId": 10137, "name": None},
            Contributor(10137, "R", "real", "User"),
        ),
        (None, None),
    ],
)
def test_an_account_of_graphql_is_a_contributor_by_its_id_or_nobody(account, expected):
    assert parse_graphql.person(account) == expected


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (
            {"id": 2, "node_id": "B", "login": "dependabot[bot]", "type": "Bot"},
            Contributor(2, "B", "dependabot", "Bot"),
        ),
        ({"id": 10137, "node_id": "G", "login": "ghost", "type": "User"}, None),
        (None, None),
    ],
)
def test_an_account_of_rest_is_the_same_contributor_or_nobody(account, expected):
    assert parse_rest.person(account) == expected


def test_a_review_comment_says_where_it_belongs():
    comment = parse_rest.review_comment(a_review_comment(pull_request_review_id=None, user=None, body=None))

    assert (comment.github_id, comment.pull_request_number, comment.review_github_id) == (3000000002, 7, None)
    assert (comment.author, comment.body) == (None, "")


def test_a_pending_review_does_not_appear():
    reviews = a_page([a_review(state="PENDING", submittedAt=None), a_review(fullDatabaseId="4")])

    assert [each.github_id for each in parse_graphql.pull_request(a_pull_request(reviews=reviews)).reviews] == [4]


def test_a_commit_without_an_account_keeps_the_name_that_git_knows():
    commit = parse_graphql.commit(a_commit(author={"name": "A. U. Thor", "user": None}))
    assert (commit.author, commit.author_name) == (None, "A. U. Thor")

    commit = parse_graphql.commit(a_commit(author=None))
    assert (commit.author, commit.author_name) == (None, "")


def test_a_list_longer_than_its_first_page_leaves_a_tail():
    node = a_pull_request(commits=a_page([{"commit": a_commit()}], more=True, end="c50", total=312))

    pull_request = parse_graphql.pull_request(node)

    (tail,) = pull_request.tails
    assert (tail.list_name, tail.cursor, tail.total) == ("commits", "c50", 312)
    assert (tail.pull_request_github_id, tail.pull_request_node_id) == (3000000001, "PR_1")
    assert len(pull_request.commits) == 1


@pytest.mark.parametrize(
    "part",
    [
        part
        for part in a_pull_request()
        if part not in ("author", "mergedBy", "mergeCommit", "closedAt", "mergedAt", "body")
    ],
)
def test_a_null_where_there_must_be_something_spoils_the_page(part):
    with pytest.raises(TooHeavy), reading("repository o/n"):
        parse_graphql.pull_request(a_pull_request(**{part: None}))


@pytest.mark.parametrize("part", list(a_pull_request()))
def test_a_missing_part_spoils_the_page(part):
    node = a_pull_request()
    del node[part]

    with pytest.raises(TooHeavy), reading("repository o/n"):
        parse_graphql.pull_request(node)


@pytest.mark.parametrize("part", list(a_review_comment()))
def test_a_missing_part_of_a_review_comment_spoils_the_page(part):
    node = a_review_comment()
    del node[part]

    with pytest.raises(TooHeavy), reading("repository o/n"):
        parse_rest.review_comment(node)


@pytest.mark.parametrize(
    "connection",
    [
        None,
        {},
        a_page([None]),
        a_page([], more=True, end=None),
        a_page([], more=True, end="here"),
        {**a_page(), "totalCount": None},
        {**a_page(), "nodes": None},
        {**a_page(), "pageInfo": None},
        {**a_page(), "pageInfo": {"hasNextPage": None, "endCursor": None}},
    ],
)
def test_a_page_with_a_hole_or_without_a_way_on_is_never_read(connection):
    with pytest.raises(TooHeavy), reading("repository o/n"):
        parse_graphql.page(connection, parse_graphql.comment, after="here", size=25)
