"""What the stand-in holds: repositories with sorted lists over a dataset's own records, and the people in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .dataset import Dataset, Record
from .listing import Listing
from .things import Comment, Commit, Issue, Person, Pull, Review, ReviewComment

Kept = TypeVar("Kept")
LARGEST_INT = 2**31 - 1
STATES = ("ok", "blocked", "gone")


class Repo:
    """One repository. Lists are sorted when first asked for and dropped by :meth:`changed`."""

    typename = "Repository"

    def __init__(self, dataset: Dataset, people: dict[str, Person]) -> None:
        self.dataset = dataset
        self.data = dataset.data
        self.facts: Record = dataset.data["repo"]
        self.people = people
        self.state = "ok"
        self.pulls = {raw["n"]: Pull(self, raw) for raw in self.data["pulls"]}
        self.issues = {raw["n"]: Issue(self, raw) for raw in self.data.get("issues", [])}
        self._lists: dict[Any, Any] = {}

    @property
    def github_id(self) -> int:
        """GitHub's number for the repository, the same through renames."""
        return int(self.facts["id"])

    @property
    def name(self) -> str:
        """``owner/name``."""
        return f"{self.facts['owner']}/{self.facts['name']}"

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever pushed."""
        return not self.data["history"]

    def changed(self) -> None:
        """Forget what was sorted: something was edited."""
        self._lists.clear()

    def person(self, login: str | None) -> Person | None:
        """Whoever has the login; None for a deleted account."""
        return None if login is None else self.people[login]

    def commit(self, sha: str) -> Commit | None:
        """The commit with exactly this sha."""
        raw = self.data["commits"].get(sha)
        return None if raw is None else Commit(self, sha, raw)

    def pulls_by(self, key: str, states: frozenset[str] | None = None) -> Listing[Pull]:
        """Pull requests by ``created_at`` or ``updated_at``, of some states or of all."""

        def build() -> Listing[Pull]:
            chosen = [pull for pull in self.pulls.values() if states is None or pull.raw["state"] in states]
            return Listing(chosen, lambda pull: (pull.raw[key], pull.raw["id"]))

        return self._kept(("pulls", key, states), build)

    def review_comments_by(self, key: str) -> Listing[ReviewComment]:
        """Every review comment of the repository by ``created`` or ``updated``."""

        def build() -> Listing[ReviewComment]:
            everything = (item for pull in self.pulls.values() for item in pull.review_comments())
            return Listing(everything, lambda item: (item.raw[key], item.raw["id"]))

        return self._kept(("review comments", key), build)

    def comments_by(self, key: str) -> Listing[Comment]:
        """Every conversation comment, on issues and pull requests alike, by ``created`` or ``updated``."""

        def build() -> Listing[Comment]:
            places: list[Pull | Issue] = [*self.pulls.values(), *self.issues.values()]
            everything = (item for place in places for item in place.comments())
            return Listing(everything, lambda item: (item.raw[key], item.raw["id"]))

        return self._kept(("comments", key), build)

    def issues_by(self, key: str, states: frozenset[str] | None = None) -> Listing[Pull | Issue]:
        """Issues and pull requests mixed, as REST lists them."""

        def build() -> Listing[Pull | Issue]:
            everything: list[Pull | Issue] = [*self.pulls.values(), *self.issues.values()]
            chosen = [place for place in everything if states is None or place.state in states]
            return Listing(chosen, lambda place: (place.raw[key], place.raw["id"]))

        return self._kept(("issues", key, states), build)

    def history(self, head: str | None = None) -> list[Commit]:
        """The default branch, newest first, from ``head`` on where that commit is on it."""

        def build() -> tuple[list[Commit], dict[str, int]]:
            commits = [Commit(self, sha, self.data["commits"][sha]) for sha in self.data["history"]]
            return commits, {commit.sha: at for at, commit in enumerate(commits)}

        commits, places = self._kept("history", build)
        if head is None or (commits and head == commits[0].sha):
            return list(commits) if head is None else commits
        return commits[places[head] :] if head in places else self._ancestors(head)

    def pulls_with(self, sha: str) -> list[Pull]:
        """The pull requests that list a commit or were merged by it."""

        def build() -> dict[str, list[Pull]]:
            found: dict[str, list[Pull]] = {}
            for pull in self.pulls.values():
                for listed in {*pull.raw["commits"], pull.raw["merge_sha"]}:
                    found.setdefault(listed, []).append(pull)
            return found

        return self._kept("pulls with", build).get(sha, [])

    def by_id(self, kind: str, github_id: int) -> Any:
        """A review, comment or review comment by its number; None where there is none."""

        def build() -> dict[int, Any]:
            return {item.raw["id"]: item for item in self._every(kind)}

        return self._kept(("by id", kind), build).get(github_id)

    def _every(self, kind: str) -> Iterator[Pull | Issue | Review | ReviewComment | Comment]:
        for pull in self.pulls.values():
            if kind == "PullRequest":
                yield pull
            elif kind == "PullRequestReview":
                yield from pull.reviews()
            elif kind == "PullRequestReviewComment":
                yield from pull.review_comments()
            elif kind == "IssueComment":
                yield from pull.comments()
        for issue in self.issues.values():
            if kind == "Issue":
                yield issue
            elif kind == "IssueComment":
                yield from issue.comments()

    def _ancestors(self, head: str) -> list[Commit]:
        found: dict[str, Commit] = {}
        waiting = [head]
        while waiting:
            commit = self.commit(waiting.pop())
            if commit is not None and commit.sha not in found:
                found[commit.sha] = commit
                waiting.extend(commit.raw["p"])
        return sorted(found.values(), key=lambda commit: (commit.committed_at, commit.sha), reverse=True)

    def _kept(self, name: Any, build: Callable[[], Kept]) -> Kept:
        if name not in self._lists:
            self._lists[name] = build()
        kept: Kept = self._lists[name]
        return kept


class World:
    """All repositories and people of one stand-in."""

    def __init__(self, datasets: list[Dataset]) -> None:
        self.repos: list[Repo] = []
        self.people: dict[int, Person] = {}
        for dataset in datasets:
            self.add(dataset)

    def add(self, dataset: Dataset) -> Repo:
        """Take in a repository; people with the same number are one person."""
        here = {}
        for login, raw in dataset.data["users"].items():
            here[login] = self.people.setdefault(raw["id"], Person(raw["id"], login, raw["type"], raw["name"]))
        repo = Repo(dataset, here)
        self.repos.append(repo)
        return repo

    def find(self, owner: str, name: str) -> Repo | None:
        """The repository of that name or former name, whatever the case of the letters; not one that is gone."""
        wanted = f"{owner}/{name}".lower()
        for repo in self.repos:
            if repo.name.lower() == wanted:
                return repo if repo.state != "gone" else None
        for repo in self.repos:
            if wanted in (former.lower() for former in repo.facts["former_names"]):
                return repo if repo.state != "gone" else None
        return None

    def numbered(self, github_id: int) -> Repo | None:
        """The repository with GitHub's number."""
        return next((repo for repo in self.repos if repo.github_id == github_id and repo.state != "gone"), None)

    def find_person(self, login: str) -> Person | None:
        """Whoever has the login today, with or without ``[bot]``."""
        wanted = login.lower().removesuffix("[bot]")
        return next((person for person in self.people.values() if person.login.lower() == wanted), None)
