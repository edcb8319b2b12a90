"""What the wire can do to a call: dripping, cut, dropped, redirected and lying servers."""

import gzip
import json
import os
import socketserver
import threading
import time
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from capture.clock import SystemClock
from capture.errors import Permanent, RateLimited, Refused, SystemFault, Transient
from capture.github.budget import LocalBudget, identity_of
from capture.github.client import GitHub
from capture.github.replies import TooHeavy

TOKEN = "ghp_do_not_show_me"


class Asked(NamedTuple):
    method: str
    target: str
    headers: dict
    body: bytes


class Scripted(socketserver.ThreadingTCPServer):
    """Answers each request, one per connection, by the next act; the last act goes on for ever."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, *acts):
        super().__init__(("127.0.0.1", 0), self.answer)
        self.acts = list(acts)
        self.asked = []
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, connection, address, server):
        stream = connection.makefile("rb")
        line = stream.readline().decode()
        if not line:
            return
        headers = {}
        while (header := stream.readline().decode().strip()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        method, target, _ = line.split()
        self.asked.append(Asked(method, target, headers, stream.read(int(headers.get("content-length", 0)))))
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        try:
            for piece in act(self):
                connection.sendall(piece)
        except OSError:
            pass


@contextmanager
def serving(*acts):
    server = Scripted(*acts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def head(status=200, **headers):
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def reply(body=b"[]", status=200, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda server: [head(status, Content_Length=len(body), **headers), body]


def dropped(server):
    return []


def dripping(start):
    def act(server):
        yield start
        while not server.over.wait(0.02):
            yield b" "

    return act


def silent(server):
    server.over.wait(30)
    return []


class QuietClock(SystemClock):
    """Waits are written down and not waited."""

    def __init__(self):
        self.waits = []

    def sleep(self, seconds):
        self.waits.append(seconds)


@pytest.fixture
def clock():
    return QuietClock()


@pytest.fixture
def client(clock):
    def make(server, **options):
        options = {"deadline": 5.0, "clock": clock, **options}
        return GitHub(server.url, server.url + "/graphql", [TOKEN], **options)

    return make


def comments(client):
    return list(client.review_comments("octo/hello"))


def first_page(client, **options):
    return next(client.pull_requests("octo/hello", **options))


EMPTY = {
    "data": {
        "repository": {
            "pullRequests": {"totalCount": 0, "pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
        },
        "rateLimit": {"cost": 1, "limit": 5000, "remaining": 4999, "resetAt": "2026-01-01T00:00:00Z"},
    }
}


def test_a_request_says_who_asks_and_carries_the_token_in_one_header_only(client):
    with serving(reply()) as server:
        (page,) = comments(client(server))

    (asked,) = server.asked
    assert (page.items, page.last, page.total, page.cursor) == ((), True, 0, None)
    assert asked.target == "/repos/octo/hello/pulls/comments?sort=created&direction=asc&per_page=100"
    assert asked.headers["user-agent"] == "progressive-capture"
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    assert [name for name, value in asked.headers.items() if TOKEN in value] == ["authorization"]


@pytest.mark.parametrize(
    "act",
    [
        dripping(head(Content_Length=100_000)),
        dripping(head()),
        dripping(head(Transfer_Encoding="chunked")),
        dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        dripping(b"HTTP/1.1 "),
        silent,
    ],
    ids=["body", "endless body", "chunks", "a header", "the status line", "nothing"],
)
def test_a_server_that_drips_or_is_silent_is_given_up_at_the_total_deadline(act, client):
    with serving(act) as server:
        started = time.monotonic()
        with pytest.raises(TooHeavy, match=r"within 0\.3 s"):
            comments(client(server, deadline=0.3, tries=1))

        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "act",
    [
        lambda server: [head(Content_Length=1000), b"[1, 2"],
        lambda server: [head(Transfer_Encoding="chunked"), b"ff\r\n[1,"],
        lambda server: [head(Transfer_Encoding="chunked"), b"zz\r\n[1,"],
        lambda server: [head(), b"[1, 2"],
        lambda server: [head(Content_Encoding="gzip"), b"no gzip at all"],
        lambda server: [head(Content_Encoding="gzip"), gzip.compress(json.dumps([*range(9999)]).encode())[:-99]],
        reply(b"<html>Unicorn!</html>"),
        reply(b""),
        reply({"message": "fine"}),
        reply([None]),
        reply([{"id": 1}]),
    ],
)
def test_a_broken_body_is_never_yielded_and_asked_again(act, client, clock):
    with serving(act, act, reply()) as server:
        (page,) = comments(client(server))

    assert page.items == ()
    assert len(server.asked) == 3
    assert len(clock.waits) == 2


@pytest.mark.parametrize("act", [dropped, reply(status=500), reply(status=503), lambda server: [b"nonsense\r\n\r\n"]])
def test_plain_trouble_is_tried_five_times_and_then_transient(act, client):
    with serving(act) as server, pytest.raises(Transient):
        comments(client(server))

    assert len(server.asked) == 5


@pytest.mark.parametrize(
    "headers",
    [b"X-A: " + b"a" * 100_000 + b"\r\n", b"".join(b"X-%d: a\r\n" % n for n in range(1000))],
    ids=["one too long", "too many"],
)
def test_headers_without_bounds_are_not_read(headers, client):
    with serving(lambda server: [b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n[]"]) as server, pytest.raises(Transient):
        comments(client(server, tries=1))


def test_a_body_is_read_up_to_twenty_megabytes_and_a_compressed_one_counts_unpacked(client):
    packed = gzip.compress(b"[" + b" " * (21 * 1024 * 1024) + b"]")
    assert len(packed) < 100_000

    with serving(reply(packed, Content_Encoding="gzip")) as server, pytest.raises(TooHeavy, match="larger than"):
        comments(client(server, tries=1))


def test_a_server_that_is_not_there_is_transient(client):
    with serving(reply()) as server:
        pass

    with pytest.raises(Transient, match="could not be reached"):
        comments(client(server, tries=2))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_host_is_followed_with_the_page_it_was_about(status, client):
    moved = reply(status=status, Location="/repositories/7/pulls/comments")
    with serving(moved, reply()) as server:
        comments(client(server))

    assert [asked.target.partition("?")[0] for asked in server.asked] == [
        "/repos/octo/hello/pulls/comments",
        "/repositories/7/pulls/comments",
    ]
    assert server.asked[0].target.partition("?")[2] == server.asked[1].target.partition("?")[2]
    assert server.asked[1].headers["authorization"] == f"Bearer {TOKEN}"


def test_redirects_that_do_not_end_are_permanent(client):
    with serving(reply(status=301, Location="/again")) as server, pytest.raises(Permanent, match="more than 3 times"):
        comments(client(server))

    assert len(server.asked) == 4


@pytest.mark.parametrize("address", ["{other}/x", "//127.0.0.1:{port}/x", "http://127.0.0.1:{own}@127.0.0.1:{port}/x"])
def test_no_redirect_or_link_carries_the_token_to_another_host(address, client):
    with serving(reply()) as other:
        port = other.server_address[1]
        for act in (
            lambda server: reply(status=301, Location=place(address, other, port, server))(server),
            lambda server: reply([], Link=f'<{place(address, other, port, server)}>; rel="next"')(server),
        ):
            with serving(act) as server, pytest.raises(Permanent, match="another host"):
                comments(client(server))

    assert other.asked == []


def place(address, other, port, server):
    return address.format(other=other.url, port=port, own=server.server_address[1])


@pytest.mark.parametrize("location", ["", "https://127.0.0.1/x", "file:///etc/passwd", "http://[", "ftp://127.0.0.1/"])
def test_a_redirect_to_nowhere_is_permanent(location, client):
    with serving(reply(status=301, Location=location)) as server, pytest.raises(Permanent):
        comments(client(server))

    assert len(server.asked) == 1


def test_a_redirect_of_a_query_is_not_followed(client):
    with serving(reply(status=301, Location="/elsewhere")) as server, pytest.raises(Permanent, match="301"):
        first_page(client(server))

    assert len(server.asked) == 1


def test_a_link_that_leads_back_to_its_own_page_is_not_walked_for_ever(client):
    def act(server):
        return reply([], Link=f'<{server.url}{server.asked[-1].target}>; rel="next"')(server)

    with serving(act) as server, pytest.raises(Transient, match="same page"):
        comments(client(server))

    assert len(server.asked) == 5


def test_an_empty_repositorys_conflict_is_an_empty_list(client):
    with serving(reply({"message": "Git Repository is empty."}, status=409)) as server:
        (page,) = comments(client(server))

    assert (page.items, page.last, page.total) == ((), True, 0)


def test_no_error_holds_the_token_even_when_the_server_echoes_it(client):
    def echo(status):
        return lambda server: reply({"message": server.asked[-1].headers["authorization"]}, status=status)(server)

    for status in (400, 403, 429, 451, 500):
        with serving(echo(status)) as server, pytest.raises((Permanent, RateLimited, Transient)) as failure:
            comments(client(server, tries=1))

        seen, error = [], failure.value
        while error is not None:
            seen += [str(error), repr(error), repr(error.args), repr(vars(error))]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        assert TOKEN not in " ".join(seen)
        assert "Bearer ***" in seen[0]


def test_an_identity_told_to_wait_does_not_ask_again_until_then(client):
    budget = LocalBudget()
    with serving(reply({"message": "secondary rate limit"}, status=403, Retry_After=40), reply()) as server:
        github = client(server, budget=budget)
        for _ in range(3):
            with pytest.raises(RateLimited) as limit:
                comments(github)
            with pytest.raises(RateLimited):
                first_page(github)

    assert len(server.asked) == 1
    assert 39 < limit.value.seconds <= 40
    assert limit.value.identity == identity_of(TOKEN)


def test_a_page_that_spends_the_budget_is_yielded_and_the_next_one_waits(client):
    date = "Mon, 01 Jun 2026 12:00:00 GMT"
    spent = {"Date": date, "X_RateLimit_Limit": 60, "X_RateLimit_Remaining": 0, "X_RateLimit_Reset": 1780315200 + 600}

    def act(server):
        return reply([], Link=f'<{server.url}/repositories/1/pulls/comments?page=2>; rel="next"', **spent)(server)

    with serving(act) as server:
        pages = client(server).review_comments("octo/hello")
        assert next(pages).last is False
        with pytest.raises(RateLimited) as limit:
            next(pages)

    assert len(server.asked) == 1
    assert 590 < limit.value.seconds <= 600


def test_a_primary_limit_of_one_api_does_not_stop_the_other(client):
    spent = {"X_RateLimit_Limit": 60, "X_RateLimit_Remaining": 0, "X_RateLimit_Reset": int(time.time()) + 600}
    with serving(reply({"message": "API rate limit exceeded"}, status=403, **spent), reply(EMPTY)) as server:
        github = client(server)
        with pytest.raises(RateLimited):
            comments(github)

        assert first_page(github).total == 0


def test_a_query_halves_on_a_bad_gateway_and_goes_back_to_the_same_cursor(client):
    gateway = reply(b"<html>502</html>", status=502)
    with serving(gateway, reply(EMPTY, status=504), reply(b"{"), reply(EMPTY)) as server:
        page = first_page(client(server), after="here")

    asked = [json.loads(each.body)["variables"] for each in server.asked]
    assert [each["first"] for each in asked] == [25, 12, 6, 3]
    assert {each["after"] for each in asked} == {"here"}
    assert page.size == 3


def test_a_page_with_errors_or_holes_is_never_yielded(client):
    data = {
        **EMPTY["data"],
        "repository": {"pullRequests": {**EMPTY["data"]["repository"]["pullRequests"], "nodes": [None]}},
    }
    partial = {**EMPTY, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits exceeded"}]}
    with serving(reply({"data": data}), reply(partial), reply({"data": None}), reply(EMPTY)) as server:
        page = first_page(client(server), size=8)

    assert (page.items, page.size, len(server.asked)) == ((), 1, 4)


def test_without_a_token_a_query_is_permanent_and_a_list_is_asked_anonymously(clock):
    with serving(reply()) as server:
        github = GitHub(server.url, server.url + "/graphql", [], clock=clock)
        with pytest.raises(SystemFault, match="GITHUB_TOKEN is not set"):
            first_page(github)
        comments(github)

    assert ["authorization" in asked.headers for asked in server.asked] == [False]


def test_an_enterprise_servers_prefix_is_kept_and_its_cursors_are_checked_with_it(client, clock):
    with serving(reply()) as server:
        github = GitHub(server.url + "/api/v3", server.url + "/api/graphql", [TOKEN], clock=clock)
        comments(github)
        list(github.review_comments("octo/hello", after="/api/v3/repositories/7/pulls/comments?page=2"))
        with pytest.raises(Refused):
            github.review_comments("octo/hello", after="/repositories/7/pulls/comments?page=2")

    assert [asked.target.partition("?")[0] for asked in server.asked] == [
        "/api/v3/repos/octo/hello/pulls/comments",
        "/api/v3/repositories/7/pulls/comments",
    ]


def test_telemetry_hears_of_each_call_and_cannot_break_it(client):
    records = []

    def observe(record):
        records.append(record)
        raise RuntimeError

    with serving(dropped, reply(EMPTY)) as server:
        first_page(client(server, on_call=observe))

    first, second = records
    assert (first.operation, first.status, first.points, first.error) == ("pull_requests", None, 0, "Transient")
    assert (second.status, second.points, second.error, second.identity) == (200, 1, None, identity_of(TOKEN))
    assert TOKEN not in repr(records)


def test_a_client_shared_with_a_forked_child_uses_connections_of_its_own(client):
    with serving(reply()) as server:
        github = client(server)
        comments(github)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(write, b"%d" % len(comments(github)))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(write)

        assert os.read(read, 10) == b"1"
        os.close(read)
        assert len(comments(github)) == 1
