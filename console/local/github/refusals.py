"""The error that a resolver raises to answer as GitHub does: a type beside the message."""

from __future__ import annotations

from typing import Any

RESOURCE_LIMITS = "RESOURCE_LIMITS_EXCEEDED"


class GraphQLRefusalError(Exception):
    """One entry of a reply's ``errors``; ``kind`` becomes its ``type``."""

    def __init__(self, kind: str | None, message: str, extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.extensions = extensions
