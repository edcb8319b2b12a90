"""REST: which path answers what."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from .bodies import Bodies
from .faults import BLOCK, DOCS
from .limits import Accounts, Identity
from .things import Person, Pull
from .world import Repo, World

DEFAULT_PER_PAGE, MOST_PER_PAGE, MOST_COMMITS = 30, 100, 250


class RestRefusalError(Exception):
    """A reply that is no success."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "documentation_url": DOCS, "status": str(status), **more}


@dataclass(slots=True)
class Call:
    """One REST request, its path already understood."""

    operation: str
    handler: Callable[[Call], Any]
    parts: dict[str, str]
    path: str
    query: dict[str, str]
    world: World
    bodies: Bodies
    accounts: Accounts
    identity: Identity
    viewer: Person | None
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the reply."""

    @property
    def repo(self) -> Repo:
        """The repository that the path names; refuses where it is missing, moved or blocked."""
        if "id" in self.parts:
            found = self.world.numbered(int(self.parts["id"]))
        else:
            found = self.world.find(self.parts["owner"], self.parts["name"])
        if found is None:
            raise RestRefusalError(404, "Not Found")
        if found.state == "blocked":
            raise RestRefusalError(451, "Repository access blocked", block=BLOCK)
        if "owner" in self.parts and found.name.lower() != f"{self.parts['owner']}/{self.parts['name']}".lower():
            rest = self.path.split("/", 4)[4:]
            target = "/".join([f"{self.bodies.root}/repositories/{found.github_id}", *rest])
            self.headers["Location"] = target + (f"?{urlencode(self.query)}" if self.query else "")
            raise RestRefusalError(301, "Moved Permanently", url=self.headers["Location"])
        return found

    @property
    def pull(self) -> Pull:
        """The pull request that the path names."""
        found: Pull = self.one(self.repo.pulls.get(int(self.parts["number"])))
        return found

    def one(self, found: Any) -> Any:
        """What was found; refuses where it is None."""
        if found is None:
            raise RestRefusalError(404, "Not Found")
        return found

    def listed(self, items: Sequence[Any], write: Callable[[Any], Any]) -> list[Any]:
        """One page of a list, with the ``Link`` header that leads to the others."""
        per_page = min(max(self._number("per_page", DEFAULT_PER_PAGE), 1), MOST_PER_PAGE)
        page = max(self._number("page", 1), 1)
        last = max((len(items) + per_page - 1) // per_page, 1)
        links = {"prev": min(page - 1, last), "next": page + 1, "last": last, "first": 1}
        if page >= last:
            del links["next"], links["last"]
        if page == 1:
            del links["prev"], links["first"]
        if links:
            self.headers["Link"] = ", ".join(f'<{self._url(to)}>; rel="{rel}"' for rel, to in links.items())
        return [write(item) for item in items[(page - 1) * per_page : page * per_page]]

    def ordered(self, items: Sequence[Any], default: str) -> Sequence[Any]:
        """Ascending items in the direction asked."""
        return items if self.query.get("direction", default) == "asc" else items[::-1]

    def states(self) -> frozenset[str] | None:
        """The states asked: open unless told otherwise."""
        state = self.query.get("state", "open")
        return None if state == "all" else frozenset({state.upper()})

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isdigit() else default

    def _url(self, page: int) -> str:
        return f"{self.bodies.root}{self.path}?{urlencode({**self.query, 'page': str(page)})}"


def _rate_limit(call: Call) -> Any:
    def shown(resource: str) -> dict[str, int]:
        headers = call.accounts.headers(call.identity, resource)
        return {name: int(headers[f"x-ratelimit-{name}"]) for name in ("limit", "used", "remaining", "reset")}

    return {"resources": {"core": shown("core"), "graphql": shown("graphql")}, "rate": shown("core")}


def _pulls(call: Call) -> Any:
    sort = {"updated": "updated_at"}.get(call.query.get("sort", "created"), "created_at")
    states = call.states()
    wanted = frozenset({"CLOSED", "MERGED"}) if states == frozenset({"CLOSED"}) else states
    items: Sequence[Any] = call.repo.pulls_by(sort, wanted).items
    # GitHub's default: newest first by creation, but oldest first by any other key.
    return call.listed(call.ordered(items, "desc" if sort == "created_at" else "asc"), call.bodies.pull)


def _issues(call: Call) -> Any:
    sort = {"updated": "updated_at"}.get(call.query.get("sort", "created"), "created_at")
    items: Sequence[Any] = call.repo.issues_by(sort, call.states()).items
    since = call.query.get("since", "")
    return call.listed(
        [place for place in call.ordered(items, "desc") if place.raw["updated_at"] >= since], call.bodies.issue
    )


def _since(call: Call, items: Sequence[Any]) -> Sequence[Any]:
    since = call.query.get("since")
    return [item for item in items if item.raw["updated"] >= since] if since else items


def _all_review_comments(call: Call) -> Any:
    sort = "updated" if call.query.get("sort") == "updated" else "created"
    items = _since(call, call.repo.review_comments_by(sort).items)
    return call.listed(call.ordered(items, "asc" if "sort" not in call.query else "desc"), call.bodies.review_comment)


def _all_comments(call: Call) -> Any:
    sort = "updated" if call.query.get("sort") == "updated" else "created"
    items = _since(call, call.repo.comments_by(sort).items)
    return call.listed(call.ordered(items, "asc" if "sort" not in call.query else "desc"), call.bodies.comment)


def _place(call: Call) -> Any:
    number = int(call.parts["number"])
    return call.one(call.repo.pulls.get(number) or call.repo.issues.get(number))


def _comments(call: Call) -> Any:
    items = sorted(_place(call).comments(), key=lambda item: (item.raw["created"], item.raw["id"]))
    return call.listed(_since(call, items), call.bodies.comment)


def _reviews(call: Call) -> Any:
    items = sorted(call.pull.reviews(), key=lambda review: (review.created_at, review.raw["id"]))
    return call.listed(items, call.bodies.review)


def _review_comments(call: Call) -> Any:
    items = sorted(call.pull.review_comments(), key=lambda item: (item.raw["created"], item.raw["id"]))
    return call.listed(_since(call, items), call.bodies.review_comment)


def _comments_of_review(call: Call) -> Any:
    review = call.one(call.pull.review(int(call.parts["review"])))
    return call.listed(review.comments(), call.bodies.review_comment)


def _commits(call: Call) -> Any:
    repo = call.repo
    if repo.is_empty:
        raise RestRefusalError(409, "Git Repository is empty.")
    wanted = call.query.get("sha")
    on_default = wanted in {None, repo.facts["default_branch"]}
    items = repo.history() if on_default else repo.history(call.one(repo.commit(str(wanted))).sha)
    since, until = call.query.get("since", ""), call.query.get("until", "~")
    if since or until != "~":
        items = [commit for commit in items if since <= commit.committed_at <= until]
    return call.listed(items, call.bodies.commit)


def _commit(call: Call) -> Any:
    repo = call.repo
    if repo.is_empty:
        raise RestRefusalError(409, "Git Repository is empty.")
    found = repo.commit(call.parts["sha"])
    if found is None:
        raise RestRefusalError(422, f"No commit found for SHA: {call.parts['sha']}")
    return call.bodies.full_commit(found)


def _by_id(kind: str, write: str) -> Callable[[Call], Any]:
    return lambda call: getattr(call.bodies, write)(call.one(call.repo.by_id(kind, int(call.parts["comment"]))))


def _me(call: Call) -> Any:
    if call.viewer is None:
        raise RestRefusalError(401, "Requires authentication")
    return call.bodies.full_user(call.viewer)


REPO = r"/(?:repos/(?P<owner>[^/]+)/(?P<name>[^/]+)|repositories/(?P<id>\d+))"
ROUTES: tuple[tuple[str, str, Callable[[Call], Any]], ...] = (
    ("rate_limit", r"/rate_limit", _rate_limit),
    ("user", r"/user", _me),
    (
        "users",
        r"/users/(?P<login>[^/]+)",
        lambda call: call.bodies.full_user(call.one(call.world.find_person(call.parts["login"]))),
    ),
    ("repository", REPO, lambda call: call.bodies.repository(call.repo)),
    ("pulls", REPO + r"/pulls", _pulls),
    ("pulls/comments", REPO + r"/pulls/comments", _all_review_comments),
    (
        "pulls/comments/id",
        REPO + r"/pulls/comments/(?P<comment>\d+)",
        _by_id("PullRequestReviewComment", "review_comment"),
    ),
    ("pull", REPO + r"/pulls/(?P<number>\d+)", lambda call: call.bodies.full_pull(call.pull)),
    ("pull/reviews", REPO + r"/pulls/(?P<number>\d+)/reviews", _reviews),
    ("pull/reviews/comments", REPO + r"/pulls/(?P<number>\d+)/reviews/(?P<review>\d+)/comments", _comments_of_review),
    ("pull/comments", REPO + r"/pulls/(?P<number>\d+)/comments", _review_comments),
    (
        "pull/commits",
        REPO + r"/pulls/(?P<number>\d+)/commits",
        lambda call: call.listed(call.pull.commits()[:MOST_COMMITS], call.bodies.commit),
    ),
    ("issues", REPO + r"/issues", _issues),
    ("issues/comments", REPO + r"/issues/comments", _all_comments),
    ("issues/comments/id", REPO + r"/issues/comments/(?P<comment>\d+)", _by_id("IssueComment", "comment")),
    ("issue", REPO + r"/issues/(?P<number>\d+)", lambda call: call.bodies.issue(_place(call))),
    ("issue/comments", REPO + r"/issues/(?P<number>\d+)/comments", _comments),
    ("commits", REPO + r"/commits", _commits),
    ("commit", REPO + r"/commits/(?P<sha>[^/]+)", _commit),
)
COMPILED = tuple((operation, re.compile(pattern), handler) for operation, pattern, handler in ROUTES)


def route(path: str) -> tuple[str, Callable[[Call], Any], dict[str, str]]:
    """The operation of a path, what answers it, and the names in it."""
    for operation, pattern, handler in COMPILED:
        found = pattern.fullmatch(path)
        if found is not None:
            return operation, handler, {name: part for name, part in found.groupdict().items() if part is not None}
    return "unknown", _unknown, {}


def _unknown(_: Call) -> Any:
    raise RestRefusalError(404, "Not Found")
