"""Failures in words: scrubbed of secrets, bounded, and with a fingerprint that is the same for the same cause."""

from __future__ import annotations

import hashlib
import re
import traceback
from dataclasses import dataclass
from typing import Final

MAX_MESSAGE: Final = 4_000
MAX_TRACE: Final = 16_000
REMOVED: Final = "[removed]"

#: GitHub's token forms (ghp_, gho_, ghs_, ghu_, ghr_, github_pat_), authorization values, passwords in addresses, private keys.
_SECRETS: Final = (
    re.compile(r"\b(?:gh[a-z]_[A-Za-z0-9]{10,255}|github_pat_[A-Za-z0-9_]{10,255})"),
    re.compile(r"(?i)\b(?:bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{8,512}"),
    re.compile(r"(?<=://)[^\s/@:]{0,128}:[^\s]{1,256}(?=@)"),
    re.compile(r"(?i)\bpassword=\S{1,256}"),
    re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"),
)
#: What differs between two failures of one cause.
_VARIES: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|0x[0-9a-f]+|\b[0-9a-f]{12,64}\b|'[^']{0,200}'|\"[^\"]{0,200}\"|\d+"
    r"|\b[\w.-]{1,100}/[\w.-]{1,100}\b",
    re.IGNORECASE,
)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Words:
    """An exception as it is stored."""

    error_class: str
    message: str
    trace: str
    fingerprint: str


def describe(exception: BaseException) -> Words:
    """The exception in words."""
    error_class = type(exception).__name__
    message = clean(str(exception), MAX_MESSAGE) or error_class
    trace = clean("".join(traceback.format_exception(exception, limit=-20)), MAX_TRACE)
    cause = f"{error_class}:{_VARIES.sub('#', message)[:500]}"
    return Words(error_class, message, trace, hashlib.sha256(cause.encode()).hexdigest()[:16])


def clean(text: str, most: int) -> str:
    """``text`` without secrets and what PostgreSQL does not store, at most ``most`` characters, the end of it kept."""
    text = _UNSTORABLE.sub("\ufffd", scrub(text[-4 * most :]))
    return text if len(text) <= most else "[…] " + text[4 - most :]


def scrub(text: str) -> str:
    """``text`` without anything that looks like a secret."""
    for secret in _SECRETS:
        text = secret.sub(REMOVED, text)
    return text
