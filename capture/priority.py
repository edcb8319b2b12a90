"""How urgent a job is: a score from stored facts, and the queue it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from capture.errors import Refused

MANUAL: Final = "manual"
SIZES: Final = ("small", "medium", "large")
REALTIME: Final = "realtime"
BULK: Final = "bulk"
RECENT_DAYS: Final = 7
#: A repository with fewer pull requests than this is small; than the second, medium.
SMALL_BELOW, MEDIUM_BELOW = 1_000, 10_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What the urgency of a job is computed from; unknown facts earn nothing."""

    trigger_source: str = "application"
    repository_size: str | None = None
    time_range_days: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.trigger_source, str) and 0 < len(self.trigger_source) <= 50):
            raise Refused("trigger_source must be a word of at most 50 characters, such as 'manual' or 'scheduled'.")
        if self.repository_size is not None and self.repository_size not in SIZES:
            raise Refused(f"repository_size must be one of {', '.join(SIZES)}.")
        days = self.time_range_days
        if days is not None and (isinstance(days, bool) or not isinstance(days, int) or not 0 < days <= 36_500):
            raise Refused("time_range_days must be a whole number from 1 to 36500.")

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Facts:
        """The facts as stored with a job; what was edited by hand into nonsense earns nothing."""
        found: dict[str, Any] = {}
        for name in ("trigger_source", "repository_size", "time_range_days"):
            try:
                cls(**{name: metadata[name]})
            except (KeyError, TypeError, Refused):
                continue
            found[name] = metadata[name]
        return cls(**found)


def score(facts: Facts, retries: int = 0) -> int:
    """0 to 105: 40 if asked for by hand, 30 or 20 by size, 20 if recent, 5 a retry up to 15."""
    by_hand = 40 if facts.trigger_source == MANUAL else 0
    by_size = {"small": 30, "medium": 20}.get(facts.repository_size or "", 0)
    recent = 20 if _is_recent(facts) else 0
    return by_hand + by_size + recent + min(5 * retries, 15)


def processor_type(facts: Facts) -> str:
    """The queue: ``realtime`` for what was asked for by hand, or is recent and not large; else ``bulk``."""
    if facts.trigger_source == MANUAL or (_is_recent(facts) and facts.repository_size != "large"):
        return REALTIME
    return BULK


def size_of(pull_requests: int) -> str:
    """The ``repository_size`` of a repository with so many pull requests."""
    return "small" if pull_requests < SMALL_BELOW else "medium" if pull_requests < MEDIUM_BELOW else "large"


def _is_recent(facts: Facts) -> bool:
    return facts.time_range_days is not None and facts.time_range_days <= RECENT_DAYS
