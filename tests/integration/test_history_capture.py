"""From GitHub's wire to the tables: the client's pages, stored by the models, against the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.github import GitHub
from console.comparison import compare
from console.local.github import Dataset, StandIn, generate, load_dataset
from models.comment import ReviewComment
from models.commit import Commit
from models.database import connect, database, disconnect, transaction
from models.list_tail import ListTail
from models.pull_request import PullRequest
from models.repository import Repository


@pytest.fixture(autouse=True)
def _connected(database_url: str) -> Iterator[None]:
    connect(database_url)
    yield
    disconnect()


def capture(github: GitHub, name: str) -> None:
    """Everything, one page per transaction."""
    with transaction():
        repo = Repository.upsert(github.repository(name))
    for page in github.pull_requests(name):
        with transaction():
            PullRequest.upsert_many(repo, page.items)
            ListTail.remember(repo, [tail for pull in page.items for tail in pull.tails])
    while (tail := ListTail.next_of(repo)) is not None:
        for rest in github.tail(tail.as_payload(), after=tail.cursor):
            with transaction():
                assert tail.store(rest)
    for lines in github.review_comments(name):
        with transaction():
            assert ReviewComment.upsert_many(repo, lines.items) == 0
    for commits in github.commits(name):
        with transaction():
            Commit.upsert_many(repo, commits.items)
    with transaction():
        Commit.decide_direct(repo)


def differences_after_capture(dataset: Dataset) -> list[str]:
    with StandIn([dataset]) as server:
        github = GitHub(server.url, server.url + "/graphql", ["any-token"])
        capture(github, dataset.name)
        capture(github, dataset.name)
    with database.connection_context():
        return compare(database.connection(), dataset.data).differences


def test_a_generated_repository_with_every_awkward_case_is_captured_exactly() -> None:
    assert differences_after_capture(generate("octo/hello", 120, seed=8)) == []


def test_an_empty_repository_is_captured_exactly() -> None:
    assert differences_after_capture(generate("octo/empty", empty=True)) == []


def test_a_real_history_is_captured_exactly(reference_data: Path) -> None:
    assert differences_after_capture(load_dataset(reference_data / "data" / "dramatiq.json")) == []
