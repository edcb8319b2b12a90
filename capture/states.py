"""The states of a job and the one table of moves between them; the database refuses every other move."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; the words are those of the dashboards that operators already have."""

    BLOCKED = "blocked"
    PENDING = "pending"
    PROCESSING = "processing"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.BLOCKED: frozenset({JobState.PENDING, JobState.CANCELLED, JobState.FAILED}),
    JobState.PENDING: frozenset({JobState.PROCESSING, JobState.CANCELLED}),
    JobState.PROCESSING: frozenset(
        {JobState.COMPLETED, JobState.RETRYING, JobState.FAILED, JobState.PENDING, JobState.CANCELLED}
    ),
    JobState.RETRYING: frozenset({JobState.PROCESSING, JobState.CANCELLED, JobState.PENDING}),
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset({JobState.PENDING, JobState.BLOCKED}),
    JobState.CANCELLED: frozenset({JobState.PENDING, JobState.BLOCKED}),
}
BEGINNINGS = frozenset({JobState.BLOCKED, JobState.PENDING})
TERMINAL = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})


def may_move(old: JobState, new: JobState) -> bool:
    """Whether a job may go from ``old`` to ``new``."""
    return new in MOVES[old]
