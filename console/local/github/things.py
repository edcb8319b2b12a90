"""The things in a repository: thin views over the records of a dataset, one class per GraphQL type."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

from .node_ids import node_id

if TYPE_CHECKING:
    from .dataset import Record
    from .world import Repo


@lru_cache(maxsize=50_000)
def in_utc(stamp: str) -> str:
    """A time with any zone as GitHub's DateTime: UTC, whole seconds, ``Z``."""
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


@lru_cache(maxsize=4096)
def stamp(at: int) -> str:
    """Epoch seconds as GitHub writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


class Person:
    """An account. A bot's login is kept without ``[bot]``, as GraphQL gives it."""

    __slots__ = ("github_id", "login", "name", "typename")

    def __init__(self, github_id: int, login: str, kind: str, name: str | None) -> None:
        self.github_id = github_id
        self.login = login.removesuffix("[bot]")
        self.typename = kind
        self.name = name if kind in {"User", "Organization"} else None

    @property
    def full_login(self) -> str:
        """The login as REST gives it: bots end in ``[bot]``."""
        return f"{self.login}[bot]" if self.typename == "Bot" else self.login

    @property
    def node_id(self) -> str:
        """The same in GraphQL and REST."""
        return node_id(self.typename, self.github_id)


GHOST = Person(10137, "ghost", "User", "Deleted user")


class Fork:
    """Another repository, of which only the name is known: where a pull request came from."""

    typename = "Repository"
    is_empty = True

    def __init__(self, name: str, people: dict[str, Person]) -> None:
        self.name = name
        self.people = people
        self.github_id = 1_100_000_000 + crc32(name.encode()) % 900_000_000
        owner, _, short = name.partition("/")
        self.facts = {"owner": owner, "name": short, "created_at": "2019-01-01T00:00:00Z", "default_branch": "main"}


class Thing:
    """Something with a record, in a repository."""

    __slots__ = ("raw", "repo")
    typename = ""

    def __init__(self, repo: Repo, raw: Record) -> None:
        self.repo = repo
        self.raw = raw

    @property
    def github_id(self) -> int:
        """GitHub's number."""
        return int(self.raw["id"])

    @property
    def node_id(self) -> str:
        """The same in GraphQL and REST."""
        return node_id(self.typename, self.raw["id"])

    @property
    def author(self) -> Person | None:
        """Who wrote it; None for a deleted account."""
        return self.repo.person(self.raw["author"])


class Issue(Thing):
    """An issue."""

    __slots__ = ()
    typename = "Issue"
    web_path = "issues"

    @property
    def state(self) -> str:
        """OPEN or CLOSED."""
        return "CLOSED" if self.raw["closed_at"] else "OPEN"

    def comments(self) -> list[Comment]:
        """Its conversation."""
        return [Comment(self, raw) for raw in self.raw["comments"]]


class Pull(Thing):
    """A pull request."""

    __slots__ = ()
    typename = "PullRequest"
    web_path = "pull"

    @property
    def state(self) -> str:
        """OPEN or CLOSED, as REST sees it."""
        return "OPEN" if self.raw["state"] == "OPEN" else "CLOSED"

    def comments(self) -> list[Comment]:
        """Its conversation."""
        return [Comment(self, raw) for raw in self.raw["comments"]]

    def reviews(self) -> list[Review]:
        """Its reviews, pending ones too."""
        return [Review(self, raw) for raw in self.raw["reviews"]]

    def review_comments(self) -> list[ReviewComment]:
        """The comments on its diff, of a review or not."""
        return [ReviewComment(self, raw) for raw in self.raw["review_comments"]]

    def review(self, github_id: int | None) -> Review | None:
        """One of its reviews."""
        return next((review for review in self.reviews() if review.raw["id"] == github_id), None)

    def commits(self) -> list[Commit]:
        """What it would add to its base, oldest first."""
        return [Commit(self.repo, sha, self.repo.data["commits"][sha]) for sha in self.raw["commits"]]


class Part(Thing):
    """Something that belongs to a pull request or an issue."""

    __slots__ = ("place",)

    def __init__(self, place: Pull | Issue, raw: Record) -> None:
        super().__init__(place.repo, raw)
        self.place = place


class Comment(Part):
    """A comment in a conversation."""

    __slots__ = ()
    typename = "IssueComment"


class Review(Part):
    """A review of a pull request."""

    __slots__ = ()
    typename = "PullRequestReview"

    @property
    def created_at(self) -> str:
        """When it was submitted, or for a pending one begun."""
        return str(self.raw["at"] or self.place.raw["updated_at"])

    def comments(self) -> list[ReviewComment]:
        """The comments on the diff that came with it."""
        mine = self.raw["id"]
        return [ReviewComment(self.place, raw) for raw in self.place.raw["review_comments"] if raw["review"] == mine]


class ReviewComment(Part):
    """A comment on the diff."""

    __slots__ = ()
    typename = "PullRequestReviewComment"


class Thread:
    """A comment on the diff with its answers."""

    __slots__ = ("comments", "place")
    typename = "PullRequestReviewThread"

    def __init__(self, place: Pull, comments: list[ReviewComment]) -> None:
        self.place = place
        self.comments = comments

    @property
    def node_id(self) -> str:
        """Named after its first comment."""
        return node_id(self.typename, self.comments[0].raw["id"])


def threads(pull: Pull) -> list[Thread]:
    """The threads of a pull request, in the order of their first comments."""
    roots: dict[int | None, int] = {}
    found: dict[int, list[ReviewComment]] = {}
    for item in sorted(pull.review_comments(), key=lambda item: (item.raw["created"], item.raw["id"])):
        answered = item.raw.get("reply")
        root = roots.get(answered) or int(item.raw["id"])
        roots[item.raw["id"]] = root
        found.setdefault(root, []).append(item)
    return [Thread(pull, items) for items in found.values()]


class Commit:
    """A commit of a repository."""

    __slots__ = ("raw", "repo", "sha")
    typename = "Commit"

    def __init__(self, repo: Repo, sha: str, raw: Record) -> None:
        self.repo = repo
        self.sha = sha
        self.raw = raw

    @property
    def node_id(self) -> str:
        """Named after repository and sha."""
        return node_id(self.typename, f"{self.repo.github_id}:{self.sha}")

    @property
    def authored_at(self) -> str:
        """When it was written, in UTC."""
        return in_utc(self.raw["a"][2])

    @property
    def committed_at(self) -> str:
        """When it was committed, in UTC."""
        return in_utc(self.raw["c"][2])

    def signature(self, role: str) -> Signature:
        """Author (``a``) or committer (``c``)."""
        return Signature(self, role)


class Signature:
    """A name, address and date in a commit, with the account that GitHub found for it."""

    __slots__ = ("commit", "role")

    def __init__(self, commit: Commit, role: str) -> None:
        self.commit = commit
        self.role = role

    @property
    def line(self) -> list[Any]:
        """Name, address, date."""
        return list(self.commit.raw[self.role])

    @property
    def person(self) -> Person | None:
        """The account; None where the address belongs to nobody."""
        return self.commit.repo.person(self.commit.raw[f"{self.role}l"])
