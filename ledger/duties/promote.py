"""Promote: jobs whose time has come become ready. That is no move of state."""

from __future__ import annotations

from typing import Final

from capture.producer import Execute

SLICE: Final = 500
#: Compared with statement_timestamp(), which the planner can look up in the index; a clock that moves within the statement it cannot.
PROMOTE: Final = """
WITH due AS (
    SELECT id FROM progressive_capture_jobs
    WHERE ready_rank IS NULL AND due_at IS NOT NULL AND due_at <= statement_timestamp()
    AND EXISTS (SELECT 1 FROM progressive_capture_leases WHERE name = 'leader' AND term = %(term)s)
    ORDER BY due_at LIMIT %(slice)s FOR NO KEY UPDATE SKIP LOCKED)
UPDATE progressive_capture_jobs j SET ready_at = j.due_at, due_at = NULL, updated_at = clock_timestamp(),
    ready_rank = CASE WHEN j.status IN ('pending', 'retrying')
                 THEN extract(epoch FROM j.due_at) - progressive_capture_priority(j.metadata) * %(seconds_per_point)s END
FROM due WHERE j.id = due.id RETURNING j.id
"""


def promote(execute: Execute, *, term: int, seconds_per_point: float) -> int:
    """Make up to a slice of due jobs ready; returns how many. Ranked by when they became due, so that order is a fixed key."""
    return len(execute(PROMOTE, {"term": term, "slice": SLICE, "seconds_per_point": seconds_per_point}))
