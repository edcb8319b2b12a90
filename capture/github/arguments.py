"""Arguments at the client's door: what makes no sense is ``Refused`` with one sentence before anything is asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from capture.errors import Refused

#: GitHub's own bound for any list.
LARGEST_SIZE = 100
LONGEST_CURSOR = 4096

_ADDRESS = re.compile(r"https?://[!-~]+\Z")


def page_size(size: int) -> int:
    """A number of items that GitHub gives in one page."""
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST_SIZE:
        raise Refused(f"A page has 1 to {LARGEST_SIZE} items.")
    return size


def cursor(after: str | None) -> str | None:
    """A cursor, opaque."""
    if after is not None and (
        not isinstance(after, str) or not after.isprintable() or not 0 < len(after) <= LONGEST_CURSOR
    ):
        raise Refused("A cursor is text that GitHub gave.")
    return after


def timestamp(since: datetime | None) -> str | None:
    """An aware time as GitHub reads it, in UTC and whole seconds."""
    if since is None:
        return None
    if not isinstance(since, datetime) or since.utcoffset() is None:
        raise Refused("A time needs a zone.")
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def address(url: str) -> str:
    """An address without credentials or a query, so that it may be shown."""
    try:
        parts = urlsplit(url)
        is_sound = bool(_ADDRESS.match(url) and parts.hostname and "@" not in parts.netloc and parts.port != 0)
    except ValueError:
        is_sound = False
    if not is_sound or parts.query or parts.fragment:
        raise Refused("GitHub's address is a plain http or https address.")
    return url
