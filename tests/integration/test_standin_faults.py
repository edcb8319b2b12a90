"""Faults on command, held requests, and the stand-in as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from console.local.github import StandIn, StandInClient, generate
from console.local.github.faults import KINDS

NAME = "octo/hello"
PAGE = """query Page($first: Int!, $after: String) { repository(owner: "octo", name: "hello") {
  pullRequests(first: $first, after: $after) { pageInfo { endCursor hasNextPage } nodes { number } } } }"""
REST = f"/repos/{NAME}/pulls"


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with StandIn([generate(NAME, 30, seed=1)]) as stand_in:
        yield stand_in


@pytest.fixture
def github(server: StandIn) -> StandIn:
    server.reset()
    server.configure(compute_limit_nodes=None)
    return server


def post(github: Any, first: int = 10, after: str | None = None, timeout: float = 5, query: str = PAGE) -> Any:
    body = json.dumps({"query": query, "variables": {"first": first, "after": after}})
    headers = {"authorization": "bearer secret"}
    return urllib3.request("POST", f"{github.url}/graphql", body=body, headers=headers, retries=False, timeout=timeout)


def get(github: Any, path: str = REST) -> Any:
    headers = {"authorization": "bearer secret"}
    return urllib3.request("GET", github.url + path, headers=headers, retries=False, redirect=False, timeout=5)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("server_error", 500, "Server Error"),
        ("bad_gateway", 502, "<html>"),
        ("gateway_timeout", 504, "couldn't respond"),
        ("unauthorized", 401, "Bad credentials"),
        ("forbidden", 403, "not accessible"),
        ("not_found", 404, "Not Found"),
        ("gone", 410, "gone"),
        ("unavailable_for_legal_reasons", 451, "dmca"),
        ("secondary_limit", 403, "secondary rate limit"),
        ("primary_limit", 403, "API rate limit exceeded"),
        ("moved", 301, "Moved Permanently"),
        ("not_json", 200, "<html>"),
        ("status", 500, "Status 500"),
    ],
)
def test_a_fault_replaces_one_reply_by_its_own(github: StandIn, kind: str, status: int, words: str) -> None:
    github.fail(kind, api="rest", seconds=0.01)

    reply = get(github)

    assert (reply.status, words in reply.data.decode()) == (status, True)
    wait_until(lambda: get(github).status == 200)


@pytest.mark.parametrize(
    ("kind", "type_", "words"),
    [
        ("rate_limit", "RATE_LIMIT", "API rate limit exceeded"),
        ("rate_limited", "RATE_LIMITED", "API rate limit exceeded"),
        ("something_went_wrong", None, "Something went wrong while executing your query"),
    ],
)
def test_graphql_fails_with_200(github: StandIn, kind: str, type_: str | None, words: str) -> None:
    github.fail(kind, seconds=0.01)

    reply = post(github)

    error = json.loads(reply.data)["errors"][0]
    assert (reply.status, error.get("type")) == (200, type_)
    assert words in error["message"]


def test_a_query_that_is_too_heavy_comes_back_with_null_nodes(github: StandIn) -> None:
    github.fail("resource_limits")

    half = json.loads(post(github).data)
    nodes = half["data"]["repository"]["pullRequests"]["nodes"]
    assert [node is None for node in nodes] == [False] * 5 + [True] * 5
    assert half["errors"][0]["type"] == "RESOURCE_LIMITS_EXCEEDED"
    assert half["errors"][0]["path"] == ["repository", "pullRequests", "nodes", 5]

    poisoned = nodes[2]["number"]
    github.fail("resource_limits", next=3, numbers=[poisoned])
    for size in (10, 5, 3):
        nodes = json.loads(post(github, size).data)["data"]["repository"]["pullRequests"]["nodes"]
        assert [at for at, node in enumerate(nodes) if node is None] == [2]


def test_a_compute_limit_refuses_pages_until_they_are_small_enough(github: StandIn) -> None:
    github.configure(compute_limit_nodes=6)

    refused, served = (json.loads(post(github, size).data) for size in (10, 5))

    assert refused["data"]["repository"]["pullRequests"]["nodes"] == [None] * 10
    assert {error["type"] for error in refused["errors"]} == {"RESOURCE_LIMITS_EXCEEDED"}
    assert "errors" not in served


def test_null_data_is_a_success_without_content(github: StandIn) -> None:
    github.fail("null_data")

    assert json.loads(post(github).data) == {"data": None}


@pytest.mark.parametrize("kind", ["truncated", "drop", "drop_after_headers"])
def test_a_broken_connection_breaks_one_reply_only(github: StandIn, kind: str) -> None:
    github.fail(kind)

    with pytest.raises(urllib3.exceptions.HTTPError):
        post(github)

    assert post(github).status == 200


def test_a_dripping_body_outlasts_a_deadline_between_bytes(github: StandIn) -> None:
    github.fail("drip", bytes_per_second=500)

    begun = time.monotonic()
    reply = post(github)

    assert time.monotonic() - begun > len(reply.data) / 500 * 0.8
    assert json.loads(reply.data)["data"]


def test_a_delay_delays(github: StandIn) -> None:
    github.fail("delay", seconds=0.3)

    with pytest.raises(urllib3.exceptions.TimeoutError):
        post(github, timeout=0.1)


def test_faults_count_down_and_fit_by_api_operation_repository_and_page(github: StandIn) -> None:
    github.fail("server_error", next=2, operation="pulls")
    github.fail("bad_gateway", page=2, repository="Octo/Hello", api="graphql")

    assert [get(github).status for _ in range(3)] == [500, 500, 200]
    first = json.loads(post(github).data)["data"]["repository"]["pullRequests"]["pageInfo"]["endCursor"]
    assert [post(github, after=first).status for _ in range(2)] == [502, 200]
    assert github.pages_asked(operation="Page") == [1, 2, 2]
    assert [entry["fault"] for entry in github.log if entry["kind"] == "graphql"] == [None, "bad_gateway", None]


def test_a_retry_after_is_to_be_kept(github: StandIn) -> None:
    github.fail("secondary_limit", retry_after=1)

    told = get(github)
    early = post(github)

    assert (told.status, told.headers["retry-after"]) == (403, "1")
    assert early.status == 403
    assert github.stats()["calls_while_blocked"] == 1
    wait_until(lambda: get(github).status == 200)


def test_a_good_reply_can_spend_the_last_point(github: StandIn) -> None:
    github.fail("exhausted", api="graphql", seconds=0.2)

    good = post(github)
    refused = post(github)

    assert (json.loads(good.data)["data"] is None, good.headers["x-ratelimit-remaining"]) == (False, "0")
    assert json.loads(refused.data)["errors"][0]["type"] == "RATE_LIMIT"
    wait_until(lambda: "data" in json.loads(post(github).data))


def test_an_unknown_fault_order_or_setting_is_refused(github: StandIn) -> None:
    with pytest.raises(ValueError, match="there are"):
        github.fail("no such kind")
    with pytest.raises(ValueError, match="no setting"):
        github.configure(colour="red")
    with pytest.raises(ValueError, match="no repository"):
        github.truth("no/where")


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_makes_the_stand_in_itself_fail(github: StandIn, kind: str) -> None:
    for _ in range(2):
        github.fail(kind, seconds=0.01, bytes_per_second=100_000)
    for ask in (post, get):
        try:
            reply = ask(github)
        except urllib3.exceptions.HTTPError:
            continue
        assert b"Internal Server Error" not in reply.data


def test_a_held_request_waits_and_the_next_ones_do_not(github: StandIn) -> None:
    first = json.loads(post(github).data)["data"]["repository"]["pullRequests"]["pageInfo"]["endCursor"]
    github.hold_before(page=2)
    replies: list[Any] = []
    asking = threading.Thread(target=lambda: replies.append(post(github, after=first, timeout=20)))
    asking.start()
    wait_until(github.is_holding)

    assert post(github, after=first).status == 200
    assert not replies
    github.release()
    asking.join()

    assert replies[0].status == 200
    assert not github.is_holding()
    assert github.pages_asked() == [1, 2, 2]


def test_a_held_request_whose_client_died_does_no_harm(github: StandIn) -> None:
    github.hold_before(operation="Page")
    with pytest.raises(urllib3.exceptions.TimeoutError):
        post(github, timeout=0.2)

    wait_until(github.is_holding)
    github.release()

    assert post(github).status == 200


def test_requests_in_flight_are_counted_and_too_many_are_refused(github: StandIn) -> None:
    github.configure(concurrent=2)
    for _ in range(2):
        github.hold_before(operation="Page")
    threads = [threading.Thread(target=lambda: post(github, timeout=20)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(github.log) == 2)

    refused = get(github)
    github.release()
    for thread in threads:
        thread.join()
    github.configure(concurrent=100)

    assert (refused.status, b"secondary rate limit" in refused.data) == (403, True)
    assert github.stats()["peak_concurrency"] == 3


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandInClient, subprocess.Popen[bytes]]]:
    ready = tmp_path_factory.mktemp("stand-in") / "ready.json"
    command = [sys.executable, "-m", "console.local.github", "--generate", f"{NAME}:40:3", "--ready-file", str(ready)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: ready.exists() or running.poll() is not None)
            client = StandInClient(json.loads(ready.read_text())["url"])
            yield client, running
            client.close()
        finally:
            running.kill()


def test_a_process_takes_the_same_orders(process: tuple[StandInClient, Any]) -> None:
    github, _ = process
    github.fail("bad_gateway", operation="Page")
    github.hold_before(page=1, operation="pulls")

    asking = threading.Thread(target=lambda: get(github))
    asking.start()
    wait_until(github.is_holding)
    github.release()
    asking.join()

    assert [post(github).status for _ in range(2)] == [502, 200]
    assert github.truth(NAME) == generate(NAME, 40, 3).data
    assert github.stats()["by_operation"] == {"pulls": 1, "Page": 2}
    github.add(generate("octo/more", 3))
    assert get(github, "/repos/octo/more").status == 200
    with pytest.raises(ValueError, match="there are"):
        github.fail("no such kind")


def test_a_process_dies_with_its_parent(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    child = [sys.executable, "-m", "console.local.github", "--ready-file", str(ready)]
    parent = f"import subprocess, time; subprocess.Popen({child!r}); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", parent], cwd=Path(__file__).parents[2]) as running:
        wait_until(lambda: ready.exists() or running.poll() is not None)
        running.kill()
    github = json.loads(ready.read_text())

    wait_until(lambda: not alive(github["pid"]))


def alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
