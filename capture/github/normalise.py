"""The one normalisation: how any value of GitHub's, from GraphQL or REST, becomes a value of ours.

These functions raise ``ValueError``, ``TypeError`` or ``LookupError`` for what is not of the promised shape;
:func:`reading` turns that into a page that is not stored but asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from capture.github.payloads import Contributor
from capture.github.replies import TooHeavy

# PostgreSQL takes neither NUL nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"

#: The account that GitHub's REST shows in place of a deleted one.
GHOST = (10137, "ghost")
BOT = "[bot]"


@contextmanager
def reading(about: str) -> Iterator[None]:
    """Raise :class:`TooHeavy` where the block meets a null, a missing part or a wrong type."""
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise TooHeavy(f"GitHub's reply about {about} lacks a part: {type(error).__name__} {error}.") from None


def text(value: Any) -> str:
    """The text, storable; null is ``""``."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"text expected, {type(value).__name__} found")
    return _UNSTORABLE.sub(_REPLACEMENT, value)


def required_text(value: Any) -> str:
    """The text, storable, where null is an error."""
    if value is None:
        raise TypeError("text expected, null found")
    return text(value)


def optional_text(value: Any) -> str | None:
    """The text, storable; null stays None."""
    return None if value is None else text(value)


def number(value: Any) -> int:
    """A whole number, also where it is sent as text, as GraphQL's BigInt is."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"a whole number expected, {type(value).__name__} found")
    return int(value)


def flag(value: Any) -> bool:
    """True or false, nothing like it."""
    if not isinstance(value, bool):
        raise TypeError(f"true or false expected, {type(value).__name__} found")
    return value


def moment(value: Any) -> datetime:
    """An aware time in UTC, whatever its zone was."""
    parsed = datetime.fromisoformat(required_text(value))
    if parsed.tzinfo is None:
        raise ValueError("a time without a zone")
    return parsed.astimezone(UTC)


def optional_moment(value: Any) -> datetime | None:
    """The same; null stays None."""
    return None if value is None else moment(value)


def listed(value: Any) -> list[Any]:
    """A list, nothing like it."""
    if not isinstance(value, list):
        raise TypeError(f"a list expected, {type(value).__name__} found")
    return value


def contributor(github_id: Any, node_id: Any, login: Any, kind: Any, name: Any = None) -> Contributor | None:
    """Who it was; None for the ghost of a deleted account, and for an account without a numeric id."""
    if github_id is None:
        return None
    login = required_text(login)
    person = Contributor(
        github_id=number(github_id),
        node_id=required_text(node_id),
        login=login.removesuffix(BOT),
        # GraphQL calls the bot behind a commit a User; no user's login can end like this.
        type="Bot" if login.endswith(BOT) else required_text(kind),
        name=optional_text(name),
    )
    return None if (person.github_id, person.login.lower()) == GHOST else person
