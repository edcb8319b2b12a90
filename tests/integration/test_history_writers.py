"""Several writers of the same rows at once: nobody is locked out, and the rows are those of one writer alone."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from capture.github import payloads
from models.comment import Comment, ReviewComment
from models.commit import Commit
from models.contributor import Contributor
from models.database import connect, disconnect, execute, transaction
from models.list_tail import ListTail
from models.pull_request import PullRequest
from models.repository import Repository
from models.review import Review
from tests.integration.history_payloads import comment, commit, person, pull, repository, review, review_comment

ROUNDS, WRITERS = 25, 4
ROWS = {
    "contributors": "SELECT github_id, login, name FROM contributors",
    "pull_requests": "SELECT p.github_id, title, body, a.github_id FROM pull_requests p JOIN contributors a ON a.id = author_id",
    "reviews": "SELECT v.github_id, p.number, v.state, a.github_id"
    " FROM reviews v JOIN pull_requests p ON p.id = pull_request_id JOIN contributors a ON a.id = v.author_id",
    "comments": "SELECT c.github_id, p.number, c.body FROM comments c JOIN pull_requests p ON p.id = pull_request_id",
    "commits": "SELECT sha, message, a.github_id FROM commits c JOIN contributors a ON a.id = c.author_id",
    "pull_request_commits": "SELECT p.number, c.sha"
    " FROM pull_request_commits l JOIN pull_requests p ON p.id = l.pull_request_id JOIN commits c ON c.id = commit_id",
}


@pytest.fixture
def repo(database_url: str) -> Iterator[Repository]:
    """A stored repository, in a fresh database."""
    connect(database_url)
    with transaction():
        yielded = Repository.upsert(repository())
    yield yielded
    disconnect()


def page_of(rng: random.Random, first: int, version: int) -> list[payloads.PullRequest]:
    """Eight pull requests in any order, with the same people in every list, and all commits of one round in every one."""
    shas = [f"{first}-{n}" for n in range(6)]
    page = [
        pull(
            number,
            minutes=version,
            title=f"Version {version}",
            author=person(rng.randrange(1, 9), f"login {version}"),
            reviews=tuple(review(number * 10 + n, person(rng.randrange(1, 9), f"login {version}")) for n in range(3)),
            comments=tuple(
                comment(number * 10 + n, person(rng.randrange(1, 9), f"login {version}"), minutes=version)
                for n in range(3)
            ),
            commits=tuple(commit(sha, person(n, f"login {version}")) for n, sha in enumerate(shas, 1)),
        )
        for number in range(first, first + 8)
    ]
    rng.shuffle(page)
    return page


def at_once(works: Sequence[Callable[[], object]]) -> None:
    """Run them in threads of their own, begun together; raises what any of them raised."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        start.wait()
        with transaction():
            work()

    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(run, work) for work in works]:
            done.result()


def rows() -> dict[str, set[tuple[object, ...]]]:
    return {table: set(execute(sql)) for table, sql in ROWS.items()}


def test_the_same_page_by_several_writers_gives_the_rows_of_one(repo: Repository) -> None:
    for turn in range(ROUNDS):
        rng = random.Random(turn)
        page = page_of(rng, turn * 100 + 1, version=1)
        shuffled = [rng.sample(page, len(page)) for _ in range(WRITERS)]
        at_once([lambda page=page: PullRequest.upsert_many(repo, page) for page in shuffled])

        counts = {table: execute(f"SELECT count(*) FROM {table}")[0][0] for table in ROWS}
        before = rows()
        with transaction():
            PullRequest.upsert_many(repo, page)
        done = turn + 1
        assert {**counts, "contributors": 0} == {
            "contributors": 0,
            "pull_requests": 8 * done,
            "reviews": 24 * done,
            "comments": 24 * done,
            "commits": 6 * done,
            "pull_request_commits": 48 * done,
        }
        assert rows() == before


def test_writers_of_every_kind_do_not_lock_each_other_out(repo: Repository) -> None:
    for turn in range(ROUNDS):
        rng = random.Random(turn)
        first = turn % 5 * 100 + 1
        pages = [page_of(rng, first, version=turn * 3 + n) for n in range(3)]
        with transaction():
            PullRequest.upsert_many(repo, pages[0])
            tails = [payloads.Tail(p.github_id, p.node_id, "reviews", "c", 9) for p in pages[0]]
        one = PullRequest.get(PullRequest.number == first).id
        lines = [review_comment(first * 10 + n, first + n % 8, first * 10) for n in range(20)]
        everybody = [person(n, f"other {turn}") for n in range(1, 9)]
        commits = [commit(f"{first}-{n}", person(9 - n, f"third {turn}")) for n in range(6)]
        at_once(
            [
                lambda page=pages[1]: PullRequest.upsert_many(repo, page),
                lambda page=pages[2], tails=tails: (
                    PullRequest.upsert_many(repo, page),
                    ListTail.remember(repo, tails),
                ),
                lambda lines=lines: ReviewComment.upsert_many(repo, lines),
                lambda one=one, people=everybody, first=first: Review.upsert_many(
                    one, [review(first * 10 + n, people[n]) for n in (2, 0, 1)]
                ),
                lambda one=one, people=everybody, first=first: Comment.upsert_many(
                    one, [comment(first * 10 + n, people[n]) for n in (2, 0, 1)]
                ),
                lambda commits=commits: Commit.upsert_many(repo, commits),
                lambda: Commit.decide_direct(repo),
            ]
        )
        assert {
            title
            for (title,) in execute(
                "SELECT title FROM pull_requests WHERE updated_at = (SELECT max(updated_at) FROM pull_requests)"
            )
        } == {f"Version {turn * 3 + 2}"}


def test_first_inserts_of_the_same_pull_requests_do_not_meet_in_their_number(repo: Repository) -> None:
    for turn in range(60):
        page = [pull(turn * 40 + n + 1, author=None) for n in range(40)]
        at_once([lambda page=page: PullRequest.upsert_many(repo, page)] * WRITERS)

    assert PullRequest.select().count() == 60 * 40


def test_people_are_written_in_one_order_by_the_plan_of_large_tables_too(repo: Repository) -> None:
    def write(people: Sequence[payloads.Contributor]) -> None:
        execute("SET LOCAL enable_hashjoin = off")
        execute("SET LOCAL enable_mergejoin = off")
        Contributor.upsert_many(people)

    for turn in range(ROUNDS):
        orders = [random.Random(f"{turn} {writer}").sample(range(1, 41), 40) for writer in range(WRITERS)]
        at_once(
            [lambda order=order, turn=turn: write([person(n, f"{turn} {order[0]}") for n in order]) for order in orders]
        )

    assert Contributor.select().count() == 40
    assert len({login for (login,) in execute("SELECT login FROM contributors")}) == 1
