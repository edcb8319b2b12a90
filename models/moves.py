"""The moves of a job: every change of state is one guarded statement here, which says whether it won.

Each takes ``execute``, so that it runs in the transaction of whoever asks: a worker's pool, the leader's connection, a test.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from capture.ids import new_id
from capture.priority import Facts
from capture.producer import Execute
from capture.retry import Decision, History

#: A wait that a server wishes for is bounded: what lies beyond a calendar could not be stored.
LONGEST_WAIT_SECONDS: Final = 31 * 86_400.0

#: Wins the jobs whose hint is true: still waiting, still at that epoch. A worker whose lease is over wins nothing.
CLAIM: Final = """
WITH asked AS (SELECT * FROM unnest(%(ids)s::uuid[], %(epochs)s::int[]) AS a(id, epoch)),
locked AS MATERIALIZED (
    SELECT j.id FROM progressive_capture_jobs j JOIN asked a ON a.id = j.id AND a.epoch = j.epoch
    WHERE j.ready_rank IS NOT NULL AND j.status IN ('pending', 'retrying')
    AND EXISTS (SELECT 1 FROM progressive_capture_workers w
                WHERE w.id = %(worker)s::uuid AND w.stopped_at IS NULL AND w.lease_until > clock_timestamp())
    ORDER BY j.id FOR NO KEY UPDATE OF j SKIP LOCKED)
UPDATE progressive_capture_jobs j SET
    status = 'processing', epoch = j.epoch + 1, ready_rank = NULL, due_at = NULL, worker_id = %(worker)s::uuid, stop_requested = NULL,
    runs = j.runs + 1, started_at = clock_timestamp(), completed_at = NULL, updated_at = clock_timestamp(),
    moved_at = clock_timestamp(), moved_by = %(worker)s, moved_why = 'claimed'
FROM locked WHERE j.id = locked.id
RETURNING j.id::text, j.epoch, j.actor, j.processor_type, j.args, j.kwargs, j.capture_run_id::text, j.repository, j.metadata,
    j.attempts, j.failures_in_a_row, j.faults_in_a_row, j.crashes, j.runs
