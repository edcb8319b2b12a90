"""The job types' configuration in one table; `@actor` and the producer read it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from capture.errors import Refused
from capture.names import repository_name

Priority = Literal["normal", "low"]
#: Dramatiq's order among messages in one process's hands: less is sooner.
DRAMATIQ_PRIORITY: Final[Mapping[str, int]] = {"normal": 0, "low": 10}
MAX_SINCE_DAYS: Final = 36_500


def a_repository(value: object) -> None:
    """Refuse what is not ``owner/name``."""
    if not isinstance(value, str):
        raise Refused("repository must be text of the form owner/name.")
    repository_name(value)


def days_or_none(value: object) -> None:
    """Refuse what is neither None nor a sensible number of days."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_SINCE_DAYS:
        raise Refused(f"since_days must be a whole number from 1 to {MAX_SINCE_DAYS}.")


@dataclass(frozen=True, slots=True)
class JobType:
    """How one type of job runs."""

    timeout_minutes: float = 30
    max_items: int | None = None
    """Items in one slice; a run that has stored so many lets others have their turn. None: no slices."""
    retryable: bool = True
    priority: Priority = "normal"
    unique: bool = False
    """At most one live job per fingerprint (actor and arguments)."""
    payload_version: int = 1
    parameters: Mapping[str, Callable[[object], None]] = field(default_factory=dict)
    """Checks by parameter name, run at the door."""
    signature: inspect.Signature | None = None

    def bind(self, actor: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, checked; raises ``Refused`` with one sentence."""
        if self.signature is None:
            return {}
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise Refused(f"{actor}{self.signature} was sent with arguments that do not fit: {error}.") from None
        bound.apply_defaults()
        for name, check in self.parameters.items():
            if name in bound.arguments:
                check(bound.arguments[name])
        return dict(bound.arguments)


def _of_repository(repository: str, since_days: int | None = None) -> None:
    """The signature that the capture types share."""


CAPTURE: Final[dict[str, Any]] = {
    "unique": True,
    "parameters": {"repository": a_repository, "since_days": days_or_none},
    "signature": inspect.signature(_of_repository).replace(return_annotation=inspect.Signature.empty),
}
JOB_TYPES: Final[Mapping[str, JobType]] = {
    "capture_repository": JobType(timeout_minutes=5, **CAPTURE),
    "fetch_prs": JobType(timeout_minutes=5, max_items=100, priority="normal", **CAPTURE),
    "fetch_reviews": JobType(timeout_minutes=10, max_items=500, priority="low", **CAPTURE),
    "fetch_comments": JobType(timeout_minutes=10, max_items=500, priority="low", **CAPTURE),
    "analyze_commits": JobType(timeout_minutes=15, max_items=1000, retryable=False, priority="low", **CAPTURE),
}
