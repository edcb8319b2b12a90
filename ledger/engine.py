"""What a worker process is made of: its hands, its pump from hints to claimed messages, and its committer."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

import redis

from capture.current import set_current_job
from capture.job_types import JobType
from capture.priority import score
from capture.retry import Decision, Kind, RetryPolicy
from capture.states import JobState
from ledger.committer import Committer
from ledger.hands import Hands
from ledger.hints import Hint, Hints, key_of
from ledger.run import Run
from models import moves
from models.database import execute
from models.moves import Failure, Finish

log = logging.getLogger(__name__)
#: Seconds between tries while Redis or PostgreSQL is away.
PAUSE_SECONDS = 0.5


class Engine:
    """One per worker process, made when the worker has registered."""

    def __init__(
        self,
        hands: Hands,
        *,
        knowledge: str,
        job_types: Mapping[str, JobType],
        redis_url: str,
        policy: RetryPolicy,
        seconds_per_point: float,
        wake: Callable[[], None],
    ) -> None:
        self.hands = hands
        self.knowledge = knowledge
        self.policy = policy
        self.seconds_per_point = seconds_per_point
        self.odd_hints = 0
        self._job_types = job_types
        self._hints = Hints(redis_url)
        self._wake = wake
        self._claimed: dict[str, queue.SimpleQueue[Run]] = defaultdict(queue.SimpleQueue)
        self._queues: list[str] = []
        self._lock = threading.Lock()
        self._pump = threading.Thread(target=self._fetch, name="capture-pump", daemon=True)
        self._stopped = threading.Event()
        self.committer = Committer(seconds_per_point=seconds_per_point, on_commit=wake)
        self.committer.start()

    def serve(self, queue_name: str) -> None:
        """Fetch for a queue from now on."""
        with self._lock:
            if queue_name not in self._queues:
                self._queues.append(queue_name)
            if not self._pump.is_alive() and not self._stopped.is_set():
                self._pump.start()

    def next_run(self, queue_name: str, seconds: float) -> Run | None:
        """The next claimed run of the queue, or None after ``seconds``."""
        try:
            return self._claimed[queue_name].get(timeout=seconds)
        except queue.Empty:
            return None

    def end(self, run: Run) -> None:
        """See the run's end through to a known answer, then give its thread free. Never raises."""
        try:
            set_current_job(None)
            if not run.lost:
                won = self.committer.finish(self._finish_of(run))
                if not won:
                    log.warning("Job %s was no longer held by run %d: its end is not recorded.", run.job_id, run.epoch)
        finally:
            self.hands.release(run.job_id)

    def give_back(self, why: str) -> list[str]:
        """Put everything that is still in hand back, which fences this process's own threads."""
        held = self.hands.ids()
        if not held:
            return []
        return moves.put_back(
            execute, self.hands.worker_id, why=why, seconds_per_point=self.seconds_per_point, job_ids=held
        )

    def stop(self, seconds: float) -> None:
        """Fetch no more, and commit what is queued."""
        self._stopped.set()
        self.hands.drain()
        self.committer.stop(seconds)
        self._hints.close()

    def _fetch(self) -> None:
        while not self._stopped.is_set() and not self.hands.draining:
            free = self.hands.wait_for_free(1.0)
            if not free:
                continue
            try:
                self._claim(self._hints.pop([key_of(name, self.knowledge) for name in self._queues], free))
            except redis.RedisError as error:
                log.warning("Redis is away; hints will come again when it is back: %s", error)
                time.sleep(PAUSE_SECONDS)
            except Exception:
                if self._stopped.is_set():
                    return
                log.warning("Hints could not be claimed; they will come again.", exc_info=True)
                time.sleep(PAUSE_SECONDS)

    def _claim(self, members: list[bytes]) -> None:
        hints = [hint for hint in map(Hint.decode, members) if hint is not None]
        self.odd_hints += len(members) - len(hints)
        held = set(self.hands.ids())
        wanted = {
            hint.job_id: hint.epoch for hint in hints if hint.actor in self._job_types and hint.job_id not in held
        }
        if not wanted or self.hands.draining:
            return
        self.hands.reserve(wanted)
        won: set[str] = set()
        try:
            for claimed in moves.claim(execute, self.hands.worker_id, list(wanted.items())):
                won.add(claimed.id)
                self._take(claimed)
        finally:
            # A claim whose answer was lost is not in the run set: the leader finds it there missing, and rescues it.
            for job_id in set(wanted) - won:
                self.hands.release(job_id)

    def _take(self, claimed: moves.Claimed) -> None:
        run = Run(claimed, self._job_types.get(claimed.actor, JobType()), self.hands)
        self.hands.hold(run)
        # A twin's send may have moved the row to another queue after its hint was put: it is ours now, whoever reads for us.
        served = claimed.processor_type in self._queues
        self._claimed[claimed.processor_type if served else self._queues[0]].put(run)

    def _finish_of(self, run: Run) -> Finish:
        decision = run.decision
        if decision is None:
            decision, run.failure = self._undecided(run)
        history = decision.history
        retries = history.failures_in_a_row if decision.status is JobState.RETRYING else 0
        return Finish(
            job_id=run.job_id,
            epoch=run.epoch,
            decision=decision,
            who=self.hands.worker_id,
            why=_why(run, decision),
            priority=score(run.facts, retries),
            failure=run.failure,
            metadata=run.metadata,
        )

    def _undecided(self, run: Run) -> tuple[Decision, Failure | None]:
        """The end of a run about which no middleware decided: it never started, or a hook failed."""
        if not run.started:
            return self.policy.decide(Kind.INTERRUPTED, run.history), None
        message = "The run ended, but its middleware could not say how; see the worker's log."
        decision = self.policy.decide(Kind.SYSTEM, run.history)
        return decision, Failure("UndecidedRun", message, None, "undecided-run")


def _why(run: Run, decision: Decision) -> str:
    if decision.kind is Kind.INTERRUPTED:
        return run.interrupted_by or "not started: the worker shuts down"
    if run.failure is not None:
        return f"{decision.kind}: {run.failure.error_class}"
    return str(decision.kind)