"""

#: Locks the job for this transaction if the run still holds it; no row: it does not.
FENCE: Final = """
SELECT stop_requested, failures_in_a_row + faults_in_a_row FROM progressive_capture_jobs
WHERE id = %(id)s::uuid AND epoch = %(epoch)s AND status = 'processing' FOR NO KEY UPDATE
"""

#: Ends runs in one batch. Returns the ids that won; a run that no longer held its job is left out.
FINISH: Final = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(epochs)s::int[], %(statuses)s::text[], %(waits)s::float8[], %(to_the_back)s::bool[],
        %(attempts)s::int[], %(failures)s::int[], %(faults)s::int[], %(crashes)s::int[], %(priorities)s::int[],
        %(errors)s::text[], %(kinds)s::text[], %(patches)s::jsonb[], %(whys)s::text[], %(whos)s::text[], %(dead)s::bool[],
        %(classes)s::text[], %(traces)s::text[], %(prints)s::text[], %(successors)s::uuid[]
    ) AS a(id, epoch, status, wait, to_the_back, attempts, failures, faults, crashes, priority,
           error, kind, patch, why, who, dead, class, trace, print, successor)
), locked AS MATERIALIZED (
    SELECT j.id, j.unique_key, j.worker_id, j.started_at FROM progressive_capture_jobs j JOIN asked a ON a.id = j.id AND a.epoch = j.epoch
    WHERE j.status = 'processing' ORDER BY j.id FOR NO KEY UPDATE OF j
), moved AS (
    UPDATE progressive_capture_jobs j SET
        status = a.status, attempts = a.attempts, failures_in_a_row = a.failures, faults_in_a_row = a.faults, crashes = a.crashes,
        worker_id = NULL, stop_requested = NULL, error = a.error, error_kind = a.kind,
        ready_at = CASE WHEN a.to_the_back OR j.ready_at IS NULL THEN clock_timestamp() ELSE j.ready_at END,
        ready_rank = CASE WHEN a.status IN ('pending', 'retrying') AND a.wait <= 0 THEN
            extract(epoch FROM CASE WHEN a.to_the_back OR j.ready_at IS NULL THEN clock_timestamp() ELSE j.ready_at END)
            - greatest(a.priority, progressive_capture_priority(j.metadata)) * %(seconds_per_point)s END,
        due_at = CASE WHEN a.status IN ('pending', 'retrying') AND a.wait > 0
                      THEN clock_timestamp() + a.wait * interval '1 second' END,
        unique_key = CASE WHEN a.status IN ('pending', 'retrying') THEN j.unique_key END,
        metadata = j.metadata || a.patch || jsonb_build_object('priority', greatest(a.priority, progressive_capture_priority(j.metadata))),
        completed_at = CASE WHEN a.status IN ('completed', 'failed', 'cancelled') THEN clock_timestamp() END,
        updated_at = clock_timestamp(), moved_at = clock_timestamp(), moved_by = a.who, moved_why = a.why
    FROM asked a JOIN locked l ON l.id = a.id WHERE j.id = a.id
    RETURNING j.id, j.status, j.again
), failed AS (
    INSERT INTO progressive_capture_failures
        (job_id, epoch, kind, error_class, message, trace, fingerprint, worker_id, checkpoint, next_status, started_at)
    SELECT a.id, a.epoch, a.kind, a.class, a.error, a.trace, a.print, l.worker_id, p.checkpoint_data, a.status, l.started_at
    FROM asked a JOIN moved m ON m.id = a.id JOIN locked l ON l.id = a.id
    LEFT JOIN progressive_capture_progress p ON p.job_id = a.id
    WHERE a.class IS NOT NULL ON CONFLICT (job_id, epoch) DO NOTHING
), buried AS (
    INSERT INTO progressive_capture_dead_letters (job_id, epoch, kind, message, fingerprint)
    SELECT a.id, a.epoch, a.kind, coalesce(a.error, a.why), coalesce(a.print, a.kind)
    FROM asked a JOIN moved m ON m.id = a.id WHERE a.dead
), followed AS (
    INSERT INTO progressive_capture_jobs (
        id, actor, processor_type, payload_version, args, kwargs, repository, capture_run_id, unique_key, status, ready_at, ready_rank,
        metadata, moved_by, moved_why)
    SELECT a.successor, j.actor, j.processor_type, j.payload_version, j.args, j.kwargs, j.repository, j.capture_run_id, l.unique_key,
           'pending', clock_timestamp(),
           extract(epoch FROM clock_timestamp()) - progressive_capture_priority(j.metadata) * %(seconds_per_point)s,
           j.metadata - 'gap', a.who, 'asked for again while ' || a.id || ' was running'
    FROM moved m JOIN asked a ON a.id = m.id JOIN locked l ON l.id = m.id JOIN progressive_capture_jobs j ON j.id = m.id
    WHERE m.again AND m.status IN ('completed', 'failed')
)
SELECT id::text FROM moved
"""

#: Gives back what this worker still holds: due at once and in its old place. The runs are fenced from then on.
PUT_BACK: Final = """
UPDATE progressive_capture_jobs j SET status = 'pending', worker_id = NULL, stop_requested = NULL,
    ready_at = coalesce(j.ready_at, clock_timestamp()),
    ready_rank = extract(epoch FROM coalesce(j.ready_at, clock_timestamp()))
        - progressive_capture_priority(j.metadata) * %(seconds_per_point)s,
    updated_at = clock_timestamp(), moved_at = clock_timestamp(), moved_by = %(worker)s, moved_why = %(why)s
WHERE j.worker_id = %(worker)s::uuid AND j.status = 'processing' AND (%(ids)s::uuid[] IS NULL OR j.id = ANY(%(ids)s::uuid[]))
RETURNING j.id::text
"""

#: Stops a job for good; a running one is fenced by the raised epoch.
CANCEL: Final = """
UPDATE progressive_capture_jobs SET status = 'cancelled', epoch = epoch + 1, ready_rank = NULL, due_at = NULL, unique_key = NULL,
    blocked_by = NULL, worker_id = NULL, again = false, completed_at = clock_timestamp(), updated_at = clock_timestamp(),
    moved_at = clock_timestamp(), moved_by = %(who)s, moved_why = %(why)s
WHERE id = %(id)s::uuid AND status IN ('blocked', 'pending', 'retrying', 'processing') RETURNING id::text
"""

