"""GitHub's grammar for the name of a repository, ``owner/name``."""

from __future__ import annotations

import re

from capture.errors import Refused

# Letters, digits and single hyphens inside. An enterprise's managed user ends in an underscore and its short code.
_OWNER = re.compile(r"(?=.{1,39}\Z)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?:_[A-Za-z0-9]{3,8})?\Z")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")

_SHOWN = 60


def repository_name(text: object) -> tuple[str, str]:
    """The owner and the name in ``owner/name``, spelt as given; anything else is ``Refused`` with one sentence.

    Nothing is trimmed or repaired: no address, no ``.git``, no white space.
    """
    if not isinstance(text, str):
        raise Refused(f"A repository is given as text, owner/name, not as {type(text).__name__}.")
    owner, slash, name = text.partition("/")
    if not slash or "/" in name:
        raise Refused(f"{_shown(text)} is not a repository: write owner/name.")
    if not _OWNER.match(owner):
        raise Refused(f"{_shown(text)} is not a repository: an owner has 1 to 39 letters, digits and inner hyphens.")
    if not _NAME.match(name) or name in (".", ".."):
        raise Refused(f"{_shown(text)} is not a repository: a name has 1 to 100 of A-Z, a-z, 0-9 and . - _.")
    if name.lower().endswith(".git"):
        raise Refused(f"{_shown(text)} is not a repository: no name ends in .git.")
    return owner, name


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
