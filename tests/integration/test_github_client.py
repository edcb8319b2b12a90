"""The client against the stand-in: every list whole, from any cursor, through faults."""

import os
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

import capture.github
from capture.clock import SystemClock
from capture.errors import Permanent, RateLimited, Refused
from capture.github import GitHub
from capture.github.payloads import Tail
from capture.settings import Settings
from console.local.github import StandIn, generate, load_dataset

REPOSITORY = "octo/hello"
PULL_REQUESTS = 200
REFERENCE = os.environ.get("CAPTURE_REFERENCE_DATA")


class QuietClock(SystemClock):
    def sleep(self, seconds):
        pass


@pytest.fixture(scope="module")
def server():
    datasets = [generate(REPOSITORY, pull_requests=PULL_REQUESTS, seed=1), generate("octo/empty", empty=True)]
    with StandIn(datasets) as server:
        yield server


@pytest.fixture
def stand_in(server):
    server.reset()
    return server


@pytest.fixture
def make_client(stand_in):
    def make(**options):
        return GitHub(stand_in.url, stand_in.url + "/graphql", ["any-token"], clock=QuietClock(), **options)

    return make


@pytest.fixture
def client(make_client):
    return make_client()


def moment(text):
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def storable(text):
    """Said apart from the client's own way of saying it."""
    return "".join("\ufffd" if each == "\0" or 0xD800 <= ord(each) < 0xE000 else each for each in text or "")


def items(pages):
    return [item for page in pages for item in page.items]


def whole_lists(client, name):
    """All pull requests, and per list all of its items by pull request, the tails followed."""
    pull_requests = items(client.pull_requests(name))
    lists = {kind: {} for kind in ("reviews", "commits", "comments")}
    for each in pull_requests:
        for kind, found in lists.items():
            found[each.number] = list(getattr(each, kind))
        for tail in each.tails:
            pages = list(client.tail(tail, after=tail.cursor))
            lists[tail.list_name][each.number] += items(pages)
            assert {page.total for page in pages} == {tail.total} == {len(lists[tail.list_name][each.number])}
    return pull_requests, lists


def test_every_column_of_a_generated_repository_arrives_as_it_is_there(client, stand_in):
    truth = stand_in.truth(REPOSITORY)
    users = truth["users"]

    def who(login):
        return None if login is None else users[login]["id"]

    pull_requests, lists = whole_lists(client, REPOSITORY)

    got = {
        each.number: (
            each.github_id,
            each.title,
            each.body,
            each.state,
            each.draft,
            each.author and each.author.github_id,
            each.merged_by and each.merged_by.github_id,
            (each.base_ref, each.head_ref, each.head_sha, each.merge_commit_sha),
            (each.created_at, each.updated_at, each.closed_at, each.merged_at),
        )
        for each in pull_requests
    }
    assert got == {
        raw["n"]: (
            raw["id"],
            storable(raw["title"]),
            storable(raw["body"]),
            raw["state"],
            raw["draft"],
            who(raw["author"]),
            who(raw["merged_by"]),
            (raw["base"], raw["head"], raw["head_sha"], raw["merge_sha"]),
            tuple(moment(raw[name]) for name in ("created_at", "updated_at", "closed_at", "merged_at")),
        )
        for raw in truth["pulls"]
    }
    for raw in truth["pulls"]:
        assert sorted(
            (each.github_id, each.state, each.body, each.author and each.author.github_id, each.submitted_at)
            for each in lists["reviews"][raw["n"]]
        ) == sorted(
            (each["id"], each["state"], storable(each["body"]), who(each["author"]), moment(each["at"]))
            for each in raw["reviews"]
            if each["state"] != "PENDING"
        )
        assert sorted(
            (each.github_id, each.body, each.author and each.author.github_id, each.created_at, each.updated_at)
            for each in lists["comments"][raw["n"]]
        ) == sorted(
            (each["id"], storable(each["body"]), who(each["author"]), moment(each["created"]), moment(each["updated"]))
            for each in raw["comments"]
        )
        assert Counter(each.sha for each in lists["commits"][raw["n"]]) == Counter(raw["commits"])


