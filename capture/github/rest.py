"""REST lists: pages by ``Link``, and redirects followed on the same host only."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from capture.errors import Permanent, Refused
from capture.github.caller import Answer, Caller, Request
from capture.github.replies import Reply, TooHeavy, raise_for_status

MOST_REDIRECTS = 3

_REDIRECTS = (301, 302, 307, 308)
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r';\s*rel="?next"?', re.IGNORECASE)
_VISIBLE = re.compile(r"/[!-~]*\Z")
_PORTS = {"http": 80, "https": 443}


class RestPage:
    """One page of a list: its entries, where it was found in the end, and where the next one is."""

    __slots__ = ("entries", "following", "target")

    def __init__(self, entries: list[Any], target: str, following: str | None) -> None:
        self.entries = entries
        self.target = target
        self.following = following


class Rest:
    """Asks for pages of lists. A *target* is a path and query on the API's own host: nothing else is ever asked."""

    def __init__(self, api_url: str, caller: Caller) -> None:
        self._base = urlsplit(api_url.rstrip("/"))
        self._origin = f"{self._base.scheme}://{self._base.netloc}"
        self._caller = caller

    def target(self, path: str) -> str:
        """The target of a path of the API, as ``/repos/o/n/…``; an Enterprise server's API lives below a prefix."""
        return self._base.path + path

    def page(self, operation: str, target: str, about: str) -> Answer[RestPage]:
        """One page, through at most three redirects. An empty repository's 409 is a page without entries."""
        points, seconds = 0, 0.0
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask(operation, target, about)
            points, seconds = points + answer.points, seconds + answer.seconds
            if isinstance(answer.content, RestPage):
                return Answer(answer.content, points, seconds)
            target = answer.content
        raise Permanent(f"GitHub redirects more than {MOST_REDIRECTS} times for {about}.")

    def checked(self, cursor: str, list_path: str, owner: str, name: str) -> str:
        """The target that a stored cursor names; ``Refused`` where it is not a page of that list of that repository.

        GitHub itself writes ``/repositories/{id}/…`` into links, so a cursor may be of that form.
        """
        homes = rf"(?:/repos/{re.escape(owner)}/{re.escape(name)}|/repositories/[0-9]+)"
        path, _, query = cursor.partition("?")
        is_home = re.fullmatch(re.escape(self._base.path) + homes + re.escape(list_path), path, re.IGNORECASE)
        if not is_home or not _VISIBLE.match(cursor) or not query or "#" in query:
            raise Refused(f"The cursor is not a page of {owner}/{name}{list_path}.")
        return cursor

    def _ask(self, operation: str, target: str, about: str) -> Answer[RestPage | str]:
        def read(reply: Reply, identity: str) -> Answer[RestPage | str]:
            content: RestPage | str
            if reply.status in _REDIRECTS:
                content = self._redirected(reply, target, about)
            elif reply.status == HTTPStatus.CONFLICT and "empty" in reply.said().lower():
                content = RestPage([], target, None)
            else:
                raise_for_status(reply, about, identity)
                content = RestPage(_entries(reply, about), target, self._following(reply, target, about))
            return Answer(content, 1, reply.seconds)

        return self._caller.call(Request(operation, self._origin + target, "core"), read)

    def _redirected(self, reply: Reply, target: str, about: str) -> str:
        location = self._on_host(reply.headers.get("location", ""), target)
        if location is None:
            raise Permanent(f"GitHub redirects to another host for {about}, which is not followed.")
        # A redirect of a renamed repository may name the list only: which page of it we want is in our own query.
        return location if "?" in location else location + "?" + target.partition("?")[2]

    def _following(self, reply: Reply, target: str, about: str) -> str | None:
        links = _LINK.findall(reply.headers.get("link", ""))
        addresses = [address for address, parameters in links if _NEXT.search(parameters)]
        if not addresses:
            return None
        following = self._on_host(addresses[0], target)
        if following is None:
            raise Permanent(f"GitHub's link to the next page of {about} leads to another host.")
        if following == target:
            raise TooHeavy(f"GitHub's link to the next page of {about} leads back to the same page.")
        return following

    def _on_host(self, address: str, target: str) -> str | None:
        """The target of an address, or None where it is on another host."""
        if not address:
            return None
        try:
            parts = urlsplit(urljoin(self._origin + target, address))
            same = _place(parts) == _place(self._base)
        except ValueError:
            return None
        found = parts.path + (f"?{parts.query}" if parts.query else "")
        return found if same and _VISIBLE.match(found) else None


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _entries(reply: Reply, about: str) -> list[Any]:
    entries = reply.json()
    if not isinstance(entries, list):
        raise TooHeavy(f"GitHub answered about {about} with something that is not a list.")
    return entries
