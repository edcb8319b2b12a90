"""The stand-in over real connections: whole walks, limits, states of a repository."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from console.local.github import Dataset, Limits, StandIn, generate, load_dataset, node_id

NAME = "octo/hello"
PAGES = """
query Pages($owner: String!, $name: String!, $first: Int!, $after: String, $field: IssueOrderField!, $to: OrderDirection!) {
  rateLimit { cost limit remaining used nodeCount resetAt }
  repository(owner: $owner, name: $name) {
    nameWithOwner
    pullRequests(first: $first, after: $after, orderBy: {field: $field, direction: $to}) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes {
        id databaseId fullDatabaseId number title body state isDraft updatedAt
        author { __typename login ... on User { databaseId } ... on Bot { databaseId } }
        headRepository { nameWithOwner }
        reviews(first: 20) { ...Rest totalCount nodes { fullDatabaseId author { login } } }
        commits(first: 50) { totalCount pageInfo { hasNextPage endCursor } nodes { commit { oid authoredDate } } }
        comments(first: 30) { totalCount pageInfo { hasNextPage endCursor } nodes { fullDatabaseId body } }
      }
    }
  }
}
fragment Rest on PullRequestReviewConnection { pageInfo { hasNextPage endCursor } }
"""
TAILS = {
    "reviews": "reviews(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { fullDatabaseId } }",
    "commits": "commits(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { commit { oid } } }",
    "comments": "comments(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { fullDatabaseId body } }",
}
HISTORY = """
query History($owner: String!, $name: String!, $after: String) { repository(owner: $owner, name: $name) {
  defaultBranchRef { name target { ... on Commit { history(first: 100, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { oid } } } } } } }
"""


class Caller:
    """Asks a stand-in as a client would, without any of our client's code."""

    def __init__(self, url: str, token: str | None = "secret") -> None:
        self.url = url
        self.http = urllib3.PoolManager(retries=False, timeout=10)
        self.headers = {"authorization": f"bearer {token}"} if token else {}

    def graphql(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables})
        return self.http.request("POST", f"{self.url}/graphql", body=body, headers=self.headers, redirect=False)

    def ask(self, query: str, **variables: Any) -> Any:
        return json.loads(self.graphql(query, **variables).data)

    def get(self, path: str, **headers: str) -> Any:
        url = path if path.startswith("http") else self.url + path
        return self.http.request("GET", url, headers={**self.headers, **headers}, redirect=False)

    def walk(self, path: str) -> list[Any]:
        found, url = [], path
        while url:
            reply = self.get(url)
            found += json.loads(reply.data)
            links = dict(reversed(link.split("; ")) for link in reply.headers.get("link", "").split(", ") if link)
            url = links.get('rel="next"', "").strip("<>")
        return found

    def pulls(self, name: str, first: int = 25, field: str = "CREATED_AT", to: str = "ASC") -> Iterator[list[Any]]:
        owner, _, short = name.partition("/")
        after, more = None, True
        while more:
            answer = self.ask(PAGES, owner=owner, name=short, first=first, after=after, field=field, to=to)
            assert "errors" not in answer
            page = answer["data"]["repository"]["pullRequests"]
            yield page["nodes"]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    def whole(self, pull: Any, kind: str) -> list[Any]:
        nodes, info = list(pull[kind]["nodes"]), pull[kind]["pageInfo"]
        query = (
            f"query Tail($id: ID!, $after: String!) {{ node(id: $id) {{ ... on PullRequest {{ {TAILS[kind]} }} }} }}"
        )
        while info["hasNextPage"]:
            rest = self.ask(query, id=pull["id"], after=info["endCursor"])["data"]["node"][kind]
            nodes, info = nodes + rest["nodes"], rest["pageInfo"]
        return nodes


def reference() -> list[Any]:
    folder = os.environ.get("CAPTURE_REFERENCE_DATA", "")
    path = Path(folder) / "data" / "dramatiq.json"
    absent = not folder or not path.is_file()
    reason = "CAPTURE_REFERENCE_DATA names no folder with the reference data"
    return [pytest.param(path, id="dramatiq", marks=pytest.mark.skipif(absent, reason=reason))]


@pytest.fixture(scope="module", params=["generated", *reference()])
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return generate(NAME, 200, seed=7) if request.param == "generated" else load_dataset(request.param)


