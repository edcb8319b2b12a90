"""Every statement that the console reads the ledger by, named and described."""

from __future__ import annotations

from typing import Any, Final

from models.database import database

Record = dict[str, Any]

#: How many jobs of each type stand in each state.
JOBS_BY_STATE: Final = """
SELECT actor AS type, status AS state, count(*) AS count FROM progressive_capture_jobs GROUP BY 1, 2 ORDER BY 1, 2
"""
#: Workers whose lease holds.
LIVE_WORKERS: Final = """
SELECT id::text, host, pid, queues, threads, cardinality(running) AS running, draining, started_at
FROM progressive_capture_workers WHERE stopped_at IS NULL AND lease_until > clock_timestamp() ORDER BY started_at
"""
#: Who leads, if anyone does.
LEADER: Final = """
SELECT holder::text, term, extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds_left
FROM progressive_capture_leases WHERE name = 'leader' AND expires_at > clock_timestamp()
"""
#: How long the job has waited that became due first and has not begun.
OLDEST_READY: Final = """
SELECT extract(epoch FROM clock_timestamp() - min(ready_at))::float8 AS seconds FROM progressive_capture_jobs WHERE ready_rank IS NOT NULL
"""
JOB_COLUMNS: Final = """
j.id::text, j.actor AS type, j.status AS state, j.processor_type AS queue, j.repository, j.capture_run_id::text,
j.metadata, j.epoch, j.attempts, j.crashes, j.runs, j.error, j.error_kind, j.created_at, j.started_at, j.completed_at, j.due_at,
j.updated_at, coalesce(p.processed_items, 0) AS processed_items, p.total_items
"""
#: The newest jobs that fit; an empty filter fits all.
JOBS: Final = f"""
SELECT {JOB_COLUMNS} FROM progressive_capture_jobs j LEFT JOIN progressive_capture_progress p ON p.job_id = j.id
WHERE (%(state)s::text IS NULL OR j.status = %(state)s) AND (%(type)s::text IS NULL OR j.actor = %(type)s)
AND (%(repository)s::text IS NULL OR lower(j.repository) = lower(%(repository)s))
ORDER BY j.id DESC LIMIT %(limit)s
"""
#: One job, with what it was asked and how far it is.
JOB: Final = f"""
SELECT {JOB_COLUMNS}, j.args, j.kwargs, j.payload_version, j.worker_id::text, j.blocked_by::text[], j.stop_requested, j.ready_at,
    j.failures_in_a_row, p.failed_items, coalesce(p.checkpoint_data, '{{}}') AS checkpoints
FROM progressive_capture_jobs j LEFT JOIN progressive_capture_progress p ON p.job_id = j.id WHERE j.id = %(id)s::uuid
"""
#: Every move of a job, in order.
TRANSITIONS: Final = """
SELECT from_status AS "from", to_status AS "to", epoch, at, who, why FROM progressive_capture_transitions
WHERE job_id = %(id)s::uuid ORDER BY id
"""
#: Every failed run of a job, in order.
FAILURES: Final = """
SELECT epoch, kind, error_class, message, fingerprint, next_status AS next, started_at, failed_at
FROM progressive_capture_failures WHERE job_id = %(id)s::uuid ORDER BY id
"""
#: The dead letters of a job, the open one first.
DEAD_LETTERS: Final = """
SELECT epoch, kind, message, fingerprint, created_at, closed_at, closed_by, resolution
FROM progressive_capture_dead_letters WHERE job_id = %(id)s::uuid ORDER BY closed_at DESC NULLS FIRST, id DESC
"""
#: The newest capture runs of a repository.
RUNS: Final = """
SELECT id::text, repository, since_days, status, error, opened_by::text, opened_at, closed_at
FROM progressive_capture_capture_runs WHERE lower(repository) = lower(%(repository)s) ORDER BY opened_at DESC LIMIT 5
"""
#: The jobs that a capture run led to, in the order of their sending.
JOBS_OF_RUN: Final = f"""
SELECT {JOB_COLUMNS} FROM progressive_capture_jobs j LEFT JOIN progressive_capture_progress p ON p.job_id = j.id
WHERE j.capture_run_id = %(run)s::uuid ORDER BY j.id
"""
#: What is stored of a repository, table by table.
STORED_ROWS: Final = """
WITH pulls AS (
    SELECT p.id FROM pull_requests p JOIN repositories r ON r.id = p.repository_id
    WHERE lower(r.owner) = lower(%(owner)s) AND lower(r.name) = lower(%(name)s)
)
SELECT (SELECT count(*) FROM pulls) AS pull_requests,
    (SELECT count(*) FROM reviews JOIN pulls ON pulls.id = pull_request_id) AS reviews,
    (SELECT count(*) FROM review_comments JOIN pulls ON pulls.id = pull_request_id) AS review_comments,
    (SELECT count(*) FROM comments JOIN pulls ON pulls.id = pull_request_id) AS comments,
    (SELECT count(*) FROM commits c JOIN repositories r ON r.id = c.repository_id
     WHERE lower(r.owner) = lower(%(owner)s) AND lower(r.name) = lower(%(name)s)) AS commits
"""
#: Whether a repository of that name is stored.
KNOWN_REPOSITORY: Final = """
SELECT owner || '/' || name AS repository, default_branch, pull_request_count, watermark FROM repositories
WHERE lower(owner) = lower(%(owner)s) AND lower(name) = lower(%(name)s) ORDER BY changed_at DESC, id DESC LIMIT 1
"""
#: The worker processes of this machine that hold claims at this moment, with how many.
HOLDERS: Final = """
SELECT w.id::text AS worker, w.pid, count(*) AS held FROM progressive_capture_workers w
JOIN progressive_capture_jobs j ON j.worker_id = w.id AND j.status = 'processing'
WHERE w.host = %(host)s AND w.pid = ANY(%(pids)s) AND w.stopped_at IS NULL GROUP BY 1, 2
"""
#: How many jobs a worker holds.
HELD_BY: Final = """
SELECT count(*) AS held FROM progressive_capture_jobs WHERE worker_id = %(worker)s::uuid AND worker_id IS NOT NULL AND status = 'processing'
"""
#: How many jobs were rescued from workers that were gone.
RESCUES: Final = """
SELECT count(*) AS rescues FROM progressive_capture_transitions WHERE who = 'leader' AND why LIKE 'rescued%%'
"""


def read(statement: str, **params: Any) -> list[Record]:
    """The rows of a statement above, by column name."""
    with database.connection_context():
        cursor = database.execute_sql(statement, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