#: What became of runs whose finish got no answer.
LOOK_UP: Final = """
SELECT j.id::text, j.status, j.epoch, EXISTS (
    SELECT 1 FROM progressive_capture_transitions t
    WHERE t.job_id = j.id AND t.epoch = a.epoch AND t.from_status = 'processing' AND t.to_status = a.status AND t.who = a.who)
FROM unnest(%(ids)s::uuid[], %(epochs)s::int[], %(statuses)s::text[], %(whos)s::text[]) AS a(id, epoch, status, who)
JOIN progressive_capture_jobs j ON j.id = a.id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that a worker has won, as its row says."""

    id: str
    epoch: int
    actor: str
    processor_type: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    capture_run_id: str | None
    repository: str | None
    metadata: dict[str, Any]
    history: History

    @property
    def facts(self) -> Facts:
        """Why and how urgently it was asked for."""
        return Facts.from_metadata(self.metadata)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed run in words: scrubbed and bounded."""

    error_class: str
    message: str
    trace: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of one run, decided."""

    job_id: str
    epoch: int
    decision: Decision
    who: str
    why: str
    priority: int = 0
    failure: Failure | None = None
    metadata: Mapping[str, Any] | None = None


def claim(execute: Execute, worker_id: str, hints: Sequence[tuple[str, int]]) -> list[Claimed]:
    """Claim the (job id, epoch) pairs that are still true."""
    params = {"ids": [one for one, _ in hints], "epochs": [epoch for _, epoch in hints], "worker": worker_id}
    return [_claimed(row) for row in execute(CLAIM, params)]


def _claimed(row: Sequence[Any]) -> Claimed:
    job_id, epoch, actor, processor_type, args, kwargs, capture_run_id, repository, metadata, *counts = row
    return Claimed(
        job_id,
        epoch,
        actor,
        processor_type,
        tuple(args),
        kwargs,
        capture_run_id,
        repository,
        metadata,
        History(*counts),
    )


def finish(execute: Execute, finishes: Sequence[Finish], *, seconds_per_point: float) -> set[str]:
    """End the runs; returns the job ids that won."""
    ends = sorted(finishes, key=lambda end: end.job_id)
    failures = [end.failure for end in ends]
    params = {
        "ids": [end.job_id for end in ends],
        "epochs": [end.epoch for end in ends],
        "statuses": [str(end.decision.status) for end in ends],
        "waits": [min(float(end.decision.wait_seconds), LONGEST_WAIT_SECONDS) for end in ends],
        "to_the_back": [end.decision.to_the_back for end in ends],
        "attempts": [end.decision.history.attempts for end in ends],
        "failures": [end.decision.history.failures_in_a_row for end in ends],
        "faults": [end.decision.history.faults_in_a_row for end in ends],
        "crashes": [end.decision.history.crashes for end in ends],
        "priorities": [end.priority for end in ends],
        "errors": [failure.message if failure else None for failure in failures],
        "kinds": [str(end.decision.kind) if end.failure or end.decision.is_dead else None for end in ends],
        "patches": [json.dumps(dict(end.metadata or {})) for end in ends],
        "whys": [end.why for end in ends],
        "whos": [end.who for end in ends],
        "dead": [end.decision.is_dead for end in ends],
        "classes": [failure.error_class if failure else None for failure in failures],
        "traces": [failure.trace if failure else None for failure in failures],
        "prints": [failure.fingerprint if failure else None for failure in failures],
        "successors": [new_id() for _ in ends],
        "seconds_per_point": seconds_per_point,
    }
    return {row[0] for row in execute(FINISH, params)}


def put_back(
    execute: Execute, worker_id: str, *, why: str, seconds_per_point: float, job_ids: Sequence[str] | None = None
) -> list[str]:
    """Give back what the worker holds (all of it, or the named jobs); returns the ids."""
    params = {"worker": worker_id, "why": why, "ids": list(job_ids) if job_ids is not None else None}
    return [row[0] for row in execute(PUT_BACK, params | {"seconds_per_point": seconds_per_point})]


def cancel(execute: Execute, job_id: str, *, who: str, why: str) -> bool:
    """Stop a job that is not over yet; says whether there was one to stop."""
    return bool(execute(CANCEL, {"id": job_id, "who": who, "why": why}))


def won_after_all(execute: Execute, finishes: Sequence[Finish]) -> set[str]:
    """Of finishes whose answer was lost: the job ids for which the log says that they were committed."""
    params = {
        "ids": [end.job_id for end in finishes],
        "epochs": [end.epoch for end in finishes],
        "statuses": [str(end.decision.status) for end in finishes],
        "whos": [end.who for end in finishes],
    }
    return {row[0] for row in execute(LOOK_UP, params) if row[3]}