def test_commits_of_the_default_branch_arrive_in_order_with_names_dates_and_lines(client, stand_in):
    truth = stand_in.truth(REPOSITORY)
    pages = list(client.commits(REPOSITORY))
    commits = items(pages)

    assert [each.sha for each in commits] == truth["history"]
    assert {page.total for page in pages} == {len(commits)}
    for each in commits:
        raw = truth["commits"][each.sha]
        assert (each.message, each.author_name) == (storable(raw["m"]), storable(raw["a"][0]))
        assert (each.authored_at, each.committed_at) == (moment(raw["a"][2]), moment(raw["c"][2]))
        assert [each.additions, each.deletions] == raw["s"][:2]


def test_review_comments_of_the_whole_repository_arrive_also_those_without_a_review(client, stand_in):
    truth = stand_in.truth(REPOSITORY)

    comments = items(client.review_comments(REPOSITORY))

    pending = {each["id"] for raw in truth["pulls"] for each in raw["reviews"] if each["state"] == "PENDING"}
    assert {
        (each.github_id, each.pull_request_number, each.review_github_id, each.path, each.body, each.updated_at)
        for each in comments
    } == {
        (each["id"], raw["n"], each["review"], each["path"], storable(each["body"]), moment(each["updated"]))
        for raw in truth["pulls"]
        for each in raw["review_comments"]
        if each["review"] not in pending
    }
    assert [each.created_at for each in comments] == sorted(each.created_at for each in comments)
    assert any(each.review_github_id is None for each in comments)


@pytest.mark.parametrize("kind", ["pull_requests", "commits", "review_comments"])
def test_going_on_from_the_cursor_of_any_page_yields_the_same_rest(kind, make_client):
    def walk(**options):
        client = make_client(page_size=20)
        return list(getattr(client, kind)(REPOSITORY, **options))

    pages = walk()

    assert len(pages) > 2
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    for place, page in enumerate(pages[:-1]):
        assert items(walk(after=page.cursor)) == items(pages[place + 1 :])


def test_the_next_request_is_made_when_the_next_page_is_asked_for(client, stand_in):
    pages = client.pull_requests(REPOSITORY)
    assert stand_in.stats()["requests"] == 0

    next(pages)
    assert stand_in.stats()["requests"] == 1


def test_an_empty_repository_yields_one_empty_last_page_of_each_list(client):
    for kind in ("pull_requests", "commits", "review_comments"):
        (page,) = getattr(client, kind)("octo/empty")
        assert (page.items, page.cursor, page.last, page.total) == ((), None, True, 0)
    assert client.repository("octo/empty").default_branch is None


def test_a_repository_that_is_not_there_or_blocked_is_permanent_with_the_reason(stand_in, client):
    for ask in (client.pull_requests, client.commits, client.review_comments):
        with pytest.raises(Permanent, match="octo/nothing does not exist or is not visible"):
            next(ask("octo/nothing"))
    with pytest.raises(Permanent, match="octo/nothing does not exist or is not visible"):
        client.repository("octo/nothing")

    stand_in.fail("unavailable_for_legal_reasons", api="rest")
    with pytest.raises(Permanent, match="451"):
        next(client.review_comments(REPOSITORY))


def test_a_repository_is_found_by_its_former_name_and_tells_todays():
    with StandIn([generate("octo/old", pull_requests=20, seed=2)]) as stand_in:
        client = GitHub(stand_in.url, stand_in.url + "/graphql", ["any"])
        before = items(client.review_comments("octo/old"))
        stand_in.rename("octo/old", "mona/new")

        found = client.repository("octo/old")
        assert (found.owner, found.name, found.pull_requests) == ("mona", "new", 20)
        assert items(client.review_comments("octo/old")) == before
        assert len(items(client.pull_requests("octo/old"))) == 20


@pytest.mark.parametrize("fault", ["bad_gateway", "gateway_timeout", "something_went_wrong", "resource_limits",
                                   "null_data", "not_json", "truncated", "drop_after_headers"])  # fmt: skip
