"""Identities: whom GitHub counts requests against, and until when each must rest."""

from __future__ import annotations

from typing import Final

from models.database import execute

BLOCK: Final = """
INSERT INTO progressive_capture_identities AS i (name, blocked_until, reason)
VALUES (%(name)s, clock_timestamp() + %(seconds)s * interval '1 second', %(reason)s)
ON CONFLICT (name) DO UPDATE SET blocked_until = greatest(i.blocked_until, excluded.blocked_until), reason = excluded.reason,
    updated_at = clock_timestamp()
"""


class Identity:
    """A token's owner by its short name, never by the token."""

    @staticmethod
    def block(name: str, seconds: float, reason: str) -> None:
        """Let the identity rest for ``seconds`` from now, by the database's clock; a longer rest is kept."""
        execute(BLOCK, {"name": name, "seconds": max(seconds, 0.0), "reason": reason[:500]})
