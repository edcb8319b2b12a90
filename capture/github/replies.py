"""What GitHub sent back, and what a reply that is no answer means for us."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from capture.errors import Permanent, RateLimited, Transient

#: How long to rest when GitHub refuses without saying until when.
DEFAULT_REST_SECONDS = 60.0
#: A longer wish is nonsense: GitHub's windows are an hour.
LONGEST_REST_SECONDS = 86_400.0

_LIMIT_WORDS = ("secondary rate limit", "rate limit exceeded", "abuse detection")
_TOO_HEAVY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
_SHOWN = 200


class TooHeavy(Transient):
    """GitHub could not deliver the page whole; asked for less, it may."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What the headers of a reply say about the identity's budget."""

    limit: int
    remaining: int
    reset_seconds: float
    """From the reply's own date, so that no clock of ours decides; never negative."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, of any status; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    seconds: float = 0.0
    """From asking to the last byte."""

    def json(self) -> Any:
        """The body; raises :class:`TooHeavy` where it is no JSON, as a page cut short is not."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise TooHeavy(f"GitHub answered {self.status} with {len(self.body)} bytes that are not JSON.") from None

    def said(self) -> str:
        """The ``message`` of the body, on one line and bounded; ``""`` where there is none."""
        try:
            message = json.loads(self.body)["message"]
        except (ValueError, RecursionError, LookupError, TypeError):
            return ""
        return " ".join(str(message).split())[:_SHOWN]

    def quota(self) -> Quota | None:
        """The budget after this reply, or None where the headers do not tell."""
        try:
            limit, remaining = int(self.headers["x-ratelimit-limit"]), int(self.headers["x-ratelimit-remaining"])
            reset = int(self.headers["x-ratelimit-reset"])
        except (KeyError, ValueError):
            return None
        return Quota(limit, remaining, max(reset - self._date().timestamp(), 0.0))

    def rest_seconds(self) -> float:
        """How long a refused caller rests: ``Retry-After``, else until the reset of a spent budget, else a minute."""
        asked = self.retry_after()
        if asked is not None:
            return asked
        quota = self.quota()
        if quota and quota.remaining <= 0 and 0 < quota.reset_seconds <= LONGEST_REST_SECONDS:
            return quota.reset_seconds
        return DEFAULT_REST_SECONDS

    def retry_after(self) -> float | None:
        """Seconds that ``Retry-After`` asks for, given as a number or a date; None where it is absent or nonsense."""
        text = self.headers.get("retry-after", "").strip()
        try:
            seconds = float(text) if text[:1].isdigit() else (parsed_date(text) - self._date()).total_seconds()
        except ValueError:
            return None
        return seconds if math.isfinite(seconds) and 0 <= seconds <= LONGEST_REST_SECONDS else None

    def is_spent(self) -> bool:
        """Whether the headers say that nothing remains of the budget."""
        quota = self.quota()
        return quota is not None and quota.remaining <= 0

    def _date(self) -> datetime:
        try:
            return parsed_date(self.headers.get("date", ""))
        except ValueError:
            return datetime.now(UTC)


def parsed_date(text: str) -> datetime:
    """An HTTP date, aware; raises ``ValueError`` where it is none."""
    date = parsedate_to_datetime(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def means_limit(text: str) -> bool:
    """Whether a message of GitHub's speaks of a rate limit."""
    lowered = text.lower()
    return any(words in lowered for words in _LIMIT_WORDS)


def raise_for_status(reply: Reply, about: str, identity: str) -> None:
    """Return for a 200, else raise what to do next. ``about`` names what was asked for, as in ``repository o/n``."""
    status = reply.status
    if status == HTTPStatus.OK:
        return
    said = reply.said()
    answer = f"GitHub answered {status}{f' ({said})' if said else ''} for {about}."
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS) and _is_limit(reply, said):
        raise RateLimited(answer, seconds=reply.rest_seconds(), identity=identity)
    if status == HTTPStatus.UNAUTHORIZED:
        raise Permanent(f"GitHub refuses the token of {identity}: 401{f' ({said})' if said else ''}.")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise Permanent(f"{about[:1].upper()}{about[1:]} does not exist or is not visible ({status}).")
    if status in _TOO_HEAVY:
        raise TooHeavy(answer, retry_after=reply.retry_after())
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT) or not 300 <= status < 500:
        raise Transient(answer, retry_after=reply.retry_after())
    raise Permanent(answer)


def _is_limit(reply: Reply, said: str) -> bool:
    return (
        reply.status == HTTPStatus.TOO_MANY_REQUESTS
        or "retry-after" in reply.headers
        or reply.is_spent()
        or means_limit(said)
    )
