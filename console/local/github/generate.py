"""Seeded repositories of any size: the same name, size and seed give the same history, to the byte."""

from __future__ import annotations

from random import Random
from typing import Any
from zlib import crc32

from .awkward import plant
from .dataset import FORMAT, Dataset, Record
from .history import weave
from .people import BOTS, WEB_FLOW, population
from .things import stamp

BEGINNING = 1_420_070_400  # 2015-01-01
SPAN_SECONDS = 11 * 365 * 86_400
ZONES = (
    (0, "+00:00"),
    (7200, "+02:00"),
    (-25_200, "-07:00"),
    (20_700, "+05:45"),
    (50_400, "+14:00"),
    (-12_600, "-03:30"),
)
THINGS = ["cursor", "timeout", "broker", "retry", "page", "token", "queue", "parser", "header", "budget"]
VERBS = ["Fix", "Add", "Remove", "Rework", "Document", "Test", "Speed-up", "Guard"]
REMARKS = (
    "Looks right to me.",
    "Could the {} be simplified?",
    "Please add a test for the {}.",
    "+1",
    "The {} leaks on error, see the log:\n\n```\nValueError: {}\n```",
    "What happens when the {} is empty?",
    "Nit: a name for the {}?",
)
REVIEW_STATES = ("APPROVED", "APPROVED", "COMMENTED", "COMMENTED", "CHANGES_REQUESTED", "DISMISSED")


def generate(name: str, pull_requests: int = 100, seed: int = 0, *, empty: bool = False) -> Dataset:
    """A repository ``owner/name`` with so many pull requests; from 100 on every awkward case is among them.

    ``empty`` makes a repository to which nothing was ever pushed.
    """
    return Dataset(Maker(name, 0 if empty else pull_requests, seed).make(empty))


