"""What follows a run: DESIGN's table of outcomes as one pure decision."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from capture.states import JobState

#: A deadlock or serialization failure is tried again after this; other system faults back off from it.
FAULT_WAIT_SECONDS = 1.0
FAULT_WAIT_MAX_SECONDS = 60.0


class Kind(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    SYSTEM = "system"
    DEFERRED = "deferred"
    INTERRUPTED = "interrupted"
    CRASH = "crash"
    INCOMPLETE = "incomplete"
    NO_END = "no_end"


@dataclass(frozen=True, slots=True)
class History:
    """What a job has been through, the present run included in ``runs`` only."""

    attempts: int = 0
    failures_in_a_row: int = 0
    faults_in_a_row: int = 0
    crashes: int = 0
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state of a job, when it is due, and its counters from then on."""

    status: JobState
    kind: Kind
    history: History
    wait_seconds: float = 0.0
    """From now; 0: due at once."""
    to_the_back: bool = False
    """Queue again as of now, so that others get their turn; else the job keeps its place."""

    @property
    def is_dead(self) -> bool:
        """Whether a dead letter is due."""
        return self.status is JobState.FAILED


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The numbers of the decision; all are settings."""

    max_retries: int = 3
    base_seconds: float = 60.0
    multiplier: float = 2.0
    max_seconds: float = 3600.0
    jitter: float = 0.3
    crash_limit: int = 3
    fault_limit: int = 100
    max_runs: int = 1000
    no_wait: bool = False
    """The tests' one switch: every retry wait is zero."""
    uniform: Callable[[float, float], float] = random.uniform

    def decide(
        self,
        kind: Kind,
        history: History,
        *,
        retryable: bool = True,
        asked_seconds: float | None = None,
        used_up: bool = False,
    ) -> Decision:
        """What follows a run that ended as ``kind``.

        ``asked_seconds`` is the server's wish (``Retry-After`` or GitHub's reset) and wins over the backoff; ``used_up`` says that an
        interrupted run had its whole slice.
        """
        decision = self._by_kind(kind, history, retryable, asked_seconds, used_up)
        ends = decision.status in (JobState.COMPLETED, JobState.FAILED)
        if not ends and kind is not Kind.DEFERRED and history.runs >= self.max_runs:
            return Decision(JobState.FAILED, Kind.NO_END, decision.history)
        return decision

    def backoff(self, failures: int) -> float:
        """Seconds after ``failures`` earlier failures in a row: exponential to a cap, plus jitter that also applies at the cap."""
        if self.no_wait:
            return 0.0
        exponential = min(self.base_seconds * self.multiplier ** min(failures, 64), self.max_seconds)
        return exponential + self.uniform(0.0, self.jitter) * exponential

    def _by_kind(
        self, kind: Kind, history: History, retryable: bool, asked_seconds: float | None, used_up: bool
    ) -> Decision:
        match kind:
            case Kind.COMPLETED:
                return Decision(JobState.COMPLETED, kind, replace(history, failures_in_a_row=0, faults_in_a_row=0))
            case Kind.INTERRUPTED:
                return Decision(JobState.PENDING, kind, history, to_the_back=used_up)
            case Kind.DEFERRED:
                return Decision(
                    JobState.PENDING, kind, history, wait_seconds=max(asked_seconds or 0.0, 0.0), to_the_back=True
                )
            case Kind.SYSTEM:
                return self._fault(history, asked_seconds)
            case Kind.CRASH:
                return self._crash(history)
            case _:
                return self._failure(kind, history, retryable, asked_seconds)

    def _failure(self, kind: Kind, history: History, retryable: bool, asked_seconds: float | None) -> Decision:
        counted = replace(history, attempts=history.attempts + 1, failures_in_a_row=history.failures_in_a_row + 1)
        may_retry = kind is Kind.TRANSIENT and retryable and history.failures_in_a_row < self.max_retries
        if not may_retry:
            return Decision(JobState.FAILED, kind, counted)
        wait = self.backoff(history.failures_in_a_row)
        if asked_seconds is not None and not self.no_wait:
            wait = max(asked_seconds, 0.0)
        return Decision(JobState.RETRYING, kind, counted, wait_seconds=wait, to_the_back=True)

    def _fault(self, history: History, asked_seconds: float | None) -> Decision:
        counted = replace(history, faults_in_a_row=history.faults_in_a_row + 1)
        if counted.faults_in_a_row > self.fault_limit:
            return Decision(JobState.FAILED, Kind.SYSTEM, counted)
        wait = min(FAULT_WAIT_SECONDS * 2.0 ** min(history.faults_in_a_row, 16), FAULT_WAIT_MAX_SECONDS)
        if asked_seconds is not None:
            wait = asked_seconds
        return Decision(JobState.RETRYING, Kind.SYSTEM, counted, wait_seconds=0.0 if self.no_wait else wait)

    def _crash(self, history: History) -> Decision:
        counted = replace(history, crashes=history.crashes + 1)
        if counted.crashes >= self.crash_limit:
            return Decision(JobState.FAILED, Kind.CRASH, counted)
        if counted.crashes == 1:
            return Decision(JobState.PENDING, Kind.CRASH, counted)
        return Decision(JobState.RETRYING, Kind.CRASH, counted, wait_seconds=self.backoff(counted.crashes - 2))
