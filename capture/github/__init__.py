"""Everything that asks GitHub; :func:`github` is this process's client."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from capture.github.budget import Budget
from capture.github.caller import CallRecord
from capture.github.client import GitHub
from capture.settings import Settings

__all__ = ["CallRecord", "GitHub", "configure", "github", "use"]

_lock = threading.Lock()
_make: Callable[[], GitHub] | None = None
_made: tuple[int, GitHub] | None = None


def github() -> GitHub:
    """The client of this process, made once: as :func:`configure` or :func:`use` said, else from the environment."""
    global _made  # noqa: PLW0603 - one client per process is what this module is for
    made = _made
    if made is None or made[0] != os.getpid():
        with _lock:
            if _made is None or _made[0] != os.getpid():
                _made = (os.getpid(), (_make or _from_environment)())
            made = _made
    return made[1]


def configure(
    settings: Settings, *, budget: Budget | None = None, on_call: Callable[[CallRecord], None] | None = None
) -> None:
    """Have the client made from these settings, when it is first asked for and once more after a fork."""
    _remember(lambda: _from(settings, budget, on_call))


def use(client: GitHub) -> None:
    """Have exactly this client used."""
    _remember(lambda: client)


def _remember(make: Callable[[], GitHub]) -> None:
    global _make, _made
    with _lock:
        _make, _made = make, None


def _from_environment() -> GitHub:
    return _from(Settings.load(), None, None)


def _from(settings: Settings, budget: Budget | None, on_call: Callable[[CallRecord], None] | None) -> GitHub:
    return GitHub(
        settings.github_api_url,
        settings.github_graphql_url,
        settings.github_tokens,
        deadline=settings.github_deadline_seconds,
        tries=settings.github_tries,
        page_size=settings.github_page_size,
        budget=budget,
        on_call=on_call,
    )
