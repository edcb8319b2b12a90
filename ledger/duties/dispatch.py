"""Dispatch: the best ready jobs of what live workers know become hints; hints that are no longer among them go."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from capture.producer import Execute
from ledger.hints import Hint, Hints, key_of

#: A popped hint is not put back for so long: its claim is under way.
POPPED_SECONDS: Final = 2.0
MOST_HINTS: Final = 512
#: Hints kept per thread beyond those that are free: a thread that ends a short run finds the next hint waiting. Rank decides at the pop,
#: so a late urgent hint still overtakes them all.
SPARE_PER_THREAD: Final = 4

LIVE_WORKERS: Final = """
SELECT w.queues, w.knowledge, w.actors, w.threads, (
    SELECT count(*) FROM progressive_capture_jobs j WHERE j.worker_id = w.id AND j.worker_id IS NOT NULL)
FROM progressive_capture_workers w
WHERE w.stopped_at IS NULL AND NOT w.draining AND w.lease_until > clock_timestamp()
"""
#: One short index scan per (queue, actor): the backlog of anything else costs nothing.
BEST: Final = """
SELECT best.id::text, best.epoch, known.actor, best.ready_rank
FROM unnest(%(actors)s::text[], %(versions)s::int[]) AS known(actor, version) CROSS JOIN LATERAL (
    SELECT id, epoch, ready_rank FROM progressive_capture_jobs
    WHERE processor_type = %(queue)s AND actor = known.actor AND ready_rank IS NOT NULL
    AND status IN ('pending', 'retrying') AND payload_version <= known.version
    ORDER BY ready_rank LIMIT %(count)s) AS best
ORDER BY best.ready_rank LIMIT %(count)s
"""


@dataclass(frozen=True, slots=True)
class Audience:
    """The live workers of one queue that know the same: what they share is one sorted set."""

    queue: str
    knowledge: str
    actors: Mapping[str, int]
    threads: int
    free: int

    @property
    def wanted(self) -> int:
        """How many hints to keep in Redis for them."""
        return min(self.free + SPARE_PER_THREAD * self.threads, MOST_HINTS)


class Dispatcher:
    """Remembers what it put, so that a hint being claimed is not put again at once."""

    def __init__(self, hints: Hints, clock: Callable[[], float] = time.monotonic) -> None:
        self._hints = hints
        self._clock = clock
        self._put: dict[str, set[bytes]] = defaultdict(set)
        self._popped: dict[bytes, float] = {}

    def dispatch(self, execute: Execute) -> int:
        """Bring every audience's set up to date; returns how many hints were added."""
        self._popped = {member: until for member, until in self._popped.items() if until > self._clock()}
        return sum(self._serve(execute, audience) for audience in audiences(execute))

    def _serve(self, execute: Execute, audience: Audience) -> int:
        key = key_of(audience.queue, audience.knowledge)
        present = self._hints.read(key)
        for member in self._put[key] - present.keys():
            self._popped[member] = self._clock() + POPPED_SECONDS
        best = self._best(execute, audience)
        wanted = {member: rank for member, rank in best.items() if member not in self._popped}
        add = {member: rank for member, rank in wanted.items() if present.get(member) != rank}
        remove = list(present.keys() - wanted.keys())
        if add or remove:
            self._hints.change(key, add, remove)
        self._put[key] = set(wanted)
        return len(add)

    def _best(self, execute: Execute, audience: Audience) -> dict[bytes, float]:
        # Hints whose claim is under way may still stand among the best: at most one per thread.
        count = audience.wanted + min(len(self._popped), audience.threads)
        rows = execute(
            BEST,
            {
                "queue": audience.queue,
                "actors": list(audience.actors),
                "versions": list(audience.actors.values()),
                "count": count,
            },
        )
        return {Hint(job_id, epoch, actor).encode(): float(rank) for job_id, epoch, actor, rank in rows}


def audiences(execute: Execute) -> list[Audience]:
    """The live workers, by queue and knowledge."""
    found: dict[tuple[str, str], Audience] = {}
    for queues, knowledge, actors, threads, held in execute(LIVE_WORKERS, {}):
        for queue in queues:
            other = found.get((queue, knowledge))
            free = max(threads - held, 0)
            found[queue, knowledge] = Audience(
                queue,
                knowledge,
                actors,
                threads + (other.threads if other else 0),
                free + (other.free if other else 0),
            )
    return list(found.values())