def test_a_page_that_github_cannot_deliver_is_asked_again_halved_and_nothing_is_lost(fault, stand_in, client):
    stand_in.fail(fault, next=2, operation="PullRequests", page=2)

    pages = list(client.pull_requests(REPOSITORY))

    asked = [entry["first"] for entry in stand_in.log]
    assert asked[:4] == [25, 25, 12, 6]
    assert pages[1].size == 6
    assert len({each.github_id for each in items(pages)}) == len(items(pages)) == PULL_REQUESTS
    assert stand_in.stats()["faults"] == 2


def test_a_tight_compute_limit_is_met_by_smaller_pages_and_every_row_still_comes(stand_in, client):
    stand_in.configure(compute_limit_nodes=400)
    try:
        pages = list(client.pull_requests(REPOSITORY))
    finally:
        stand_in.configure(compute_limit_nodes=None)

    assert len({each.github_id for each in items(pages)}) == PULL_REQUESTS
    assert max(page.size for page in pages) < 25


@pytest.mark.parametrize("fault", ["rate_limit", "rate_limited", "secondary_limit", "primary_limit"])
def test_a_limit_is_told_with_its_seconds_and_no_call_is_made_while_blocked(fault, stand_in, client):
    stand_in.fail(fault, operation="PullRequests", page=2, seconds=60, retry_after=60)
    pages = client.pull_requests(REPOSITORY)
    next(pages)

    with pytest.raises(RateLimited) as limit:
        next(pages)
    with pytest.raises(RateLimited):
        next(client.pull_requests(REPOSITORY))

    assert 50 <= limit.value.seconds <= 60
    assert stand_in.stats()["requests"] == 2
    assert stand_in.stats()["calls_while_blocked"] == 0


def test_a_refused_token_is_permanent(stand_in):
    stand_in.refuse_token("bad-token")
    client = GitHub(stand_in.url, stand_in.url + "/graphql", ["bad-token"])

    with pytest.raises(Permanent, match="refuses the token of token-"):
        client.repository(REPOSITORY)


def test_a_cursor_that_is_not_githubs_is_permanent_or_refused(client):
    with pytest.raises(Permanent):
        next(client.pull_requests(REPOSITORY, after="nonsense"))
    for cursor in (
        "nonsense",
        "/user?page=2",
        "/repos/octo/other/pulls/comments?page=2",
        "/repos/octo/hello/pulls/comments",
        "//evil.example/repos/octo/hello/pulls/comments?page=2",
        "http://evil.example/repos/octo/hello/pulls/comments?page=2",
        "/repos/octo/hello/pulls/comments/../../../user?x",
        "/repositories/1/issues/comments?page=2",
    ):
        with pytest.raises(Refused):
            client.review_comments(REPOSITORY, after=cursor)


def test_since_walks_from_the_latest_update_back_and_stops(client, stand_in):
    everything = items(client.pull_requests(REPOSITORY))
    since = sorted({each.updated_at for each in everything})[-10]

    pages = list(client.pull_requests(REPOSITORY, since=since))

    found = items(pages)
    assert {each.number for each in found} == {each.number for each in everything if each.updated_at >= since}
    assert [each.updated_at for each in found] == sorted((each.updated_at for each in found), reverse=True)
    assert {page.total for page in pages} == {None}
    assert pages[-1].last
    assert len(pages) < len(list(client.pull_requests(REPOSITORY)))


