"""What can be asked of GitHub: lists, page by page, each page whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from capture.clock import SYSTEM_CLOCK, Clock
from capture.errors import Refused
from capture.github import arguments, parse_graphql, parse_rest
from capture.github.budget import Budget, LocalBudget
from capture.github.caller import Answer, Caller, CallRecord
from capture.github.graphql import GraphQL
from capture.github.identities import Identities
from capture.github.normalise import reading
from capture.github.paging import PageSize, Patience
from capture.github.payloads import Comment, Commit, Page, PullRequest, Repository, Review, ReviewComment, Tail
from capture.github.rest import Rest
from capture.github.transport import Transport
from capture.github.walk import Data, Walk
from capture.names import repository_name

#: Lists of small things come in pages of GitHub's largest size.
LIST_SIZE = arguments.LARGEST_SIZE
REVIEW_COMMENTS = "/pulls/comments"

_TAILS: dict[str, Callable[[Data], Any]] = {
    "reviews": parse_graphql.review,
    "commits": parse_graphql.commit_of_pull_request,
    "comments": parse_graphql.comment,
}


class GitHub:
    """A thin client; safe between threads.

    Its iterators are lazy: the next request is made when the next page is asked for. Every list yields at least one
    page, the last one says so, and going on from the cursor of any page yields the same rest. Arguments that make no
    sense are ``Refused`` at once; the iterators raise ``Transient``, ``RateLimited`` or ``Permanent``, having yielded
    nothing of the page in question.
    """

    def __init__(
        self,
        api_url: str,
        graphql_url: str,
        tokens: Sequence[str],
        *,
        deadline: float = 60.0,
        tries: int = 5,
        clock: Clock = SYSTEM_CLOCK,
        budget: Budget | None = None,
        page_size: int = 25,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        if not 0 < deadline <= 3600 or tries < 1:
            raise Refused("The client takes a deadline of up to 3600 seconds and at least one try.")
        self._page_size = arguments.page_size(page_size)
        budget = LocalBudget(clock) if budget is None else budget
        identities = Identities(tokens, budget, patience=deadline)
        caller = Caller(Transport(deadline=deadline, clock=clock), identities, budget, clock, on_call)
        self._graphql = GraphQL(arguments.address(graphql_url), caller)
        self._rest = Rest(arguments.address(api_url), caller)
        self._patience = Patience(tries, longest_seconds=2 * deadline, clock=clock)

    def repository(self, name: str) -> Repository:
        """The repository ``owner/name`` as GitHub calls it today, also by a former name."""
        variables = _repository(name)

        def ask(_: int) -> Answer[Repository]:
            return self._graphql.ask(
                "repository", variables, _about(name), lambda data: parse_graphql.repository(data["repository"])
            )

        return self._patience.ask(PageSize.fixed(1), ask)

    def pull_requests(
        self, name: str, *, after: str | None = None, size: int | None = None, since: datetime | None = None
    ) -> Iterator[Page[PullRequest]]:
        """Pull requests in the order of their creation, which never changes, with the first page of their lists.

        With ``since``: those updated at or after it, the latest first. GitHub declares no total for these, so ``total``
        is None, and a pull request that is updated meanwhile leaves the rest of the walk for its front.
        """
        arguments.timestamp(since)
        field, direction = ("CREATED_AT", "ASC") if since is None else ("UPDATED_AT", "DESC")
        variables = {**_repository(name), "order": {"field": field, "direction": direction}}

        def read(data: Data, cursor: str | None, asked: int) -> Page[PullRequest]:
            connection = data["repository"]["pullRequests"]
            page = parse_graphql.page(connection, parse_graphql.pull_request, after=cursor, size=asked)
            return page if since is None else _updated_since(page, since)

        start = PageSize(arguments.page_size(self._page_size if size is None else size))
        return self._pages(Walk("pull_requests", variables, _about(name), read), start, after)

    def tail(self, tail: Tail, *, after: str) -> Iterator[Page[Review] | Page[Commit] | Page[Comment]]:
        """The rest of an overflowing list after a cursor: the tail's own, or that of a page of this walk.

        ``total`` counts the whole list, its first page included, and submitted reviews only.
        """
        if tail.list_name not in _TAILS or not tail.pull_request_node_id or not after:
            raise Refused("A tail goes on from a cursor in the reviews, commits or comments of a pull request.")

        def read(data: Data, cursor: str | None, asked: int) -> Page[Any]:
            connection = data["node"][tail.list_name]
            page = parse_graphql.page(connection, _TAILS[tail.list_name], after=cursor, size=asked)
            return replace(page, items=parse_graphql.submitted(page.items)) if tail.list_name == "reviews" else page

        about = f"pull request {tail.pull_request_node_id}"
        walk = Walk(f"tail_{tail.list_name}", {"id": tail.pull_request_node_id}, about, read)
        return self._pages(walk, PageSize(LIST_SIZE, largest=LIST_SIZE), after)

    def commits(self, name: str, *, after: str | None = None, since: datetime | None = None) -> Iterator[Page[Commit]]:
        """The history of the default branch, newest first; of an empty repository one empty page."""
        variables = {**_repository(name), "since": arguments.timestamp(since)}

        def read(data: Data, cursor: str | None, asked: int) -> Page[Commit]:
            branch = data["repository"]["defaultBranchRef"]
            if branch is None:
                return Page((), cursor=None, last=True, total=0, size=asked)
            return parse_graphql.page(branch["target"]["history"], parse_graphql.commit, after=cursor, size=asked)

        walk = Walk("commits", variables, _about(name), read)
        return self._pages(walk, PageSize(LIST_SIZE, largest=LIST_SIZE), after)

    def review_comments(
        self, name: str, *, after: str | None = None, since: datetime | None = None
    ) -> Iterator[Page[ReviewComment]]:
        """The review comments of the whole repository, oldest first; with ``since``, those updated at or after it.

        The cursor is the path and query of the next page, and on the last page of that page itself. REST declares no
        total, except that there is nothing.
        """
        owner, short = repository_name(name)
        if arguments.cursor(after) is not None:
            return self._linked(self._rest.checked(str(after), REVIEW_COMMENTS, owner, short), name, is_start=False)
        query: dict[str, str | int] = {"sort": "created", "direction": "asc", "per_page": LIST_SIZE}
        if since is not None:
            query["since"] = str(arguments.timestamp(since))
        first = self._rest.target(f"/repos/{owner}/{short}{REVIEW_COMMENTS}?{urlencode(query)}")
        return self._linked(first, name, is_start=True)

    def _pages(self, walk: Walk[Any], size: PageSize, after: str | None) -> Iterator[Page[Any]]:
        return walk.pages(self._graphql, self._patience, size, arguments.cursor(after))

    def _linked(self, first: str, name: str, *, is_start: bool) -> Iterator[Page[ReviewComment]]:
        following: str | None = first
        while following is not None:
            page = self._patience.ask(PageSize.fixed(LIST_SIZE), self._asking(following, name, is_start))
            yield page
            following, is_start = None if page.last else page.cursor, False

    def _asking(self, target: str, name: str, is_start: bool) -> Callable[[int], Answer[Page[ReviewComment]]]:
        def ask(size: int) -> Answer[Page[ReviewComment]]:
            answer = self._rest.page("review_comments", target, _about(name))
            found = answer.content
            with reading(_about(name)):
                items = tuple(parse_rest.review_comment(entry) for entry in found.entries)
            last = found.following is None
            is_empty = is_start and last and not items
            cursor = None if is_empty else found.following or found.target
            page = Page(items, cursor, last, total=0 if is_empty else None, size=size)
            return Answer(page, answer.points, answer.seconds)

        return ask


def _repository(name: str) -> dict[str, Any]:
    owner, short = repository_name(name)
    return {"owner": owner, "name": short}


def _about(name: str) -> str:
    return f"repository {name}"


def _updated_since(page: Page[PullRequest], since: datetime) -> Page[PullRequest]:
    recent = tuple(each for each in page.items if each.updated_at >= since)
    return replace(page, items=recent, last=page.last or len(recent) < len(page.items), total=None)
