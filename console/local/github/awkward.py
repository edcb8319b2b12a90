"""The awkward cases: what real repositories hold and a capture must survive, each planted at least once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .people import BOTS, MANNEQUIN, ORGANIZATION
from .things import stamp

if TYPE_CHECKING:
    from .dataset import Record
    from .generate import Maker

Case = Callable[["Maker", "Record"], object]
FULL_SET = 100
"""From so many pull requests on every case is planted; below, as many small ones as fit."""


def plant(maker: Maker) -> None:
    """Plant the cases, each on a pull request of its own, spread evenly, and note them in ``edges``."""
    cases = list(CASES.items())
    if maker.size < FULL_SET:
        cases = [(name, case) for name, case in cases if name not in HEAVY][: maker.size // 3]
    for at, (name, case) in enumerate(cases):
        pull = maker.pulls[(at + 1) * maker.size // (len(cases) + 1)]
        case(maker, pull)
        maker.edges.setdefault(name, []).append(pull["n"])
    same_updated_at(maker)


def same_updated_at(maker: Maker) -> None:
    """Give a row of pull requests one ``updated_at``, as a label added to all of them would."""
    tied = maker.pulls[maker.size // 3 :][: max(maker.size // 20, min(130, maker.size // 4))]
    if len(tied) < 2:
        return
    latest = max(pull["updated_at"] for pull in tied)
    for pull in tied:
        pull["updated_at"] = latest
    maker.edges["same_updated_at"] = [pull["n"] for pull in tied]


def _with(**fields: object) -> Case:
    return lambda _, pull: pull.update(fields)


def _comment(maker: Maker, pull: Record, **fields: object) -> None:
    pull["comments"].append({**maker.comment(maker.opened[pull["n"]] + 90), **fields})


def _review(maker: Maker, pull: Record, **fields: object) -> Record:
    review = {**maker.review(maker.opened[pull["n"]] + 30, pull["head_sha"]), **fields}
    pull["reviews"].append(review)
    return review


def _reopen(maker: Maker, pull: Record, draft: bool = False) -> None:
    maker.closed.pop(pull["n"], None)
    pull.update(state="OPEN", draft=draft, merged_by=None, closed_at=None, merged_at=None)


def _close_unmerged(_maker: Maker, pull: Record) -> None:
    pull.update(state="CLOSED", merged_by=None, merged_at=None, closed_at=pull["updated_at"])


def _nul(maker: Maker, pull: Record) -> None:
    pull["body"] = "before\x00after"
    _comment(maker, pull, body="\x00")


def _lone_surrogate(maker: Maker, pull: Record) -> None:
    _comment(maker, pull, body="half of a pair: \ud83d.")


def _ghosts_talk(maker: Maker, pull: Record) -> None:
    review = _review(maker, pull, author=None, state="COMMENTED")
    item = maker.review_comment(maker.opened[pull["n"]] + 31, review["id"], pull["head_sha"])
    pull["review_comments"].append({**item, "author": None})
    _comment(maker, pull, author=None)


def _without_review(maker: Maker, pull: Record) -> None:
    pull["review_comments"].append(maker.review_comment(maker.opened[pull["n"]] + 45, None, pull["head_sha"]))


def _stacked(maker: Maker, pull: Record) -> None:
    """Share the first commit of the pull request before."""
    before = maker.pulls[next(at for at, other in enumerate(maker.pulls) if other is pull) - 1]
    maker.commits[pull["commits"][0]]["p"] = [before["commits"][-1]]
    pull["commits"] = [*before["commits"], *pull["commits"]]


def _dated(date: str) -> Case:
    def change(maker: Maker, pull: Record) -> None:
        commit = maker.commits[pull["commits"][0]]
        commit["a"] = [commit["a"][0], commit["a"][1], date]

    return change


def _no_account(maker: Maker, pull: Record) -> None:
    for sha in pull["commits"]:
        maker.commits[sha].update(al=None, cl=None)


def _many(reviews: int, comments: int) -> Case:
    def change(maker: Maker, pull: Record) -> None:
        opened = maker.opened[pull["n"]]
        pull["reviews"] += [maker.review(opened + 60 + at, pull["head_sha"]) for at in range(reviews)]
        pull["comments"] += [maker.comment(opened + 60 + at) for at in range(comments)]

    return change


def _many_commits(count: int) -> Case:
    def change(maker: Maker, pull: Record) -> None:
        at = maker.opened[pull["n"]]
        while len(pull["commits"]) < count:
            last = pull["commits"][-1]
            message = f"Step {len(pull['commits']) + 1}"
            pull["commits"].append(maker.commit(at, message, [last], maker.commits[last]["al"], [1, 0, 1]))
        pull["head_sha"] = pull["commits"][-1]

    return change


def _many_in_one_review(maker: Maker, pull: Record) -> None:
    review = _review(maker, pull)
    at = maker.opened[pull["n"]] + 30
    pull["review_comments"] += [maker.review_comment(at, review["id"], pull["head_sha"]) for _ in range(120)]


def _how(how: str) -> Case:
    def change(maker: Maker, pull: Record) -> None:
        at = stamp(maker.closed.setdefault(pull["n"], maker.opened[pull["n"]] + 3_600))
        pull.update(state="MERGED", how=how, merged_by=maker.logins[0], closed_at=at, merged_at=at, draft=False)

    return change


def _over_first_pages(maker: Maker, pull: Record) -> None:
    _many(25, 40)(maker, pull)
    _many_commits(60)(maker, pull)


ASTRAL, RIGHT_TO_LEFT = (
    "\U0001d56cstral \U0001f980 and \u202e\u05e2\u05d1\u202c",
    "\u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\U0001f469",
)
HEAVY = frozenset({"over_100_reviews_and_comments", "over_250_commits", "over_100_comments_in_one_review"})
CASES: dict[str, Case] = {
    "ghost_author": _with(author=None, head_repo=None),
    "bot_author": _with(author=BOTS[0]),
    "null_body": _with(body=None),
    "nul_character": _nul,
    "open": _reopen,
    "closed_unmerged": _close_unmerged,
    "pending_review": lambda maker, pull: _review(maker, pull, state="PENDING", at=None, body="not yet"),
    "review_comment_without_review": _without_review,
    "commit_in_two_pull_requests": _stacked,
    "ghosts_talk": _ghosts_talk,
    "merge_commit": _how("merge"),
    "squash_merge": _how("squash"),
    "lists_over_the_first_page": _over_first_pages,
    "draft": lambda maker, pull: _reopen(maker, pull, draft=True),
    "mannequin_author": _with(author=MANNEQUIN),
    "organization_author": _with(author=ORGANIZATION),
    "lone_surrogate": _lone_surrogate,
    "astral_and_right_to_left": _with(title=ASTRAL, body=RIGHT_TO_LEFT),
    "body_of_65536_characters": lambda _, pull: pull.update(body="0123456789abcdef" * 4096),
    "id_past_2_to_the_53": lambda maker, pull: _comment(maker, pull, id=2**53 + 2 * maker.new_id() + 1),
    "deleted_fork": _with(head_repo=None),
    "commit_without_account": _no_account,
    "author_date_before_1970": _dated("1969-07-20T20:17:40-05:00"),
    "author_date_after_today": _dated("2099-12-31T23:59:59+14:00"),
    "author_date_in_an_odd_zone": _dated("2019-03-31T02:30:00+05:45"),
    "empty_review_body": lambda maker, pull: _review(maker, pull, body="", state="APPROVED"),
    "dismissed_review": lambda maker, pull: _review(maker, pull, state="DISMISSED"),
    "over_100_reviews_and_comments": _many(120, 130),
    "over_250_commits": _many_commits(312),
    "over_100_comments_in_one_review": _many_in_one_review,
}
