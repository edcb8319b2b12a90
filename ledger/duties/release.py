"""Release, by level: blocked jobs whose blockers are all over, and capture runs whose jobs are all over."""

from __future__ import annotations

from typing import Final

from capture.producer import Execute

SLICE: Final = 200
RELEASE: Final = """
WITH settled AS (
    SELECT j.id, bool_or(b.status <> 'completed') AS bad,
           min(b.actor || ' ' || b.status) FILTER (WHERE b.status <> 'completed') AS reason
    FROM progressive_capture_jobs j LEFT JOIN progressive_capture_jobs b ON b.id = ANY(j.blocked_by)
    WHERE j.blocked_by IS NOT NULL AND j.status = 'blocked'
    GROUP BY j.id HAVING coalesce(bool_and(b.status IN ('completed', 'failed', 'cancelled')), true) LIMIT %(slice)s
), locked AS (
    SELECT j.id FROM progressive_capture_jobs j WHERE j.id IN (SELECT id FROM settled)
    AND EXISTS (SELECT 1 FROM progressive_capture_leases WHERE name = 'leader' AND term = %(term)s)
    ORDER BY j.id FOR NO KEY UPDATE SKIP LOCKED)
UPDATE progressive_capture_jobs j SET
    status = CASE WHEN s.bad THEN 'cancelled' ELSE 'pending' END, blocked_by = NULL,
    unique_key = CASE WHEN s.bad THEN NULL ELSE j.unique_key END,
    ready_at = CASE WHEN s.bad THEN NULL ELSE clock_timestamp() END,
    ready_rank = CASE WHEN s.bad THEN NULL ELSE
        extract(epoch FROM clock_timestamp()) - progressive_capture_priority(j.metadata) * %(seconds_per_point)s END,
    error = CASE WHEN s.bad THEN 'A job that it waited for did not complete: ' || s.reason || '.' END,
    completed_at = CASE WHEN s.bad THEN clock_timestamp() END, updated_at = clock_timestamp(), moved_at = clock_timestamp(),
    moved_by = 'leader',
    moved_why = CASE WHEN s.bad THEN 'a job that it waited for did not complete' ELSE 'all that it waited for is completed' END
FROM settled s JOIN locked l ON l.id = s.id WHERE j.id = s.id AND j.status = 'blocked' RETURNING j.id
"""
#: A run is completed if and only if each of its jobs is; the watermark moves with it, forward only.
CLOSE_RUNS: Final = """
WITH over AS (
    SELECT r.id, coalesce(bool_or(j.status <> 'completed'), true) AS bad, min(j.error) FILTER (WHERE j.status = 'failed') AS error
    FROM progressive_capture_capture_runs r LEFT JOIN progressive_capture_jobs j ON j.capture_run_id = r.id
    WHERE r.closed_at IS NULL GROUP BY r.id
    HAVING coalesce(bool_and(j.status IN ('completed', 'failed', 'cancelled')), true) LIMIT %(slice)s
), closed AS (
    UPDATE progressive_capture_capture_runs r SET status = CASE WHEN o.bad THEN 'failed' ELSE 'completed' END,
        error = o.error, closed_at = clock_timestamp()
    FROM over o WHERE r.id = o.id AND r.closed_at IS NULL
    AND EXISTS (SELECT 1 FROM progressive_capture_leases WHERE name = 'leader' AND term = %(term)s)
    RETURNING r.id, r.repository, r.repository_id, r.since_days, r.opened_at, r.status
), moved AS (
    UPDATE repositories p SET watermark = greatest(p.watermark, c.opened_at)
    FROM closed c WHERE p.id = c.repository_id AND c.status = 'completed' AND c.since_days IS NULL
)
SELECT id FROM closed
"""


def release(execute: Execute, *, term: int, seconds_per_point: float) -> int:
    """Release what waits for nothing any more; returns how many jobs and runs that was."""
    released = execute(RELEASE, {"term": term, "slice": SLICE, "seconds_per_point": seconds_per_point})
    closed = execute(CLOSE_RUNS, {"term": term, "slice": SLICE})
    return len(released) + len(closed)
