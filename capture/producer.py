"""Sending by name, over any DB-API connection to PostgreSQL: the one INSERT by which every job comes to be.

For programs that cannot import the actors (they own packages with names like ours)::

    from capture.producer import send
    job_id = send(connection, "fetch_prs", "owner/name", trigger_source="manual")

The caller's transaction decides: the job exists if and only if it commits.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, Protocol

from capture.errors import Refused
from capture.job_types import JOB_TYPES
from capture.new_job import NewJob, checked
from capture.priority import Facts, score

#: Rows of one INSERT; more are sent in slices.
SLICE: Final = 1_000
SECONDS_PER_POINT: Final = 60.0

#: Inserts jobs sorted by fingerprint (two senders lock in one order). A live twin is returned instead, with the higher score
#: kept; one that is already processing is marked to run again. Rows: asked id, id, status, whether it is new.
INSERT_JOBS: Final = """
WITH asked AS (
    SELECT a.*, clock_timestamp() AS now FROM unnest(
        %(ids)s::uuid[], %(actors)s::text[], %(processor_types)s::text[], %(versions)s::int[], %(args)s::jsonb[], %(kwargs)s::jsonb[],
        %(repositories)s::text[], %(capture_runs)s::uuid[], %(unique_keys)s::text[], %(delays)s::float8[], %(blockers)s::text[],
        %(scores)s::int[], %(metadata)s::jsonb[]
    ) AS a(id, actor, processor_type, version, args, kwargs, repository, capture_run_id, unique_key, delay, blockers, score, metadata)
), sent AS (
    INSERT INTO progressive_capture_jobs AS j (
        id, actor, processor_type, payload_version, args, kwargs, repository, capture_run_id, unique_key, status, blocked_by,
        ready_at, ready_rank, due_at, metadata, moved_by, moved_why)
    SELECT id, actor, processor_type, version, args, kwargs, repository, capture_run_id, unique_key,
           CASE WHEN blockers IS NULL THEN 'pending' ELSE 'blocked' END, blockers::uuid[],
           CASE WHEN blockers IS NULL AND delay <= 0 THEN now END,
           CASE WHEN blockers IS NULL AND delay <= 0 THEN extract(epoch FROM now) - score * %(seconds_per_point)s END,
           CASE WHEN blockers IS NULL AND delay > 0 THEN now + delay * interval '1 second' END,
           metadata || jsonb_build_object('priority', score), %(who)s, 'sent'
    FROM asked ORDER BY unique_key NULLS FIRST, id
    ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO UPDATE SET
        again = j.again OR j.status = 'processing',
        metadata = j.metadata || jsonb_build_object(
            'priority', greatest(progressive_capture_priority(j.metadata), progressive_capture_priority(excluded.metadata))),
        processor_type = CASE WHEN excluded.processor_type = 'realtime' AND j.status <> 'processing'
                              THEN 'realtime' ELSE j.processor_type END,
        ready_rank = least(j.ready_rank, CASE WHEN j.ready_rank IS NOT NULL THEN
            extract(epoch FROM j.ready_at) - progressive_capture_priority(excluded.metadata) * %(seconds_per_point)s END),
        updated_at = clock_timestamp()
    RETURNING j.id, j.unique_key, j.status
)
SELECT a.id::text, s.id::text, s.status, a.id = s.id
FROM sent s JOIN asked a ON a.id = s.id OR (a.unique_key = s.unique_key)
"""

#: A hand at psql may have ended a job without giving its fingerprint free.
FREE_FINGERPRINTS: Final = """
UPDATE progressive_capture_jobs SET unique_key = NULL
WHERE unique_key = ANY(%(unique_keys)s::text[]) AND status IN ('completed', 'failed', 'cancelled')
"""


class Execute(Protocol):
    """Runs one statement with named parameters and returns its rows."""

    def __call__(self, sql: str, params: dict[str, Any], /) -> Sequence[Sequence[Any]]:
        """The rows; none for a statement that returns none."""


def insert(
    execute: Execute, jobs: Sequence[NewJob], *, who: str, seconds_per_point: float = SECONDS_PER_POINT
) -> dict[str, str]:
    """Insert the jobs in the caller's transaction; returns asked id -> id of the live job (its own, or its twin's)."""
    ids: dict[str, str] = {}
    for start in range(0, len(jobs), SLICE):
        ids |= _insert_slice(execute, jobs[start : start + SLICE], who, seconds_per_point)
    return ids


def send(
    connection: Any,
    actor: str,
    *args: Any,
    delay_seconds: float = 0.0,
    trigger_source: str = "application",
    repository_size: str | None = None,
    time_range_days: int | None = None,
    **kwargs: Any,
) -> str:
    """Send a capture job by name in ``connection``'s transaction; returns the id of the live job.

    Raises ``Refused`` with one sentence for an unknown actor, a wrong signature or bad arguments; nothing is stored then.
    """
    if actor not in JOB_TYPES:
        raise Refused(f"There is no actor {actor!r}; there are {', '.join(JOB_TYPES)}.")
    facts = Facts(trigger_source, repository_size, time_range_days)
    job = checked(actor, args, kwargs, job_type=JOB_TYPES[actor], facts=facts, delay_seconds=delay_seconds)

    def execute(sql: str, params: dict[str, Any]) -> Sequence[Sequence[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall()) if cursor.description else []

    return insert(execute, [job], who="producer")[job.id]


def _insert_slice(execute: Execute, jobs: Sequence[NewJob], who: str, seconds_per_point: float) -> dict[str, str]:
    first: dict[str, NewJob] = {}
    twins: dict[str, str] = {}
    for job in jobs:
        kept = first.setdefault(job.unique_key or job.id, job)
        twins[job.id] = kept.id
    params = _parameters(list(first.values()), who, seconds_per_point)
    rows = execute(INSERT_JOBS, params)
    if any(status in ("completed", "failed", "cancelled") for _, _, status, _ in rows):
        execute(FREE_FINGERPRINTS, {"unique_keys": params["unique_keys"]})
        rows = execute(INSERT_JOBS, _parameters([j for j in first.values() if j.unique_key], who, seconds_per_point))
        found = {job.id: job.id for job in first.values() if not job.unique_key}
    else:
        found = {}
    found |= {asked: live for asked, live, _, _ in rows}
    return {job.id: found[twins[job.id]] for job in jobs}


def _parameters(jobs: Sequence[NewJob], who: str, seconds_per_point: float) -> dict[str, Any]:
    facts = [
        {
            key: value
            for key, value in (
                ("trigger_source", job.facts.trigger_source),
                ("repository_size", job.facts.repository_size),
                ("time_range_days", job.facts.time_range_days),
            )
            if value is not None
        }
        for job in jobs
    ]
    return {
        "ids": [job.id for job in jobs],
        "actors": [job.actor for job in jobs],
        "processor_types": [job.processor_type for job in jobs],
        "versions": [job.job_type.payload_version for job in jobs],
        "args": [json.dumps(list(job.args)) for job in jobs],
        "kwargs": [json.dumps(dict(job.kwargs)) for job in jobs],
        "repositories": [job.repository for job in jobs],
        "capture_runs": [job.capture_run_id for job in jobs],
        "unique_keys": [job.unique_key for job in jobs],
        "delays": [job.delay_seconds for job in jobs],
        "blockers": ["{" + ",".join(job.blocked_by) + "}" if job.blocked_by else None for job in jobs],
        "scores": [score(job.facts) for job in jobs],
        "metadata": [json.dumps(one) for one in facts],
        "seconds_per_point": seconds_per_point,
        "who": who,
    }
