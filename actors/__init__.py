"""What is captured: the public actors. ``from actors import fetch_prs; fetch_prs.send("owner/name")``."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def _refuse_shadows() -> None:
    """Our package names are plain words: say so, by file, where another program's package hides one of ours."""
    root = Path(__file__).resolve().parent.parent
    for name in ("middleware", "ledger", "models", "capture"):
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin).resolve() if spec is not None and spec.origin else None
        if origin is None or origin.parent.parent != root:
            raise ImportError(
                f"progressive-capture cannot run here: `{name}` is {origin}, not ours. Send by name with capture.producer.send instead."
            )


_refuse_shadows()

from .broker import broker  # noqa: E402
from .comments import fetch_comments  # noqa: E402
from .commits import analyze_commits  # noqa: E402
from .pull_requests import fetch_prs  # noqa: E402
from .repositories import capture_repository  # noqa: E402
from .reviews import fetch_reviews  # noqa: E402

__all__ = ["analyze_commits", "broker", "capture_repository", "fetch_comments", "fetch_prs", "fetch_reviews"]
