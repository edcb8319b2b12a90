"""Which commits are direct, whose the others are, and how the rest of long lists is worked off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from capture.github import payloads
from models.commit import Commit, PullRequestCommit
from models.database import connect, disconnect, execute, transaction
from models.list_tail import ListTail
from models.pull_request import PullRequest
from models.repository import Repository
from models.review import Review
from tests.integration.history_payloads import LARGE, comment, commit, pull, repository, review


@pytest.fixture
def repo(database_url: str) -> Iterator[Repository]:
    """A stored repository, in a fresh database."""
    connect(database_url)
    with transaction():
        yielded = Repository.upsert(repository())
    yield yielded
    disconnect()


def decide(repo: Repository) -> int:
    with transaction():
        return Commit.decide_direct(repo)


def decided(repo: Repository) -> dict[str, tuple[bool | None, int | None]]:
    """sha -> (direct, number of its pull request)."""
    sql = "SELECT c.sha, c.is_direct_commit, p.number FROM commits c LEFT JOIN pull_requests p ON p.id = c.pull_request_id"
    return {sha: (direct, number) for sha, direct, number in execute(f"{sql} WHERE c.repository_id = %s", [repo.id])}


def test_a_commit_belongs_to_the_lowest_merged_pull_request_else_to_the_lowest(repo: Repository) -> None:
    shared = commit("shared")
    with transaction():
        PullRequest.upsert_many(
            repo,
            [
                pull(1, commits=(shared, commit("open-only"))),
                pull(2, state="CLOSED", commits=(commit("open-only"),), merge_commit_sha="test-merge"),
                pull(4, state="MERGED", merge_commit_sha="squash", commits=(shared,)),
                pull(3, state="MERGED", merge_commit_sha="merge", commits=(shared,)),
            ],
        )
        Commit.upsert_many(repo, [commit(sha) for sha in ("direct", "merge", "squash", "test-merge", "shared")])

    assert set(decided(repo).values()) == {(None, None)}
    assert decide(repo) == 6

    assert decided(repo) == {
        "direct": (True, None),
        "merge": (False, 3),
        "squash": (False, 4),
        "test-merge": (False, None),
        "shared": (False, 3),
        "open-only": (False, 1),
    }


def test_only_commits_whose_lot_changes_are_written_again(repo: Repository) -> None:
    with transaction():
        PullRequest.upsert_many(repo, [pull(1, commits=(commit("a"),))])
        Commit.upsert_many(repo, [commit("b"), commit("c")])
    decide(repo)
    assert decide(repo) == 0

    with transaction():
        PullRequest.upsert_many(repo, [pull(2, state="MERGED", merge_commit_sha="b", commits=(commit("a"),))])
    assert decide(repo) == 2

    assert decided(repo) == {"a": (False, 2), "b": (False, 2), "c": (True, None)}


def test_other_repositories_are_left_alone(repo: Repository) -> None:
    with transaction():
        other = Repository.upsert(repository(2, "octo/fork"))
        PullRequest.upsert_many(repo, [pull(1, commits=(commit("a"),))])
        Commit.upsert_many(other, [commit("a")])

    decide(other)

    assert (decided(other), decided(repo)) == ({"a": (True, None)}, {"a": (None, None)})


def test_a_commit_in_several_lists_is_stored_once_and_listed_by_each(repo: Repository) -> None:
    with transaction():
        PullRequest.upsert_many(repo, [pull(1, commits=(commit("a"), commit("b"))), pull(2, commits=(commit("a"),))])

    assert (Commit.select().count(), PullRequestCommit.select().count()) == (2, 3)


def tail(number: int, name: str = "reviews", cursor: str = "20") -> payloads.Tail:
    return payloads.Tail(LARGE + number, f"PR_{LARGE + number}", name, cursor, 25)


def next_tail(repo: Repository) -> ListTail:
    found = ListTail.next_of(repo)
    assert found is not None
    return found


def test_a_tail_is_worked_off_page_by_page_to_its_end(repo: Repository) -> None:
    with transaction():
        PullRequest.upsert_many(repo, [pull(1), pull(2)])
        ListTail.remember(repo, [tail(2), tail(1, "comments"), tail(1, "commits")])

    first = next_tail(repo)
    assert (first.list_name, first.cursor, first.total, first.seen) == ("comments", "20", 25, 0)
    with transaction():
        assert first.store(payloads.Page((comment(1),), "21", last=True))
    second = next_tail(repo)
    assert second.list_name == "commits"
    with transaction():
        assert second.store(payloads.Page((commit("a"), commit("b")), "22", last=False))
        assert second.store(payloads.Page((commit("c"),), None, last=True))
    with transaction():
        assert next_tail(repo).store(payloads.Page((review(1),), "21", last=True))

    assert ListTail.next_of(repo) is None
    assert execute("SELECT list_name, seen, cursor FROM progressive_capture_list_tails ORDER BY id") == [
        *(("comments", 1, "21"), ("commits", 3, "22"), ("reviews", 1, "21")),
    ]
    assert PullRequestCommit.select().count() == 3


def test_a_tail_that_is_found_again_begins_again(repo: Repository) -> None:
    with transaction():
        PullRequest.upsert_many(repo, [pull(1)])
        ListTail.remember(repo, [tail(1)])
    held = next_tail(repo)
    with transaction():
        held.store(payloads.Page((review(1),), "21", last=False))

    with transaction():
        ListTail.remember(repo, [tail(1)])
    with transaction():
        moved = held.store(payloads.Page((review(2),), "22", last=True))

    again = next_tail(repo)
    assert (moved, again.id, again.cursor, again.seen) == (False, held.id, "20", 0)
    assert Review.select().count() == 2
