"""Kinds of environment variables: what text each accepts, what it says is allowed, how it is shown."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

MASK = "***"
Value = TypeVar("Value", int, float)
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting's contract; ``parse`` raises :class:`ValueError` with a phrase that never holds a secret."""

    parse: Callable[[str], Any]
    allowed: str
    meaning: str
    default: str
    secret: bool = False
    show: Callable[[Any], str] = str
    """The value as it may be printed."""


def whole(default: int, low: int, high: int, meaning: str) -> Any:
    """A whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ValueError(f"{text!r} is not a whole number")
        return _within(int(text), low, high)

    return _field(default, Variable(parse, f"{low} to {high}", meaning, str(default)))


def number(default: float, low: float, high: float, meaning: str) -> Any:
    """A number from ``low`` to ``high``, fractions included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        return _within(value, low, high)

    return _field(
        default, Variable(parse, f"{low:g} to {high:g}", meaning, f"{default:g}", show=lambda value: f"{value:g}")
    )


def switch(default: bool, meaning: str) -> Any:
    """On or off."""

    def parse(text: str) -> bool:
        if text.lower() not in _TRUE | _FALSE:
            raise ValueError(f"{text!r} is neither on nor off")
        return text.lower() in _TRUE

    return _field(
        default, Variable(parse, "1 or 0 (true, yes, on; false, no, off)", meaning, _on_off(default), show=_on_off)
    )


def address(schemes: tuple[str, ...], meaning: str, default: str) -> Any:
    """A URL of one of ``schemes`` that may hold a password; None where it is not given."""

    def parse(text: str) -> str:
        scheme, separator, rest = text.partition("://")
        if not separator or scheme not in schemes or not rest or re.search(r"\s", text):
            raise ValueError("is not such an address")
        authority, _, path = rest.partition("/")
        if scheme.startswith("postgres") and authority and "@" in path.partition("?")[0]:
            raise ValueError("holds an @ behind a /: write the / of a password as %2F")
        return text

    allowed = ", ".join(f"{scheme}://…" for scheme in schemes)
    return _field(None, Variable(parse, allowed, meaning, default, secret=True, show=mask_url))


def api_root(default: str, meaning: str) -> Any:
    """The root of a GitHub API, without a slash at its end; plain http only within the machine."""

    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            host, _port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("is not an address") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("holds a user name or password")
        if not host or parts.query or parts.fragment or re.search(r"\s", text):
            raise ValueError(f"{text!r} is not the root of an API")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
            raise ValueError(f"{text!r} would send the token in the clear")
        return text.rstrip("/")

    return _field(default, Variable(parse, "https://…, or http://… on a loopback host", meaning, default))


def secret(meaning: str) -> Any:
    """A secret word; None where it is not given."""
    return _field(
        None, Variable(_token, "letters, digits and signs, no blanks", meaning, "none", secret=True, show=_masked)
    )


def secrets(meaning: str) -> Any:
    """Secret words, comma separated; an empty tuple where none is given."""

    def parse(text: str) -> tuple[str, ...]:
        return tuple(_token(part.strip()) for part in text.split(",") if part.strip())

    shown = lambda tokens: ", ".join([MASK] * len(tokens)) or "none"  # noqa: E731
    return _field(
        (), Variable(parse, "secrets without blanks, comma separated", meaning, "none", secret=True, show=shown)
    )


def dsn(meaning: str) -> Any:
    """Where Sentry takes reports; None where it is not given."""

    def parse(text: str) -> str:
        if not re.fullmatch(r"https?://[^\s@/]+@[^\s@/]+/\S*", text):
            raise ValueError("is not a Sentry DSN")
        return text

    return _field(None, Variable(parse, "https://KEY@HOST/PROJECT", meaning, "none", secret=True, show=mask_url))


def folder(meaning: str, default_text: str, default: Callable[[], Path | None]) -> Any:
    """A directory, made absolute."""

    def parse(text: str) -> Path:
        if "\0" in text:
            raise ValueError("holds a NUL")
        try:
            return Path(text).expanduser().absolute()
        except RuntimeError:
            raise ValueError(f"{text!r} names a home directory that is not known") from None

    variable = Variable(parse, "a path", meaning, default_text, show=_or_none)
    return field(default_factory=default, metadata={"variable": variable})


def mask_url(url: str | None) -> str:
    """``url`` with its password, and whatever else is secret in it, replaced; masks rather too much than too little."""
    if url is None:
        return "none"
    before, question, query = url.partition("?")
    scheme, separator, rest = before.partition("://")
    user, at, place = rest.rpartition("@")
    if at:
        name, colon, _password = user.partition(":")
        is_key = scheme in {"http", "https"}
        user = MASK if is_key else f"{name}{colon}{MASK if colon else ''}"
    query = re.sub(r"(?i)((?:^|[&;])[^=&;]*(?:pass|secret|token|key)[^=&;]*=)[^&;]*", rf"\1{MASK}", query)
    return f"{scheme}{separator}{user}{at}{place}{question}{query}"


def _field(default: Any, variable: Variable) -> Any:
    return field(default=default, metadata={"variable": variable})


def _within(value: Value, low: float, high: float) -> Value:
    if not low <= value <= high:
        raise ValueError(f"{value:g} is out of range")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _token(text: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("holds blanks or characters that no token has")
    return text


def _masked(value: object) -> str:
    return MASK if value else "none"


def _on_off(value: object) -> str:
    return "1" if value else "0"


def _or_none(value: object) -> str:
    return "none" if value is None else str(value)