def test_since_limits_commits_and_review_comments_too(client):
    commits = items(client.commits(REPOSITORY))
    since = sorted(each.committed_at for each in commits)[-30]
    assert {each.sha for each in items(client.commits(REPOSITORY, since=since))} == {
        each.sha for each in commits if each.committed_at >= since
    }

    comments = items(client.review_comments(REPOSITORY))
    since = sorted(each.updated_at for each in comments)[len(comments) // 2]
    assert {each.github_id for each in items(client.review_comments(REPOSITORY, since=since))} == {
        each.github_id for each in comments if each.updated_at >= since
    }


def test_many_threads_share_one_client_and_one_query_at_a_time_is_in_flight(client, stand_in):
    found = []

    def work():
        found.append(len(items(client.pull_requests(REPOSITORY))))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [PULL_REQUESTS] * 6
    assert max(entry["concurrent"] for entry in stand_in.log) == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.pull_requests("no slash"),
        lambda client: client.pull_requests(REPOSITORY, size=0),
        lambda client: client.pull_requests(REPOSITORY, size=101),
        lambda client: client.pull_requests(REPOSITORY, size=True),
        lambda client: client.pull_requests(REPOSITORY, after=""),
        lambda client: client.pull_requests(REPOSITORY, after="x" * 5000),
        lambda client: client.pull_requests(REPOSITORY, since=datetime(2026, 1, 1)),
        lambda client: client.commits(REPOSITORY, since=datetime(2026, 1, 1)),
        lambda client: client.commits(REPOSITORY, since="2026-01-01"),
        lambda client: client.review_comments(REPOSITORY, since=datetime(2026, 1, 1)),
        lambda client: client.review_comments(REPOSITORY, after=7),
        lambda client: client.repository("octo/hello.git"),
        lambda client: client.tail(Tail(1, "PR_1", "labels", "c", 1), after="c"),
        lambda client: client.tail(Tail(1, "PR_1", "reviews", "c", 1), after=""),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_before_anything_is_asked(ask, client, stand_in):
    with pytest.raises(Refused):
        ask(client)

    assert stand_in.stats()["requests"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"deadline": 0},
        {"deadline": float("nan")},
        {"tries": 0},
        {"page_size": 0},
        {"page_size": 101},
    ],
)
def test_a_client_that_makes_no_sense_is_refused(arguments):
    with pytest.raises(Refused):
        GitHub("http://127.0.0.1:1", "http://127.0.0.1:1/graphql", [], **arguments)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1", "file:///x", "http://", "http://u:p@h/", "http://h/?q=1", "http://h:x/"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(Refused):
        GitHub(url, "http://127.0.0.1:1/graphql", [])


def test_a_process_has_one_client_made_once_from_its_settings(stand_in):
    environment = {"GITHUB_API_URL": stand_in.url, "GITHUB_TOKEN": "any", "GITHUB_PAGE_SIZE": "7"}
    capture.github.configure(Settings.load(environment, dotenv=Path("absent.env")))
    found = []
    threads = [threading.Thread(target=lambda: found.append(capture.github.github())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(client) for client in found}) == 1
    assert len(next(found[0].pull_requests(REPOSITORY))) == 7


def test_a_client_can_be_put_in_the_place_of_the_process_s_own(client):
    capture.github.use(client)

    assert capture.github.github() is client


def test_a_real_history_is_captured_whole_at_the_documented_price():
    path = Path(REFERENCE or "") / "data" / "dramatiq.json"
    if not REFERENCE or not path.exists():
        pytest.skip("The recorded history is not here: CAPTURE_REFERENCE_DATA names no folder with data/dramatiq.json")
    name, records = "Bogdanp/dramatiq", []
    with StandIn([load_dataset(path)]) as stand_in:
        client = GitHub(stand_in.url, stand_in.url + "/graphql", ["any"], on_call=records.append)
        pull_requests, lists = whole_lists(client, name)
        comments = items(client.review_comments(name))
        before_history = len(records)
        history = items(client.commits(name))
        stats = stand_in.stats()

    listed = {each.sha for found in lists["commits"].values() for each in found}
    assert (len(pull_requests), len({each.github_id for each in comments})) == (179, 419)
    assert sum(map(len, lists["reviews"].values())) == 412
    assert sum(map(len, lists["comments"].values())) == 482
    assert (len(history), len(listed | {each.sha for each in history})) == (600, 604)
    kinds = Counter(record.operation for record in records)
    assert kinds["pull_requests"] <= 8 and kinds["review_comments"] == 5 and kinds["commits"] == 6
    assert sum(record.points for record in records if record.operation != "review_comments") == stats["points"]
    per_hundred = 100 / len(pull_requests)
    print(
        f"per 100 pull requests: {before_history * per_hundred:.1f} requests,"
        f" {sum(record.points for record in records[:before_history]) * per_hundred:.1f} points and REST requests; {dict(kinds)}"
    )
