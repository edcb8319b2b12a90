"""Rescue: runs whose worker is gone go back to be claimed. Safe even when wrong, for every write of a run is fenced."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg2

from capture.priority import Facts, score
from capture.producer import Execute
from capture.retry import History, Kind, RetryPolicy
from capture.states import JobState
from models import moves
from models.moves import Failure, Finish

log = logging.getLogger(__name__)
SLICE: Final = 200
#: A worker whose connection is gone may have lost only that: it has so long to register again.
RETURN_SECONDS: Final = 3.0
#: A job that its live worker does not vouch for is given so long.
UNHELD_SECONDS: Final = 15.0

OVER: Final = """
SELECT DISTINCT j.worker_id::text, CASE WHEN w.id IS NULL THEN 'the worker is unknown' ELSE 'its lease ran out' END,
       coalesce(w.renewed_at < pg_postmaster_start_time(), false)
FROM progressive_capture_jobs j LEFT JOIN progressive_capture_workers w ON w.id = j.worker_id
WHERE j.worker_id IS NOT NULL AND j.status = 'processing'
AND (w.id IS NULL OR w.stopped_at IS NOT NULL OR w.lease_until <= clock_timestamp())
AND NOT coalesce(w.renewed_at < pg_postmaster_start_time()
                 AND pg_postmaster_start_time() > clock_timestamp() - %(back)s * interval '1 second', false)
"""
CUT_OFF: Final = """
SELECT w.id::text, pg_postmaster_start_time() > w.registered_at FROM progressive_capture_workers w
WHERE w.stopped_at IS NULL AND w.lease_until > clock_timestamp()
AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = w.backend_pid AND a.backend_start = w.backend_start)
"""
END_LEASE: Final = """
UPDATE progressive_capture_workers SET lease_until = clock_timestamp(), stopped_at = clock_timestamp(),
    end_cause = coalesce(end_cause, %(cause)s)
WHERE id = %(worker)s::uuid AND stopped_at IS NULL
AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = backend_pid AND a.backend_start = progressive_capture_workers.backend_start)
RETURNING id
"""
HELD_BY: Final = """
SELECT j.id::text, j.epoch, j.attempts, j.failures_in_a_row, j.faults_in_a_row, j.crashes, j.runs, j.metadata
FROM progressive_capture_jobs j WHERE j.worker_id = %(worker)s::uuid AND j.worker_id IS NOT NULL AND j.status = 'processing'
AND EXISTS (SELECT 1 FROM progressive_capture_leases WHERE name = 'leader' AND term = %(term)s)
ORDER BY j.id LIMIT %(slice)s FOR NO KEY UPDATE SKIP LOCKED
"""
UNHELD: Final = """
SELECT j.id::text, j.epoch, j.attempts, j.failures_in_a_row, j.faults_in_a_row, j.crashes, j.runs, j.metadata
FROM progressive_capture_jobs j JOIN progressive_capture_workers w ON w.id = j.worker_id
WHERE j.worker_id IS NOT NULL AND j.status = 'processing' AND w.stopped_at IS NULL AND w.lease_until > clock_timestamp()
AND j.started_at < clock_timestamp() - %(seconds)s * interval '1 second'
AND w.renewed_at > j.started_at + interval '1 second' AND NOT j.id = ANY(w.running)
AND EXISTS (SELECT 1 FROM progressive_capture_leases WHERE name = 'leader' AND term = %(term)s)
ORDER BY j.id LIMIT %(slice)s FOR NO KEY UPDATE OF j SKIP LOCKED
"""


class Rescuer:
    """Looks once a second. Which workers are missing their connection is remembered in memory only: a new leader counts anew."""

    def __init__(
        self, policy: RetryPolicy, *, seconds_per_point: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy
        self._seconds_per_point = seconds_per_point
        self._clock = clock
        self._missing_since: dict[str, float] = {}

    def rescue(self, execute: Execute, *, term: int) -> int:
        """Return the jobs of lost workers, and those that nobody vouches for; returns how many."""
        rescued = 0
        for worker_id, charged in self._cut_off(execute):
            if execute(END_LEASE, {"worker": worker_id, "cause": "its process is gone"}):
                rescued += self._take_back(execute, worker_id, "its process is gone", term, charged=charged)
        # A lease that ran out while PostgreSQL was away says nothing about its worker: no charge, and time to renew it first.
        for worker_id, cause, was_away in execute(OVER, {"back": RETURN_SECONDS}):
            rescued += self._take_back(execute, worker_id, cause, term, charged=not was_away)
        rows = execute(UNHELD, {"seconds": UNHELD_SECONDS, "term": term, "slice": SLICE})
        return rescued + self._finish(execute, rows, "its live worker does not hold it", charged=False)

    def _cut_off(self, execute: Execute) -> list[tuple[str, bool]]:
        now = self._clock()
        gone = {worker_id: bool(restarted) for worker_id, restarted in execute(CUT_OFF, {})}
        self._missing_since = {worker_id: self._missing_since.get(worker_id, now) for worker_id in gone}
        return [
            (worker_id, not gone[worker_id])
            for worker_id, since in self._missing_since.items()
            if now - since >= RETURN_SECONDS
        ]

    def _take_back(self, execute: Execute, worker_id: str, cause: str, term: int, *, charged: bool) -> int:
        rows = execute(HELD_BY, {"worker": worker_id, "term": term, "slice": SLICE})
        return self._finish(execute, rows, cause, charged=charged)

    def _finish(self, execute: Execute, rows: Sequence[Sequence[Any]], cause: str, *, charged: bool) -> int:
        finishes = [self._rescued(row, cause, charged=charged) for row in rows]
        if not finishes:
            return 0
        try:
            return len(moves.finish(execute, finishes, seconds_per_point=self._seconds_per_point))
        except (psycopg2.DataError, psycopg2.IntegrityError):
            if len(finishes) == 1:
                log.exception("Job %s cannot be rescued.", finishes[0].job_id)
                return 0
        # One row that cannot be stored must not hold up the others.
        return sum(self._finish(execute, [row], cause, charged=charged) for row in rows)

    def _rescued(self, row: Sequence[Any], cause: str, *, charged: bool) -> Finish:
        job_id, epoch, *counts, metadata = row
        decision = self._policy.decide(Kind.CRASH if charged else Kind.INTERRUPTED, History(*counts))
        failure = None
        if charged:
            failure = Failure("WorkerLost", f"The worker died while it ran the job: {cause}.", None, "worker-lost")
        elif decision.is_dead:
            failure = Failure("NoEnd", f"Given up after {decision.history.runs} runs without an end.", None, "no-end")
        retries = decision.history.crashes if decision.status is JobState.RETRYING else 0
        priority = score(Facts.from_metadata(metadata), retries)
        return Finish(job_id, epoch, decision, "leader", f"rescued: {cause}", priority, failure)