class Maker:
    """Makes one dataset; ``awkward`` and ``history`` work on what it has made so far."""

    def __init__(self, name: str, size: int, seed: int) -> None:
        self.name = name
        self.size = size
        self.rng = Random(f"{name}:{size}:{seed}")  # noqa: S311
        self.users = population(min(max(20, size // 20), 5_000))
        self.logins = [login for login, user in self.users.items() if user["type"] == "User" and login != WEB_FLOW]
        self.pulls: list[Record] = []
        self.commits: dict[str, Record] = {}
        self.edges: dict[str, list[int]] = {}
        self.opened: dict[int, int] = {}
        self.closed: dict[int, int] = {}
        """When each pull request ended, by its number, in epoch seconds; absent while open."""
        self._next_id = 1_500_000_000 + crc32(name.encode()) % 600 * 1_000_000

    def make(self, empty: bool) -> Record:
        """The whole dataset."""
        owner, _, name = self.name.partition("/")
        number, gaps = 0, []
        for position in range(self.size):
            number += 1
            if self.rng.random() < 0.15:
                gaps.append(number)
                number += 1
            if position == self.size // 2:
                self._next_id += 2**31  # the younger half has ids that no longer fit 32 bits
            self.pulls.append(self._pull(number, BEGINNING + position * SPAN_SECONDS // max(self.size, 1)))
        plant(self)
        return {
            "format": FORMAT,
            "source": {"generated": self.name, "pull_requests": self.size},
            "repo": {
                "owner": owner,
                "name": name,
                "id": 100_000_000 + crc32(f"repository {self.name}".encode()) % 900_000_000,
                "default_branch": None if empty else "main",
                "created_at": stamp(BEGINNING - 86_400),
                "description": None,
                "former_names": [f"{owner}/{name}-before"],
            },
            "users": self.users,
            "history": [] if empty else weave(self),
            "commits": self.commits,
            "pulls": self.pulls,
            "issues": [self._issue(number) for number in gaps],
            "edges": self.edges,
        }

    def new_id(self) -> int:
        """The next id of this repository."""
        self._next_id += 1
        return self._next_id

    def anybody(self) -> str | None:
        """Somebody, seldom a bot, very seldom a deleted account."""
        chance = self.rng.random()
        if chance < 0.01:
            return None
        return self.rng.choice(BOTS) if chance < 0.05 else self.rng.choice(self.logins)

    def remark(self) -> str:
        """Something that is said in a comment."""
        thing = self.rng.choice(THINGS)
        return self.rng.choice(REMARKS).format(thing, thing)

    def commit(self, at: int, message: str, parents: list[str], author: str | None, stats: list[int]) -> str:
        """Add a commit and give its sha; without parents it gets one when its branch is woven in."""
        rng = self.rng
        sha = f"{rng.getrandbits(160):040x}"
        offset, zone = rng.choice(ZONES)
        name = (self.users[author]["name"] or author) if author else "Someone Unknown"
        line = [name, f"{sha[:12]}@example.invalid", stamp(at + offset)[:-1] + zone]
        self.commits[sha] = {"a": line, "al": author, "c": line, "cl": author, "m": message, "p": parents, "s": stats}
        return sha

    def comment(self, at: int) -> Record:
        """A comment in a conversation."""
        edited = self.rng.randrange(5_000) if self.rng.random() < 0.1 else 0
        return {
            "id": self.new_id(),
            "author": self.anybody(),
            "body": self.remark(),
            "created": stamp(at),
            "updated": stamp(at + edited),
        }

    def review(self, at: int, commit: str) -> Record:
        """A review."""
        body = "" if self.rng.random() < 0.4 else self.remark()
        state = self.rng.choice(REVIEW_STATES)
        author = self.anybody()
        return {"id": self.new_id(), "state": state, "author": author, "body": body, "at": stamp(at), "commit": commit}

    def review_comment(self, at: int, review: int | None, commit: str, reply: int | None = None) -> Record:
        """A comment on the diff."""
        line = self.rng.randrange(1, 90)
        return {
            **self.comment(at),
            "review": review,
            "path": f"src/{self.rng.choice(THINGS)}.py",
            "commit": commit,
            "hunk": f"@@ -{line},4 +{line},6 @@ def page():\n+    timeout = None",
            "pos": line,
            "opos": line,
            "reply": reply,
        }

    def _pull(self, number: int, opened: int) -> Record:
        rng = self.rng
        author = self.anybody()
        title = f"{rng.choice(VERBS)} the {rng.choice(THINGS)} of the {rng.choice(THINGS)}"
        lasts = rng.randrange(600, 400_000)
        commits = self._branch(opened, title, author)
        state = self._state(opened, lasts)
        closed = stamp(opened + lasts) if state != "OPEN" else None
        pull: Record = {
            "n": number,
            "id": self.new_id(),
            "title": title,
            "body": None if rng.random() < 0.05 else f"{title}.\n\n{self.remark()}",
            "state": state,
            "draft": state == "OPEN" and rng.random() < 0.2,
            "author": author,
            "merged_by": rng.choice(self.logins) if state == "MERGED" else None,
            "created_at": stamp(opened),
            "updated_at": stamp(opened + lasts),
            "closed_at": closed,
            "merged_at": closed if state == "MERGED" else None,
            "base": "main",
            "base_sha": "",
            "head": f"topic-{number}",
            "head_sha": commits[-1],
            "head_repo": self._head_repo(author),
            "merge_sha": None,
            "how": rng.choice(("merge", "squash")),
            "labels": [rng.choice(("bug", "docs", "speed"))] if rng.random() < 0.3 else [],
            "commits": commits,
            "stats": [rng.randrange(400), rng.randrange(90), rng.randrange(1, 9)],
            "reviews": [],
            "review_comments": [],
            "comments": [],
        }
        self.opened[number] = opened
        if closed is not None:
            self.closed[number] = opened + lasts
        self._talk(pull, opened, lasts)
        return pull

    def _head_repo(self, author: str | None) -> str | None:
        chance = self.rng.random()
        if chance < 0.02:
            return None
        return self.name if author is None or chance < 0.3 else f"{author}/{self.name.partition('/')[2]}"

    def _state(self, opened: int, lasts: int) -> str:
        chance = self.rng.random()
        young = opened + lasts > BEGINNING + SPAN_SECONDS * 0.9
        if young and chance < 0.3:
            return "OPEN"
        return "CLOSED" if chance > 0.87 else "MERGED"

    def _branch(self, opened: int, title: str, author: str | None) -> list[str]:
        rng = self.rng
        known = author if author is not None and self.users[author]["type"] == "User" and rng.random() < 0.9 else None
        commits: list[str] = []
        for at in range(rng.choice((1, 1, 1, 2, 2, 4))):
            stats = [rng.randrange(200), rng.randrange(50), rng.randrange(1, 5)]
            message = title if at == 0 else f"{title}\n\nPart {at + 1}."
            commits.append(self.commit(opened - 3_600 + at * 60, message, commits[-1:], known, stats))
        return commits

    def _talk(self, pull: Record, opened: int, lasts: int) -> None:
        rng, head = self.rng, pull["head_sha"]
        long = self.size >= 1_000 and rng.random() < 0.004
        for _ in range(rng.choice((0, 0, 1, 1, 2)) + (25 if long else 0)):
            review = self.review(opened + rng.randrange(lasts), head)
            pull["reviews"].append(review)
            answered = None
            for _ in range(rng.choice((0, 0, 0, 1, 2))):
                item = self.review_comment(opened + rng.randrange(lasts), review["id"], head, answered)
                answered = item["id"] if rng.random() < 0.5 else None
                pull["review_comments"].append(item)
        for _ in range(rng.choice((0, 0, 1, 1, 3)) + (35 if long else 0)):
            pull["comments"].append(self.comment(opened + rng.randrange(lasts)))

    def _issue(self, number: int) -> Record:
        at = BEGINNING + self.rng.randrange(SPAN_SECONDS)
        comments: list[Any] = [self.comment(at + 60)] if self.rng.random() < 0.5 else []
        return {
            "n": number,
            "id": self.new_id(),
            "title": f"Trouble with the {self.rng.choice(THINGS)}",
            "body": self.remark(),
            "author": self.anybody(),
            "created_at": stamp(at),
            "updated_at": stamp(at + 120),
            "closed_at": None,
            "comments": comments,
        }
