"""GraphQL: named queries, and the errors that come inside a 200."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from capture.errors import Permanent, RateLimited
from capture.github.caller import Answer, Caller, Request
from capture.github.normalise import reading
from capture.github.replies import Reply, TooHeavy, means_limit, raise_for_status

Content = TypeVar("Content")

_RATE_LIMITS = {"RATE_LIMIT", "RATE_LIMITED"}
_HOPELESS = {
    "FORBIDDEN",
    "INVALID_CURSOR_ARGUMENTS",
    "UNPROCESSABLE",
    "MAX_NODE_LIMIT_EXCEEDED",
    "MISSING_PAGINATION_BOUNDARIES",
    "EXCESSIVE_PAGINATION",
}
_PASSING = re.compile("something went wrong|timeout|timed out|couldn't respond|resource limits", re.IGNORECASE)
_FRAGMENT = re.compile(r"\.\.\.\s?([A-Z]\w*)")
_SHOWN = 200


class GraphQL:
    """Asks named queries and yields their data only when it is whole."""

    def __init__(self, url: str, caller: Caller) -> None:
        self._url = url
        self._caller = caller

    def ask(
        self, query: str, variables: Mapping[str, Any], about: str, read: Callable[[dict[str, Any]], Content]
    ) -> Answer[Content]:
        """What ``read`` makes of the data of the query, once.

        ``about`` names the thing in sentences, as in ``repository o/n``. A null or a missing part that ``read`` trips
        over raises :class:`TooHeavy`, as do partial data and errors that may pass.
        """
        body = json.dumps({"query": document(query), "variables": variables}).encode()
        request = Request(query, self._url, "graphql", points=points(query, variables.get("first", 1)), body=body)

        def whole(reply: Reply, identity: str) -> Answer[Content]:
            raise_for_status(reply, about, identity)
            data = data_of(reply, about, identity)
            with reading(about):
                return Answer(read(data), _cost(data), reply.seconds)

        return self._caller.call(request, whole)


@cache
def document(query: str) -> str:
    """The text of a query with exactly the fragments that it uses."""
    folder = files("capture.github") / "queries"
    texts = [(folder / f"{query}.graphql").read_text("utf-8")]
    wanted = _FRAGMENT.findall(texts[0])
    known: set[str] = set()
    while wanted:
        fragment = wanted.pop()
        if fragment not in known:
            known.add(fragment)
            file_name = re.sub(r"(?<!^)(?=[A-Z])", "_", fragment).lower() + ".graphql"
            texts.append((folder / "fragments" / file_name).read_text("utf-8"))
            wanted += _FRAGMENT.findall(texts[-1])
    return "\n".join(texts)


def points(query: str, size: int) -> int:
    """What GitHub charges: a point for each hundred requests that fill all lists, assumed full; rounded, at least 1."""
    lists_under_an_item = 3 if query == "pull_requests" else 0
    return max(1, int((1 + lists_under_an_item * size) / 100 + 0.5))


def data_of(reply: Reply, about: str, identity: str) -> dict[str, Any]:
    """The data of a 200 without any error; otherwise raises what to do next."""
    body = reply.json()
    if not isinstance(body, dict):
        raise TooHeavy(f"GitHub answered about {about} with something that is not an object.")
    errors = body.get("errors")
    data = body.get("data")
    if errors:
        found = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
        _raise(found, reply, about, identity, has_data="data" in body)
    if not isinstance(data, dict):
        said = reply.said()
        if means_limit(said):
            raise _limited(said, reply, identity)
        raise TooHeavy(f"GitHub answered about {about} without data.")
    return data


def _raise(errors: list[dict[str, Any]], reply: Reply, about: str, identity: str, *, has_data: bool) -> None:
    kinds = {str(each.get("type")) for each in errors}
    said = "; ".join(" ".join(str(each.get("message", "")).split()) for each in errors)[:_SHOWN]
    if kinds & _RATE_LIMITS or means_limit(said):
        raise _limited(said, reply, identity)
    if any(each.get("type") == "NOT_FOUND" and each.get("path") in (["repository"], ["node"]) for each in errors):
        raise Permanent(f"{about[:1].upper()}{about[1:]} does not exist or is not visible.")
    if kinds & _HOPELESS or _codes(errors) & _HOPELESS:
        raise Permanent(f"GitHub refuses what was asked of {about}: {said}.")
    if not has_data and any(_is_our_bug(each) for each in errors):
        raise Permanent(f"GitHub finds our query about {about} invalid: {said}.")
    raise TooHeavy(f"GitHub answered about {about} with errors ({', '.join(sorted(kinds))}): {said}.")


def _limited(said: str, reply: Reply, identity: str) -> RateLimited:
    return RateLimited(f"GitHub's limit is reached: {said}.", seconds=reply.rest_seconds(), identity=identity)


def _codes(errors: list[dict[str, Any]]) -> set[str]:
    extensions = [each.get("extensions") for each in errors]
    return {str(each.get("code")) for each in extensions if isinstance(each, dict)}


def _is_our_bug(error: dict[str, Any]) -> bool:
    """A refusal before anything ran: it has a place in the query's text, no type, and names no passing trouble."""
    return "type" not in error and "locations" in error and not _PASSING.search(str(error.get("message", "")))


def _cost(data: dict[str, Any]) -> int:
    """Points charged; 0 where the server keeps no limit."""
    limit = data.get("rateLimit")
    return int(limit["cost"]) if limit else 0
