"""Workers: one row per process, whose lease vouches for the jobs in its run set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from capture.producer import Execute

REGISTER: Final = """
INSERT INTO progressive_capture_workers AS w
    (id, host, pid, version, queues, actors, knowledge, threads, lease_until, backend_pid, backend_start, running)
SELECT %(id)s::uuid, %(host)s, %(pid)s, %(version)s, %(queues)s::text[], %(actors)s::jsonb, %(knowledge)s, %(threads)s,
       clock_timestamp() + %(lease)s * interval '1 second', pg_backend_pid(), a.backend_start, %(running)s::uuid[]
FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, backend_pid = excluded.backend_pid,
    backend_start = excluded.backend_start, running = excluded.running, registered_at = clock_timestamp(), renewed_at = clock_timestamp()
WHERE w.stopped_at IS NULL RETURNING id
"""
RENEW: Final = """
UPDATE progressive_capture_workers SET lease_until = clock_timestamp() + %(lease)s * interval '1 second',
    running = %(running)s::uuid[], draining = %(draining)s, renewed_at = clock_timestamp()
WHERE id = %(id)s::uuid AND stopped_at IS NULL RETURNING id
"""
LEAVE: Final = """
UPDATE progressive_capture_workers SET stopped_at = clock_timestamp(), lease_until = clock_timestamp(), running = '{}',
    end_cause = %(cause)s
WHERE id = %(id)s::uuid
"""
END_CAUSE: Final = """
UPDATE progressive_capture_workers SET end_cause = %(cause)s WHERE id = (
    SELECT id FROM progressive_capture_workers WHERE host = %(host)s AND pid = %(pid)s ORDER BY started_at DESC LIMIT 1)
AND coalesce(end_cause, 'its process is gone') = 'its process is gone' RETURNING id
"""


def register(
    execute: Execute,
    *,
    worker_id: str,
    host: str,
    pid: int,
    version: str,
    queues: Sequence[str],
    actors: Mapping[str, int],
    knowledge: str,
    threads: int,
    lease_seconds: float,
    running: Sequence[str] = (),
) -> bool:
    """Store who the worker is and begin its lease; again after its connection was lost. False where it was taken for lost meanwhile."""
    rows = execute(
        REGISTER,
        {
            "id": worker_id,
            "host": host,
            "pid": pid,
            "version": version,
            "queues": list(queues),
            "actors": json.dumps(dict(actors)),
            "knowledge": knowledge,
            "threads": threads,
            "lease": lease_seconds,
            "running": list(running),
        },
    )
    return bool(rows)


def renew(execute: Execute, *, worker_id: str, lease_seconds: float, running: Sequence[str], draining: bool) -> bool:
    """Renew the lease and the run set; False where the row is gone or ended."""
    params = {"id": worker_id, "lease": lease_seconds, "running": list(running), "draining": draining}
    return bool(execute(RENEW, params))


def leave(execute: Execute, worker_id: str, cause: str) -> None:
    """The worker ended by itself."""
    execute(LEAVE, {"id": worker_id, "cause": cause})


def record_end(execute: Execute, *, host: str, pid: int, cause: str) -> bool:
    """Keep how a process died, as its supervisor saw it; says whether there was such a worker."""
    return bool(execute(END_CAUSE, {"host": host, "pid": pid, "cause": cause}))


def execute_on(connection: Any) -> Execute:
    """``execute`` over a connection of one's own."""

    def execute(sql: str, params: dict[str, Any]) -> Sequence[Sequence[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall()) if cursor.description else []

    return execute
