"""What a correct capture of a dataset stores: every column of every history table, read straight from the dataset's JSON.

References are given as GitHub's numbers, for our own ids are of no interest; a commit's as its sha.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from console.local.github import node_id

Row = tuple[Any, ...]
Record = dict[str, Any]

UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Anything:
    """Equals whatever is stored: what the dataset alone does not tell."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


class ExpectedRows:
    """The rows of one repository, by table; each table sorted by its key."""

    def __init__(self, dataset: Record) -> None:
        self._dataset = dataset
        self._repo: Record = dataset["repo"]
        self._pulls: list[Record] = dataset["pulls"]
        self._users: dict[str, Record] = dataset["users"]
        self._submitted = {r["id"] for pull in self._pulls for r in pull["reviews"] if r["state"] != "PENDING"}
        self.pull_request_numbers = [int(pull["id"]) for pull in self._pulls]

    def of(self, table: str, known_elsewhere: set[int]) -> Iterable[Row]:
        """The rows of a table; ``known_elsewhere`` are the numbers of contributors that other repositories mention too."""
        tables: dict[str, Callable[[], Iterable[Row]]] = {
            "repositories": self._repositories,
            "contributors": lambda: self._contributors(known_elsewhere),
            "pull_requests": self._pull_requests,
            "reviews": self._reviews,
            "review_comments": self._review_comments,
            "comments": self._comments,
            "commits": self._commits,
            "pull_request_commits": self._pull_request_commits,
        }
        return tables[table]()

    def _repositories(self) -> Iterator[Row]:
        repo = self._repo
        branch = text(repo["default_branch"]) if self._dataset["history"] else None
        names = text(repo["owner"]), text(repo["name"])
        yield (
            repo["id"],
            node_id("Repository", repo["id"]),
            *names,
            branch,
            len(self._pulls),
            moment(repo["created_at"]),
        )

    def _contributors(self, known_elsewhere: set[int]) -> Iterator[Row]:
        named, unnamed = self._mentioned()
        users = {self._users[login]["id"]: (login, self._users[login]) for login in named | unnamed}
        for number, (login, user) in sorted(users.items()):
            name: Any = None
            if login in named and user["type"] in {"User", "Organization"}:
                name = optional(user["name"])
            elif number in known_elsewhere:
                name = Anything()
            yield number, node_id(user["type"], number), text(login).removesuffix("[bot]"), user["type"], name

    def _mentioned(self) -> tuple[set[str], set[str]]:
        """Logins that come with a name, and those of review comments, whose REST list carries none."""
        named, unnamed = {self._dataset["commits"][sha]["al"] for sha in self._shas()}, set()
        for pull in self._pulls:
            named |= {pull["author"], pull["merged_by"]}
            named |= {review["author"] for review in pull["reviews"] if review["id"] in self._submitted}
            named |= {comment["author"] for comment in pull["comments"]}
            unnamed |= {comment["author"] for comment in pull["review_comments"]}
        return named - {None}, unnamed - {None}

    def _pull_requests(self) -> Iterator[Row]:
        for pull in sorted(self._pulls, key=lambda pull: int(pull["id"])):
            yield (
                *(pull["id"], node_id("PullRequest", pull["id"]), self._repo["id"], pull["n"]),
                *(text(pull["title"]), text(pull["body"]), pull["state"], pull["draft"]),
                *(self._person(pull["author"]), self._person(pull["merged_by"])),
                *(text(pull["base"]), text(pull["head"]), pull["head_sha"], pull["merge_sha"], *pull["stats"]),
                *(moment(pull[when]) for when in ("created_at", "updated_at", "closed_at", "merged_at")),
            )

    def _reviews(self) -> Iterator[Row]:
        for pull, review in self._parts("reviews"):
            if review["id"] in self._submitted:
                author, body = self._person(review["author"]), text(review["body"])
                yield review["id"], pull["id"], author, review["state"], body, moment(review["at"]), review["commit"]

    def _review_comments(self) -> Iterator[Row]:
        for pull, comment in self._parts("review_comments"):
            review = comment["review"] if comment["review"] in self._submitted else None
            author, path, body = self._person(comment["author"]), text(comment["path"]), text(comment["body"])
            times = moment(comment["created"]), moment(comment["updated"])
            yield comment["id"], pull["id"], review, author, path, body, *times

    def _comments(self) -> Iterator[Row]:
        for pull, comment in self._parts("comments"):
            author, body = self._person(comment["author"]), text(comment["body"])
            yield comment["id"], pull["id"], author, body, moment(comment["created"]), moment(comment["updated"])

    def _commits(self) -> Iterator[Row]:
        claimed, owners = self._owners()
        for sha in sorted(self._shas()):
            commit = self._dataset["commits"][sha]
            yield (
                *(self._repo["id"], sha, text(commit["m"]), self._person(commit["al"]), text(commit["a"][0])),
                *(moment(commit["a"][2]), moment(commit["c"][2]), *commit["s"][:2]),
                *(sha not in claimed, owners.get(sha)),
            )

    def _pull_request_commits(self) -> Iterator[Row]:
        for pull in sorted(self._pulls, key=lambda pull: int(pull["id"])):
            for sha in sorted(set(pull["commits"])):
                yield pull["id"], sha

    def _owners(self) -> tuple[set[str], dict[str, int]]:
        """The commits that are not direct, and the pull request that each belongs to."""
        claimed: set[str] = set()
        owners: dict[str, int] = {}
        by_merit = sorted(self._pulls, key=lambda pull: (pull["state"] != "MERGED", pull["n"]))
        for pull in by_merit:
            merged_by_it = {pull["merge_sha"]} - {None}
            claimed.update(pull["commits"], merged_by_it)
            for sha in {*pull["commits"], *(merged_by_it if pull["state"] == "MERGED" else ())}:
                owners.setdefault(sha, pull["id"])
        return claimed, owners

    def _shas(self) -> set[str]:
        return {sha for pull in self._pulls for sha in pull["commits"]}.union(self._dataset["history"])

    def _parts(self, name: str) -> list[tuple[Record, Record]]:
        return sorted(
            ((pull, part) for pull in self._pulls for part in pull[name]), key=lambda pair: int(pair[1]["id"])
        )

    def _person(self, login: str | None) -> int | None:
        return None if login is None else int(self._users[login]["id"])


def text(value: str | None) -> str:
    """Text as PostgreSQL can hold it: nothing for null, the replacement character for NUL and halves of a pair."""
    return UNSTORABLE.sub("\ufffd", value or "")


def optional(value: str | None) -> str | None:
    """Text, or null."""
    return None if value is None else text(value)


def moment(value: str | None) -> datetime | None:
    """A time in any zone, in UTC."""
    return None if value is None else datetime.fromisoformat(value).astimezone(UTC)
