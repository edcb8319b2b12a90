"""The default branch of a generated repository: direct commits, merge commits and squashed pull requests in time order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .people import WEB_FLOW

if TYPE_CHECKING:
    from .dataset import Record
    from .generate import Maker

OPENED, DIRECT, MERGED = 0, 1, 2
SECONDS_BEFORE_FIRST = 50_000


def weave(maker: Maker) -> list[str]:
    """Give every branch its base and every merge its commit; the shas of the default branch, newest first."""
    branch = Branch(maker)
    events: list[tuple[int, int, int]] = []
    pulls = {pull["n"]: pull for pull in maker.pulls}
    for number, pull in pulls.items():
        events.append((maker.opened[number], OPENED, number))
        if pull["state"] == "MERGED":
            events.append((maker.closed[number], MERGED, number))
        if maker.rng.random() < 0.15:
            events.append((maker.opened[number] + 7, DIRECT, number))
    for at, what, number in sorted(events):
        if what == OPENED:
            branch.open(pulls[number])
        elif what == MERGED:
            branch.merge(at, pulls[number])
        else:
            branch.push(at, f"Prepare release {number}")
    return branch.shas[::-1]


class Branch:
    """The default branch while it grows."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        self.shas: list[str] = []
        self._there: set[str] = set()
        first = min(maker.opened.values(), default=SECONDS_BEFORE_FIRST * 20_000) - SECONDS_BEFORE_FIRST
        self.push(first, "Initial commit")
        self.push(first + 60, "A second commit, direct as well")

    def open(self, pull: Record) -> None:
        """A branch begins where the default branch is now."""
        pull["base_sha"] = self.shas[-1]
        commit = self.maker.commits[pull["commits"][0]]
        commit["p"] = commit["p"] or [self.shas[-1]]

    def push(self, at: int, message: str) -> None:
        """A direct commit."""
        maker = self.maker
        self._add(maker.commit(at, message, self.shas[-1:], maker.rng.choice(maker.logins), [3, 1, 1]))

    def merge(self, at: int, pull: Record) -> None:
        """A pull request arrives, with its commits or as one."""
        maker, before = self.maker, self.shas[-1]
        if pull["how"] == "merge":
            for sha in pull["commits"]:
                self._add(sha)
            message = f"Merge pull request #{pull['n']} from {pull['head']}\n\n{pull['title']}"
            merged = maker.commit(at, message, [before, pull["head_sha"]], pull["merged_by"], [0, 0, 0])
        else:
            listed = maker.commits[pull["commits"][0]]
            message = f"{pull['title']} (#{pull['n']})"
            merged = maker.commit(at, message, [before], listed["al"], list(pull["stats"]))
        commit = maker.commits[merged]
        commit["c"], commit["cl"] = ["GitHub", "noreply@example.invalid", commit["c"][2]], WEB_FLOW
        pull["merge_sha"] = merged
        self._add(merged)

    def _add(self, sha: str) -> None:
        if sha not in self._there:
            self._there.add(sha)
            self.shas.append(sha)
