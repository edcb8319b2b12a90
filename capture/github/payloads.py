"""What GitHub said, after the one normalisation: the shapes that the client yields and the models store.

Rules of the normalisation, the same for GraphQL and REST: a deleted account is a null author; a null body is ``""``; NUL and lone
surrogates become U+FFFD; a pending review does not appear; a bot's login carries no ``[bot]`` suffix; times are aware and in UTC;
ids are GitHub's numeric ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar


@dataclass(frozen=True, slots=True)
class Contributor:
    """A person, bot, mannequin or organization; keyed by ``github_id``, for a login can be given to somebody else."""

    github_id: int
    node_id: str
    login: str
    type: str
    name: str | None = None
    """None where the reply does not carry it (REST lists); a stored name is then kept."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as GitHub calls it today; ``owner`` and ``name`` may differ from what was asked after a rename."""

    github_id: int
    node_id: str
    owner: str
    name: str
    default_branch: str | None
    """None for an empty repository."""
    pull_requests: int
    """How many pull requests GitHub declares, in every state."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, once per repository and sha."""

    sha: str
    message: str
    author: Contributor | None
    author_name: str
    authored_at: datetime
    committed_at: datetime
    additions: int
    deletions: int


@dataclass(frozen=True, slots=True)
class Review:
    """A submitted review of one pull request."""

    github_id: int
    author: Contributor | None
    state: str
    body: str
    submitted_at: datetime | None
    commit_sha: str | None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment in the conversation of one pull request."""

    github_id: int
    author: Contributor | None
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewComment:
    """A comment on a line of a pull request's diff, with the numbers that say where it belongs."""

    github_id: int
    pull_request_number: int
    review_github_id: int | None
    author: Contributor | None
    path: str
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Tail:
    """The rest of a list that was longer than its first page: where to go on asking."""

    pull_request_github_id: int
    pull_request_node_id: str
    list_name: str
    """``reviews``, ``commits`` or ``comments``."""
    cursor: str
    total: int


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request with the first page of each of its lists."""

    github_id: int
    node_id: str
    number: int
    title: str
    body: str
    state: str
    draft: bool
    author: Contributor | None
    merged_by: Contributor | None
    base_ref: str
    head_ref: str
    head_sha: str
    merge_commit_sha: str | None
    additions: int
    deletions: int
    changed_files: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    merged_at: datetime | None
    reviews: tuple[Review, ...] = ()
    commits: tuple[Commit, ...] = ()
    comments: tuple[Comment, ...] = ()
    tails: tuple[Tail, ...] = ()


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list: its items, and where the next one begins."""

    items: tuple[Item, ...]
    cursor: str | None
    """Ask after this for what follows; on the last page the cursor of its end, or None where the list was empty."""
    last: bool
    total: int | None = None
    """How many items GitHub declares for the whole list; None where it does not say."""
    size: int = 0
    """The page size that was asked in the end, after any halving: what to begin with next time."""
    failed: tuple[int, ...] = field(default=())
    """Numbers of items that GitHub could not deliver even alone."""

    def __len__(self) -> int:
        return len(self.items)