@pytest.fixture(scope="module")
def github(dataset: Dataset) -> Iterator[StandIn]:
    with StandIn([dataset]) as stand_in:
        yield stand_in


@pytest.fixture
def caller(github: StandIn) -> Caller:
    github.reset()
    return Caller(github.url)


@pytest.fixture(scope="module")
def awkward() -> Iterator[tuple[Caller, Dataset]]:
    dataset = generate(NAME, 200, seed=7)
    with StandIn([dataset]) as stand_in:
        yield Caller(stand_in.url), dataset


@pytest.fixture
def small() -> Iterator[StandIn]:
    with StandIn([generate(NAME, 30, seed=1), generate("octo/none", empty=True)]) as stand_in:
        yield stand_in


def test_a_graphql_walk_with_tails_meets_everything_exactly_once(caller: Caller, dataset: Dataset) -> None:
    truth = {pull["n"]: pull for pull in dataset.data["pulls"]}
    pulls = [pull for page in caller.pulls(dataset.name) for pull in page]

    assert sorted(pull["number"] for pull in pulls) == sorted(truth)
    for pull in pulls:
        known = truth[pull["number"]]
        assert pull["fullDatabaseId"] == str(known["id"])
        assert pull["databaseId"] == (known["id"] if known["id"] < 2**31 else None)
        assert pull["body"] == (known["body"] or "")
        assert (pull["author"] is None) == (known["author"] is None)
        for kind in ("reviews", "comments"):
            ids = [node["fullDatabaseId"] for node in caller.whole(pull, kind)]
            assert sorted(ids) == sorted(str(item["id"]) for item in known[kind])
            assert pull[kind]["totalCount"] == len(ids)
        assert [node["commit"]["oid"] for node in caller.whole(pull, "commits")] == known["commits"]


@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT"])
@pytest.mark.parametrize("to", ["ASC", "DESC"])
def test_every_order_lists_every_pull_request_in_order(caller: Caller, dataset: Dataset, field: str, to: str) -> None:
    key = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}[field]
    truth = {pull["n"]: pull[key] for pull in dataset.data["pulls"]}

    numbers = [pull["number"] for page in caller.pulls(dataset.name, 50, field, to) for pull in page]
    times = [truth[number] for number in numbers]

    assert sorted(numbers) == sorted(truth)
    assert times == sorted(times, reverse=to == "DESC")


