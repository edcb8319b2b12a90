"""A dataset: one repository's whole history as plain JSON, the truth that a capture is compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]

FORMAT = 1


class Dataset:
    """The history of one repository; ``data`` is the object described in docs/stand-in.md."""

    def __init__(self, data: Record) -> None:
        self.data = data
        self._check()

    @property
    def name(self) -> str:
        """``owner/name`` as the repository is called now."""
        return f"{self.data['repo']['owner']}/{self.data['repo']['name']}"

    def totals(self) -> dict[str, int]:
        """How many of each thing a complete capture stores; pending reviews do not count."""
        pulls = self.data["pulls"]
        listed = {sha for pull in pulls for sha in pull["commits"]}
        return {
            "pull_requests": len(pulls),
            "reviews": sum(review["state"] != "PENDING" for pull in pulls for review in pull["reviews"]),
            "review_comments": sum(len(pull["review_comments"]) for pull in pulls),
            "comments": sum(len(pull["comments"]) for pull in pulls),
            "commits": len(listed.union(self.data["history"])),
        }

    def save(self, path: str | Path) -> None:
        """Write the dataset where :func:`load_dataset` can read it."""
        Path(path).write_text(json.dumps(self.data, separators=(",", ":")), encoding="ascii")

    def _check(self) -> None:
        if self.data.get("format") != FORMAT:
            raise ValueError(f"The dataset has format {self.data.get('format')!r}; this stand-in reads {FORMAT}.")
        users, commits = self.data["users"], self.data["commits"]
        signed = {commit[role] for commit in commits.values() for role in ("al", "cl")} - {None}
        if not signed <= users.keys():
            raise ValueError(f"Commits of {self.name} name unknown users: {sorted(signed - users.keys())}.")
        for pull in self.data["pulls"]:
            people = {pull["author"], pull["merged_by"]}
            people.update(item["author"] for kind in LISTS for item in pull[kind])
            unknown = sorted(login for login in people if login is not None and login not in users)
            unknown += [sha for sha in pull["commits"] if sha not in commits]
            if unknown:
                raise ValueError(
                    f"Pull request {pull['n']} of {self.name} refers to what the dataset lacks: {unknown}."
                )


LISTS = ("reviews", "review_comments", "comments")


def load_dataset(path: str | Path) -> Dataset:
    """Read a dataset from a file; raises ValueError where it is of another format or refers to what it lacks."""
    return Dataset(json.loads(Path(path).read_text(encoding="utf-8")))
