"""Payloads for the tests of the history: small ones made by hand, and whole datasets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from capture.github import payloads
from console.local.github import node_id
from models.comment import ReviewComment
from models.commit import Commit
from models.database import transaction
from models.list_tail import ListTail
from models.pull_request import PullRequest
from models.repository import Repository

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LARGE = 2**31
"""Added to ids, which no longer fit 32 bits."""


def repository(github_id: int = 1, name: str = "octo/hello", **other: Any) -> payloads.Repository:
    owner, _, short = name.partition("/")
    values = {"default_branch": "main", "pull_requests": 3, "created_at": NOON, **other}
    return payloads.Repository(github_id, f"R_{github_id}", owner, short, **values)


def person(github_id: int, login: str = "", name: str | None = "Somebody") -> payloads.Contributor:
    return payloads.Contributor(github_id, f"U_{github_id}", login or f"login-{github_id}", "User", name)


def review(github_id: int, author: payloads.Contributor | None = None, state: str = "APPROVED") -> payloads.Review:
    return payloads.Review(LARGE + github_id, author, state, "fine", NOON, "abc")


def comment(
    github_id: int, author: payloads.Contributor | None = None, body: str = "hm", minutes: int = 0
) -> payloads.Comment:
    return payloads.Comment(LARGE + github_id, author, body, NOON, NOON + timedelta(minutes=minutes))


def review_comment(github_id: int, number: int, review_number: int | None) -> payloads.ReviewComment:
    of_review = None if review_number is None else LARGE + review_number
    return payloads.ReviewComment(LARGE + github_id, number, of_review, person(9, name=None), "a.py", "nit", NOON, NOON)


def commit(sha: str, author: payloads.Contributor | None = None) -> payloads.Commit:
    return payloads.Commit(sha, f"Message of {sha}", author, "A. Uthor", NOON, NOON, 1, 2)


def pull(number: int, minutes: int = 0, **other: Any) -> payloads.PullRequest:
    """A pull request last updated so many minutes after noon."""
    values = {
        "title": f"Change {number}",
        "body": "",
        "state": "OPEN",
        "draft": False,
        "author": person(7),
        "merged_by": None,
        "base_ref": "main",
        "head_ref": "topic",
        "head_sha": f"head{number}",
        "merge_commit_sha": None,
        "additions": 1,
        "deletions": 2,
        "changed_files": 3,
        "created_at": NOON,
        "closed_at": None,
        "merged_at": None,
        **other,
    }
    github_id = LARGE + number
    return payloads.PullRequest(
        github_id, f"PR_{github_id}", number=number, updated_at=NOON + timedelta(minutes=minutes), **values
    )


def store_dataset(dataset: dict[str, Any], page_size: int = 25, first: int = 20) -> None:
    """Store a dataset as a capture would: pages of pull requests with ``first`` items of each list, tails, comments, commits."""
    reader = DatasetReader(dataset)
    with transaction():
        repo = Repository.upsert(reader.repository())
    pulls = [reader.pull(raw) for raw in dataset["pulls"]]
    for at in range(0, len(pulls), page_size):
        page = pulls[at : at + page_size]
        with transaction():
            PullRequest.upsert_many(repo, [cut(pull, first) for pull in page])
            ListTail.remember(repo, [tail for pull in page for tail in cut(pull, first).tails])
    by_number = {pull.github_id: pull for pull in pulls}
    while (tail := ListTail.next_of(repo)) is not None:
        store_tail(tail, by_number[PullRequest.get_by_id(tail.pull_request_id).github_id])
    with transaction():
        assert ReviewComment.upsert_many(repo, list(reader.review_comments())) == 0
        Commit.upsert_many(repo, [reader.commit(sha) for sha in dataset["history"]])
        Commit.decide_direct(repo)


def cut(pull: payloads.PullRequest, first: int) -> payloads.PullRequest:
    """The pull request as a page has it: the beginning of each list, and tails for the rest. A cursor is an offset."""
    values = {field: getattr(pull, field) for field in payloads.PullRequest.__dataclass_fields__}
    tails = [
        payloads.Tail(pull.github_id, pull.node_id, name, str(first), len(values[name]))
        for name in ("reviews", "commits", "comments")
        if len(values[name]) > first
    ]
    lists = {name: values[name][:first] for name in ("reviews", "commits", "comments")}
    return payloads.PullRequest(**{**values, **lists, "tails": tuple(tails)})


def store_tail(tail: ListTail, pull: payloads.PullRequest) -> None:
    """One page of 100 of a tail."""
    start = int(tail.cursor)
    everything = getattr(pull, tail.list_name)
    items = everything[start : start + 100]
    with transaction():
        assert tail.store(payloads.Page(items, str(start + len(items)), last=start + len(items) == len(everything)))


class DatasetReader:
    """A dataset's records as payloads."""

    def __init__(self, dataset: dict[str, Any]) -> None:
        self.dataset = dataset

    def repository(self) -> payloads.Repository:
        repo = self.dataset["repo"]
        branch = repo["default_branch"] if self.dataset["history"] else None
        number, created = repo["id"], time(repo["created_at"])
        names = repo["owner"], repo["name"]
        return payloads.Repository(
            number, node_id("Repository", number), *names, branch, len(self.dataset["pulls"]), created
        )

    def person(self, login: str | None, *, named: bool = True) -> payloads.Contributor | None:
        if login is None:
            return None
        user = self.dataset["users"][login]
        name = user["name"] if named and user["type"] in {"User", "Organization"} else None
        return payloads.Contributor(
            user["id"], node_id(user["type"], user["id"]), login.removesuffix("[bot]"), user["type"], name
        )

    def commit(self, sha: str) -> payloads.Commit:
        raw = self.dataset["commits"][sha]
        (name, _, authored), committed = raw["a"], raw["c"][2]
        author = self.person(raw["al"])
        return payloads.Commit(
            sha, clean(raw["m"]), author, clean(name), time(authored), time(committed), *raw["s"][:2]
        )

    def pull(self, raw: dict[str, Any]) -> payloads.PullRequest:
        return payloads.PullRequest(
            github_id=raw["id"],
            node_id=node_id("PullRequest", raw["id"]),
            number=raw["n"],
            title=clean(raw["title"]),
            body=clean(raw["body"]),
            state=raw["state"],
            draft=raw["draft"],
            author=self.person(raw["author"]),
            merged_by=self.person(raw["merged_by"]),
            base_ref=raw["base"],
            head_ref=raw["head"],
            head_sha=raw["head_sha"],
            merge_commit_sha=raw["merge_sha"],
            additions=raw["stats"][0],
            deletions=raw["stats"][1],
            changed_files=raw["stats"][2],
            created_at=time(raw["created_at"]),
            updated_at=time(raw["updated_at"]),
            closed_at=raw["closed_at"] and time(raw["closed_at"]),
            merged_at=raw["merged_at"] and time(raw["merged_at"]),
            reviews=tuple(self.review(r) for r in raw["reviews"] if r["state"] != "PENDING"),
            commits=tuple(self.commit(sha) for sha in raw["commits"]),
            comments=tuple(self.comment(c) for c in raw["comments"]),
        )

    def review(self, raw: dict[str, Any]) -> payloads.Review:
        author, at = self.person(raw["author"]), raw["at"] and time(raw["at"])
        return payloads.Review(raw["id"], author, raw["state"], clean(raw["body"]), at, raw["commit"])

    def comment(self, raw: dict[str, Any]) -> payloads.Comment:
        author = self.person(raw["author"])
        return payloads.Comment(raw["id"], author, clean(raw["body"]), time(raw["created"]), time(raw["updated"]))

    def review_comments(self) -> Iterator[payloads.ReviewComment]:
        for pull in self.dataset["pulls"]:
            for raw in pull["review_comments"]:
                author = self.person(raw["author"], named=False)
                times = time(raw["created"]), time(raw["updated"])
                yield payloads.ReviewComment(
                    raw["id"], pull["n"], raw["review"], author, raw["path"], clean(raw["body"]), *times
                )


def clean(text: str | None) -> str:
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text or "")


def time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
