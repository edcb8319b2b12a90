"""How pages become rows: once, whole, never older, and without two writers locking each other out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from capture.errors import Permanent
from capture.github import payloads
from models.comment import Comment, ReviewComment
from models.commit import Commit, PullRequestCommit
from models.contributor import Contributor
from models.database import connect, disconnect, execute, transaction
from models.pull_request import PullRequest
from models.repository import PageSize, Repository
from models.review import Review
from tests.integration.history_payloads import LARGE, comment, commit, person, pull, repository, review, review_comment

TABLES = (
    "repositories",
    "contributors",
    "pull_requests",
    "reviews",
    "review_comments",
    "comments",
    "commits",
    "pull_request_commits",
)


@pytest.fixture
def repo(database_url: str) -> Iterator[Repository]:
    """A stored repository, in a fresh database."""
    connect(database_url)
    with transaction():
        yielded = Repository.upsert(repository())
    yield yielded
    disconnect()


def store(repo: Repository, *pulls: payloads.PullRequest) -> None:
    with transaction():
        PullRequest.upsert_many(repo, pulls)


def versions() -> dict[str, list[Any]]:
    """Where and in which version every row lies: the same as long as nothing was written or locked."""
    return {
        table: execute(f"SELECT id, ctid::text, xmin::text, xmax::text FROM {table} ORDER BY id") for table in TABLES
    }


def full_pull(number: int, items: int = 3) -> payloads.PullRequest:
    numbers = [number * 1000 + item for item in range(items)]
    return pull(
        number,
        author=person(1),
        merged_by=person(2),
        reviews=tuple(review(n, person(n % 5 + 1)) for n in numbers),
        comments=tuple(comment(n, person(n % 7 + 1)) for n in numbers),
        commits=tuple(commit(f"{n:040x}", person(n % 3 + 1)) for n in numbers),
    )


def test_a_page_is_stored_whole_and_with_its_references(repo: Repository) -> None:
    store(
        repo,
        pull(
            1, author=None, reviews=(review(5, person(8)),), comments=(comment(6),), commits=(commit("a1", person(8)),)
        ),
    )

    stored = PullRequest.get(PullRequest.github_id == LARGE + 1)
    eight = Contributor.get(Contributor.github_id == 8)
    assert (stored.repository_id, stored.number, stored.author_id, stored.title) == (repo.id, 1, None, "Change 1")
    assert Review.get().pull_request_id == Comment.get().pull_request_id == stored.id
    assert (Review.get().author_id, Comment.get().author_id, Commit.get().author_id) == (eight.id, None, eight.id)
    assert PullRequestCommit.get().commit_id == Commit.get().id
    assert (Commit.get().is_direct_commit, Commit.get().pull_request_id) == (None, None)


def test_the_same_page_again_writes_and_locks_nothing(repo: Repository) -> None:
    page = [full_pull(number) for number in range(1, 6)]
    store(repo, *page)
    with transaction():
        ReviewComment.upsert_many(repo, [review_comment(1, 1, 1000)])
    before = versions()
    assert all(before.values())

    store(repo, *reversed(page))
    with transaction():
        ReviewComment.upsert_many(repo, [review_comment(1, 1, 1000)])
        Repository.upsert(repository())

    # The page itself locks its repository, to be the only one; a lock is seen in xmax.
    without_lock = [[row[:3] for row in found["repositories"]] for found in (before, versions())]
    assert without_lock[0] == without_lock[1]
    assert {**versions(), "repositories": None} == {**before, "repositories": None}


def test_only_what_differs_is_written(repo: Repository) -> None:
    page = [full_pull(number) for number in range(1, 6)]
    store(repo, *page)
    before = execute("SELECT github_id, xmin::text FROM pull_requests")

    store(repo, *page[:2], replace(page[2], title="New", updated_at=page[2].updated_at.replace(hour=13)), *page[3:])

    changed = set(execute("SELECT github_id, xmin::text FROM pull_requests")) - set(before)
    assert [github_id for github_id, _ in changed] == [LARGE + 3]
    assert execute(
        "SELECT title FROM pull_requests WHERE changed_at > stored_at + interval '1 microsecond' AND number = 3"
    ) == [("New",)]


def test_an_older_reply_undoes_nothing(repo: Repository) -> None:
    store(
        repo,
        pull(
            1,
            10,
            state="CLOSED",
            reviews=(review(5, state="DISMISSED"),),
            comments=(comment(6, body="new", minutes=10),),
        ),
    )

    store(
        repo,
        pull(1, 5, state="OPEN", reviews=(review(5, state="APPROVED"),), comments=(comment(6, body="old", minutes=5),)),
    )
    with transaction():
        Comment.upsert_many(PullRequest.get().id, [comment(6, body="old", minutes=5)])

    assert (PullRequest.get().state, Review.get().state, Comment.get().body) == ("CLOSED", "DISMISSED", "new")


def test_of_duplicates_in_one_page_the_newest_counts(repo: Repository) -> None:
    newer = pull(1, 10, title="newer", reviews=(review(5, state="DISMISSED"),))

    store(
        repo,
        newer,
        pull(1, 5, title="older", reviews=(review(5),)),
        pull(2, comments=(comment(6, body="a"), comment(6, body="b"))),
    )

    assert PullRequest.get(PullRequest.number == 1).title == "newer"
    assert Review.get().state == "DISMISSED"
    assert [stored.body for stored in Comment.select()] == ["b"]


def test_a_known_name_is_kept_where_a_reply_has_none(repo: Repository) -> None:
    store(repo, pull(1, author=person(9, name="Nina")))

    with transaction():
        ReviewComment.upsert_many(repo, [review_comment(1, 1, None)])
        Contributor.upsert_many([person(9, name="Nina B."), person(9, name=None), None])

    assert [stored.name for stored in Contributor.select()] == ["Nina B."]


def test_a_login_that_changed_hands_belongs_to_both_in_turn(repo: Repository) -> None:
    store(repo, pull(1, author=person(1, "alice")))

    store(repo, pull(2, author=person(1, "alice-b")), pull(3, author=person(2, "alice")))

    assert {(who.github_id, who.login) for who in Contributor.select()} == {(1, "alice-b"), (2, "alice")}


@pytest.mark.parametrize("size", [1, 25, 100])
def test_a_page_takes_ten_statements_whatever_its_size(
    repo: Repository, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    page = [full_pull(number) for number in range(1, size + 1)]
    with caplog.at_level(logging.DEBUG, logger="peewee"), transaction():
        caplog.clear()
        PullRequest.upsert_many(repo, page)
        statements = [record for record in caplog.records if record.name == "peewee"]

    assert len(statements) == 10
    assert PullRequest.select().count() == size


def test_rows_go_with_the_transaction_of_the_caller(repo: Repository) -> None:
    def fail_after_storing() -> None:
        with transaction():
            PullRequest.upsert_many(repo, [full_pull(1)])
            raise RuntimeError("the page is not committed")

    with pytest.raises(RuntimeError):
        fail_after_storing()

    assert execute("SELECT count(*) FROM contributors") == [(0,)]
    assert PullRequest.select().count() == 0


def test_an_empty_page_stores_nothing(repo: Repository) -> None:
    store(repo)
    with transaction():
        assert ReviewComment.upsert_many(repo, []) == 0
        Commit.upsert_many(repo, [])
        assert Commit.decide_direct(repo) == 0

    assert PullRequest.select().count() == 0


def test_review_comments_without_their_pull_request_are_skipped_and_counted(repo: Repository) -> None:
    store(repo, pull(1))

    with transaction():
        skipped = ReviewComment.upsert_many(
            repo, [review_comment(1, 1, None), review_comment(2, 2, None), review_comment(3, 2, 5)]
        )

    assert skipped == 2
    assert [stored.github_id for stored in ReviewComment.select()] == [LARGE + 1]


def test_a_review_comment_finds_its_review_when_stored_again_after_it(repo: Repository) -> None:
    store(repo, pull(1))
    with transaction():
        ReviewComment.upsert_many(repo, [review_comment(1, 1, 5)])
        assert ReviewComment.get().review_id is None
        Review.upsert_many(PullRequest.get().id, [review(5)])

    with transaction():
        ReviewComment.upsert_many(repo, [review_comment(1, 1, 5)])

    assert ReviewComment.get().review_id == Review.get().id


def test_a_repository_is_found_by_its_name_in_any_case(repo: Repository) -> None:
    assert Repository.named("OCTO/Hello").id == repo.id
    with pytest.raises(Permanent, match="octo/other is not stored yet"):
        Repository.named("octo/other")


def test_a_renamed_repository_stays_the_same_row(repo: Repository) -> None:
    with transaction():
        renamed = Repository.upsert(repository(1, "octo/greeting"))

    assert renamed.id == repo.id == Repository.named("octo/greeting").id
    with pytest.raises(Permanent):
        Repository.named("octo/hello")


def test_a_name_belongs_to_the_repository_that_was_last_stored_under_it(repo: Repository) -> None:
    with transaction():
        other = Repository.upsert(repository(2, "octo/hello"))
    assert Repository.named("octo/hello").id == other.id

    with transaction():
        Repository.upsert(repository(1, "octo/hello"))

    assert Repository.named("octo/hello").id == repo.id


def test_a_page_size_is_remembered_per_repository(repo: Repository) -> None:
    with transaction():
        assert PageSize.of("octo/hello") is None
        PageSize.remember("octo/hello", 25)
        PageSize.remember("Octo/Hello", 12)

    assert (PageSize.of("OCTO/hello"), PageSize.of("octo/other")) == (12, None)
