"""Following a capture run to its end: bars on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

from capture.states import TERMINAL, JobState
from console import queries
from models.capture_run import CaptureRun

LOOK_SECONDS, LINE_SECONDS = 0.2, 10.0
#: The leader closes a run within a second of its last job's end; so long is it waited for.
CLOSING_SECONDS = 3.0
BAR_WIDTH = 30
GREEN, RED, RESET = "\x1b[32m", "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a capture run ended."""

    completed: bool
    """Whether every job of it is completed."""
    run_id: str | None
    """None where the request failed before it opened a run."""
    error: str | None
    jobs: list[dict[str, Any]] = field(default_factory=list)


def follow(job_id: str, show: Callable[[list[dict[str, Any]]], None]) -> Outcome:
    """Wait until every job of the capture run that the ``capture_repository`` job opened is over."""
    run_id: str | None = None
    jobs: list[dict[str, Any]] = []
    closing_since: float | None = None
    while True:
        request = queries.read(queries.JOB, id=job_id)[0]
        if request["state"] in (JobState.FAILED, JobState.CANCELLED):
            return Outcome(False, None, request["error"] or f"The request was {request['state']}.", [request])
        if run_id is None:
            run = CaptureRun.of_job(job_id)
            run_id = run.id if run else None
        jobs = queries.read(queries.JOBS_OF_RUN, run=run_id) if run_id else []
        show([request, *jobs])
        if run_id and all(job["state"] in TERMINAL for job in jobs):
            closing_since = closing_since or time.monotonic()
            run = CaptureRun.by_id(run_id or "")
            is_closed = run is None or run.closed_at is not None
            if is_closed or time.monotonic() - closing_since > CLOSING_SECONDS:
                return _outcome(run_id, jobs)
        time.sleep(LOOK_SECONDS)


def _outcome(run_id: str | None, jobs: list[dict[str, Any]]) -> Outcome:
    bad = [job for job in jobs if job["state"] != JobState.COMPLETED]
    errors = [f"{job['type']} {job['state']}: {job['error'] or 'no reason given'}" for job in bad]
    return Outcome(not bad, run_id, "; ".join(errors) or None, jobs)


class Lines:
    """For a log: a line whenever a job's state changes, and one for each running job every ten seconds."""

    def __init__(self, out: TextIO | None = None, every_seconds: float = LINE_SECONDS) -> None:
        self._out = out or sys.stderr
        self._every = every_seconds
        self._told: dict[str, tuple[str, float]] = {}

    def show(self, jobs: list[dict[str, Any]]) -> None:
        """Say what is new."""
        now = time.monotonic()
        for job in jobs:
            state, told_at = self._told.get(job["id"], ("", now))
            moves = job["state"] == JobState.PROCESSING
            if job["state"] != state or (moves and now - told_at >= self._every):
                self._told[job["id"]] = (job["state"], now)
                if job["state"] != JobState.BLOCKED:
                    print(f"{job['type']}: {job['state']}, {items(job)}", file=self._out, flush=True)

    def tell(self, sentence: str) -> None:
        """Say something else meanwhile."""
        print(sentence, file=self._out, flush=True)

    def end(self) -> None:
        """Nothing is left open."""


class Bars:
    """For a terminal: one line per job, drawn over itself."""

    def __init__(self, out: TextIO | None = None, *, colour: bool = True) -> None:
        self._out = out or sys.stderr
        self._colour = colour
        self._drawn = 0
        self._began: dict[str, float] = {}
        self._told: list[str] = []

    def show(self, jobs: list[dict[str, Any]]) -> None:
        """Draw the jobs as they stand."""
        lines = [self._line(job) for job in jobs]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        told, self._told = self._told, []
        self._out.write(up + "".join(f"\r\x1b[K{line}\n" for line in [*told, *lines]))
        self._out.flush()
        self._drawn = len(lines)

    def tell(self, sentence: str) -> None:
        """Say something else, above the bars, when they are next drawn."""
        self._told.append(sentence)

    def end(self) -> None:
        """Leave what is drawn."""
        self._drawn = 0

    def _line(self, job: dict[str, Any]) -> str:
        done, total, state = job["processed_items"], job["total_items"], job["state"]
        part = 1.0 if state == JobState.COMPLETED else min(done / total, 1.0) if total else 0.0
        bar = ("█" * round(part * BAR_WIDTH)).ljust(BAR_WIDTH, "░")
        colour = {JobState.COMPLETED: GREEN, JobState.FAILED: RED}.get(state, "") if self._colour else ""
        return f"{job['type']:<19} {colour}{bar}{RESET if colour else ''} {state:<10} {items(job)}{self._left(job)}"

    def _left(self, job: dict[str, Any]) -> str:
        if job["state"] != JobState.PROCESSING or not job["total_items"] or not job["processed_items"]:
            return ""
        began = self._began.setdefault(job["id"], time.monotonic())
        rate = job["processed_items"] / max(time.monotonic() - began, LOOK_SECONDS)
        return f", {rate:.0f}/s, {(job['total_items'] - job['processed_items']) / rate:.0f} s left"


def items(job: dict[str, Any]) -> str:
    """How far a job is, in words."""
    total = f" of {job['total_items']}" if job["total_items"] is not None else ""
    return f"{job['processed_items']}{total} items"


def progress(every_seconds: float = LINE_SECONDS) -> Lines | Bars:
    """What fits stderr; ``NO_COLOR`` and dumb terminals are honoured. In a log a running job has a line every so often."""
    if sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb"):
        return Bars(colour=not os.environ.get("NO_COLOR"))
    return Lines(every_seconds=every_seconds)