def test_the_history_of_the_default_branch_comes_whole_and_in_order(caller: Caller, dataset: Dataset) -> None:
    owner, _, name = dataset.name.partition("/")
    shas, after, more = [], None, True
    while more:
        answer = caller.ask(HISTORY, owner=owner, name=name, after=after)
        page = answer["data"]["repository"]["defaultBranchRef"]["target"]["history"]
        shas += [node["oid"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert shas == dataset.data["history"]
    assert page["totalCount"] == len(shas)


def test_rest_lists_are_complete_through_their_links(caller: Caller, dataset: Dataset) -> None:
    data, root = dataset.data, f"/repos/{dataset.name}"

    def ids(kind: str, places: str = "pulls") -> list[int]:
        return sorted(item["id"] for place in data[places] for item in place[kind])

    pulls = caller.walk(f"{root}/pulls?state=all&per_page=50")
    comments = caller.walk(f"{root}/pulls/comments?sort=created&direction=asc&per_page=100")
    talk = caller.walk(f"{root}/issues/comments?sort=updated&direction=asc&per_page=100")
    commits = caller.walk(f"{root}/commits?per_page=100")
    mixed = caller.walk(f"{root}/issues?state=all&per_page=100")

    assert sorted(pull["number"] for pull in pulls) == sorted(pull["n"] for pull in data["pulls"])
    assert sorted(item["id"] for item in comments) == ids("review_comments")
    assert [item["created_at"] for item in comments] == sorted(item["created_at"] for item in comments)
    assert sorted(item["id"] for item in talk) == sorted(ids("comments") + ids("comments", "issues"))
    assert [commit["sha"] for commit in commits] == data["history"]
    assert len(mixed) == len(data["pulls"]) + len(data["issues"])


def test_the_same_thing_has_the_same_node_id_in_graphql_and_rest(caller: Caller, dataset: Dataset) -> None:
    graphql = {pull["number"]: pull["id"] for page in caller.pulls(dataset.name, 100) for pull in page}
    rest = {
        pull["number"]: pull["node_id"] for pull in caller.walk(f"/repos/{dataset.name}/pulls?state=all&per_page=100")
    }
    known = dataset.data["pulls"][0]

    assert graphql == rest
    assert graphql[known["n"]] == node_id("PullRequest", known["id"])


def test_ghosts_bots_null_bodies_and_deleted_forks_differ_as_on_github(awkward: tuple[Caller, Dataset]) -> None:
    caller, dataset = awkward
    graphql = {pull["number"]: pull for page in caller.pulls(dataset.name, 100) for pull in page}
    edges, root = dataset.data["edges"], f"/repos/{dataset.name}/pulls"

    def rest(case: str) -> Any:
        return json.loads(caller.get(f"{root}/{edges[case][0]}").data)

    bot, ghost, null, fork = (rest(f"{case}") for case in ("bot_author", "ghost_author", "null_body", "deleted_fork"))
    assert (ghost["user"]["login"], ghost["user"]["id"]) == ("ghost", 10137)
    assert graphql[ghost["number"]]["author"] is None
    assert (bot["user"]["login"], bot["user"]["type"]) == ("dependabot[bot]", "Bot")
    assert graphql[bot["number"]]["author"] == {"__typename": "Bot", "login": "dependabot", "databaseId": 49699333}
    assert null["body"] is None
    assert graphql[null["number"]]["body"] == ""
    assert fork["head"]["repo"] is None
    assert graphql[fork["number"]]["headRepository"] is None
    reviews = caller.walk(f"{root}/{edges['ghosts_talk'][0]}/reviews")
    assert any(review["user"] is None for review in reviews)
    pending = caller.walk(f"{root}/{edges['pending_review'][0]}/reviews")
    assert ["submitted_at" in review for review in pending if review["state"] == "PENDING"] == [False]
    assert len(caller.walk(f"{root}/{edges['over_250_commits'][0]}/commits?per_page=100")) == 250
    half = caller.walk(f"{root[:-6]}/issues/{edges['lone_surrogate'][0]}/comments")
    assert any("\ud83d" in comment["body"] for comment in half)


def test_review_comments_without_a_review_are_in_threads_and_in_rest_only(awkward: tuple[Caller, Dataset]) -> None:
    caller, dataset = awkward
    query = """query Threads($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) {
      pullRequest(number: $number) {
        reviews(first: 100) { nodes { comments(first: 100) { nodes { fullDatabaseId } } } }
        reviewThreads(first: 100) { nodes { id comments(first: 100) { nodes {
          fullDatabaseId path pullRequestReview { id } } } } } } } }"""
    number = dataset.data["edges"]["review_comment_without_review"][0]
    owner, _, name = dataset.name.partition("/")

    pull = caller.ask(query, owner=owner, name=name, number=number)["data"]["repository"]["pullRequest"]
    of_reviews = {node["fullDatabaseId"] for review in pull["reviews"]["nodes"] for node in review["comments"]["nodes"]}
    of_threads = {
        node["fullDatabaseId"]: node["pullRequestReview"]
        for thread in pull["reviewThreads"]["nodes"]
        for node in thread["comments"]["nodes"]
    }
    of_rest = {str(item["id"]) for item in caller.walk(f"/repos/{dataset.name}/pulls/{number}/comments")}

    assert of_threads.keys() == of_rest > of_reviews
    assert [review for review in of_threads.values() if review is None]


def test_single_things_are_answered(caller: Caller, dataset: Dataset) -> None:
    data, root = dataset.data, f"/repos/{dataset.name}"
    pull = max(data["pulls"], key=lambda each: len(each["review_comments"]))
    review = next(each for each in pull["reviews"] if any(c["review"] == each["id"] for c in pull["review_comments"]))
    talked = next(each for each in data["pulls"] if each["comments"])
    person = next(login for login, user in data["users"].items() if user["type"] == "User")
    paths = [
        root,
        f"/repositories/{data['repo']['id']}",
        f"{root}/pulls/{pull['n']}",
        f"{root}/pulls/{pull['n']}/reviews/{review['id']}/comments",
        f"{root}/pulls/comments/{pull['review_comments'][0]['id']}",
        f"{root}/issues/{pull['n']}",
        f"{root}/issues/comments/{talked['comments'][0]['id']}",
        f"{root}/commits/{data['history'][0]}",
        f"/users/{person}",
        "/user",
        "/rate_limit",
        f"/api/v3{root}",
    ]

    assert {path: caller.get(path).status for path in paths} == dict.fromkeys(paths, 200)
    assert caller.get(f"{root}/pulls/999999").status == 404
    assert caller.get(f"{root}/commits/{'0' * 40}").status == 422
    assert caller.get("/nonsense").status == 404


def test_a_list_needs_a_size_of_at_most_a_hundred_and_a_cursor_of_ours(caller: Caller, dataset: Dataset) -> None:
    owner, _, name = dataset.name.partition("/")
    head = f'{{ repository(owner: "{owner}", name: "{name}") {{ '

    def kind(arguments: str, inside: str = "nodes { id }") -> str:
        answer = caller.ask(f"{head} pullRequests{arguments} {{ {inside} }} }} }}")
        return answer["errors"][0]["type"] if "errors" in answer else "fine"

    assert kind("") == "MISSING_PAGINATION_BOUNDARIES"
    assert kind("(first: 101)") == "EXCESSIVE_PAGINATION"
    assert kind('(first: 1, after: "mine")') == "INVALID_CURSOR_ARGUMENTS"
    assert kind("", "totalCount") == "fine"
    assert kind("(last: 2, states: [OPEN])") == "fine"


def test_what_the_stand_in_does_not_hold_is_null_or_a_clear_error(caller: Caller, dataset: Dataset) -> None:
    if not os.environ.get("CAPTURE_REFERENCE_DATA"):
        pytest.skip("CAPTURE_REFERENCE_DATA names no folder with the reference data")
    owner, _, name = dataset.name.partition("/")
    query = "query Q($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { stargazerCount } }"

    answer = caller.ask(query, owner=owner, name=name)

    assert answer["data"]["repository"] is None
    assert answer["errors"][0]["message"] == "The stand-in holds no data for Repository.stargazerCount."


def test_every_reply_carries_the_budget_and_graphql_s_is_separate(caller: Caller, dataset: Dataset) -> None:
    query = "{ viewer { login } rateLimit { cost remaining } }"

    first, second = caller.graphql(query), caller.graphql(query)
    rest = caller.get(f"/repos/{dataset.name}")

    assert [reply.headers["x-ratelimit-remaining"] for reply in (first, second, rest)] == ["4999", "4998", "4999"]
    assert [reply.headers["x-ratelimit-resource"] for reply in (first, rest)] == ["graphql", "core"]
    assert json.loads(second.data)["data"]["rateLimit"] == {"cost": 1, "remaining": 4998}
    assert {"date", "x-github-request-id", "x-ratelimit-reset"} <= {name.lower() for name in rest.headers}


def test_an_unchanged_page_is_304_and_free(caller: Caller, dataset: Dataset) -> None:
    path = f"/repos/{dataset.name}/pulls?per_page=5"

    first = caller.get(path)
    again = caller.get(path, **{"if-none-match": first.headers["etag"]})

    assert (again.status, again.data) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]


def test_a_spent_budget_refuses_until_the_reset_and_counts_calls_while_blocked() -> None:
    with StandIn([generate(NAME, 5)], limits=Limits(points=2, requests=1, window_seconds=0.5)) as github:
        caller = Caller(github.url)
        spent = [caller.ask("{ viewer { login } }") for _ in range(3)][-1]
        refused = [caller.get(f"/repos/{NAME}") for _ in range(2)][-1]

        assert spent["errors"][0]["type"] == "RATE_LIMIT"
        assert (refused.status, refused.headers["x-ratelimit-remaining"]) == (403, "0")
        assert github.stats()["calls_while_blocked"] == 2
        deadline = time.monotonic() + 5
        while caller.get(f"/repos/{NAME}").status != 200:
            assert time.monotonic() < deadline
        assert "data" in caller.ask("{ viewer { login } }")


def test_without_a_token_rest_is_short_and_graphql_closed(small: StandIn) -> None:
    nobody = Caller(small.url, token=None)

    assert nobody.graphql("{ viewer { login } }").status == 401
    assert nobody.get(f"/repos/{NAME}").headers["x-ratelimit-limit"] == "60"


def test_a_refused_token_is_a_bad_credential(small: StandIn) -> None:
    small.refuse_token("stolen")

    assert Caller(small.url, "stolen").get(f"/repos/{NAME}").status == 401
    assert Caller(small.url, "good").get(f"/repos/{NAME}").status == 200
    assert "stolen" not in json.dumps(small.log)


def test_a_missing_a_blocked_an_empty_and_a_gone_repository_say_so(small: StandIn) -> None:
    caller = Caller(small.url)
    query = 'query Q($name: String!) { repository(owner: "octo", name: $name) { isEmpty defaultBranchRef { name } } }'

    missing = caller.ask(query, name="nowhere")
    empty = caller.ask(query, name="none")

    assert missing["data"] == {"repository": None}
    assert missing["errors"][0]["type"] == "NOT_FOUND"
    assert missing["errors"][0]["message"] == "Could not resolve to a Repository with the name 'octo/nowhere'."
    assert empty["data"]["repository"] == {"isEmpty": True, "defaultBranchRef": None}
    assert caller.get("/repos/octo/nowhere").status == 404
    assert caller.get("/repos/octo/none/commits").status == 409
    small.set_state(NAME, "blocked")
    assert (caller.get(f"/repos/{NAME}").status, caller.ask(query, name="hello")["data"]["repository"]) == (451, None)
    small.set_state(NAME, "gone")
    assert caller.get(f"/repos/{NAME}").status == 404


def test_a_renamed_repository_is_followed_by_graphql_and_redirected_by_rest(small: StandIn) -> None:
    small.rename(NAME, "octo/goodbye")
    caller = Caller(small.url)

    moved = caller.get(f"/repos/{NAME}/pulls?state=all&per_page=2")
    followed = caller.get(moved.headers["location"])
    answer = caller.ask('{ repository(owner: "octo", name: "hello") { nameWithOwner } }')
    strict = caller.ask('{ repository(owner: "octo", name: "hello", followRenames: false) { nameWithOwner } }')

    assert moved.status == 301
    assert (followed.status, len(json.loads(followed.data))) == (200, 2)
    assert "/repositories/" in followed.headers["link"] or f"/repos/{NAME}" not in followed.headers["link"]
    assert answer["data"]["repository"]["nameWithOwner"] == "octo/goodbye"
    assert strict["data"]["repository"] is None


def test_people_can_be_renamed_and_their_logins_used_again(small: StandIn) -> None:
    caller = Caller(small.url)
    login = json.loads(caller.get(f"/repos/{NAME}/pulls?state=all&per_page=100").data)[0]["user"]["login"]
    before = json.loads(caller.get(f"/users/{login}").data)

    small.rename_user(login, "somebody-new", reused_by=77)

    assert json.loads(caller.get("/users/somebody-new").data)["id"] == before["id"]
    assert json.loads(caller.get(f"/users/{login}").data)["id"] == 77


def test_edits_between_two_pages_lose_nothing_and_show_in_the_truth(small: StandIn) -> None:
    caller, truth = Caller(small.url), small.truth(NAME)
    pages = caller.pulls(NAME, 10, "UPDATED_AT", "ASC")
    seen = [pull["number"] for pull in next(pages)]

    small.edit_pull(NAME, seen[0], title="Another title")
    small.delete_pull(NAME, seen[-1])
    small.force_push(NAME, seen[1])
    review = {"id": 5, "state": "APPROVED", "author": None, "body": "", "at": "2024-01-01T00:00:00Z", "commit": None}
    small.put_item(NAME, seen[2], "reviews", review, touch=False)
    rest = [pull for page in pages for pull in page]

    assert {*seen, *(pull["number"] for pull in rest)} == {pull["n"] for pull in truth["pulls"]} | {seen[-1]}
    assert next(pull["title"] for pull in rest if pull["number"] == seen[0]) == "Another title"
    assert len(next(pull for pull in small.truth(NAME)["pulls"] if pull["n"] == seen[1])["commits"]) == 1
    assert 5 in [review["id"] for review in caller.walk(f"/repos/{NAME}/pulls/{seen[2]}/reviews")]
    small.delete_item(NAME, seen[2], "reviews", 5)
    assert 5 not in [review["id"] for review in caller.walk(f"/repos/{NAME}/pulls/{seen[2]}/reviews")]


def test_a_page_of_a_large_repository_is_quick() -> None:
    with StandIn([generate("octo/large", 3_000)]) as github:
        caller = Caller(github.url)
        list(zip(range(10), caller.pulls("octo/large", 25), strict=False))

        seconds = sorted(entry["seconds"] for entry in github.log)

    assert seconds[len(seconds) // 2] < 0.5
