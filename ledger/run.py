"""One run: a claimed job in a worker's hand, its fenced writes, and how it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from capture.checkpoint import Checkpoint, PageCommit, Step
from capture.errors import LeaseLost
from capture.job_types import JobType
from capture.priority import Facts
from capture.retry import Decision, History, Kind
from ledger.hands import Hands
from models import moves
from models.database import execute, transaction

SLICE_USED_UP = "its slice is used up"
TIME_USED_UP = "its time is used up"

#: Absolute counts of all steps, the step in hand and the page: one statement per commit.
SAVE_PAGE = """
WITH page AS (
    INSERT INTO progressive_capture_page_commits (job_id, step, walk, page, epoch, cursor, items, ids)
    VALUES (%(id)s::uuid, %(step)s, %(walk)s, %(page)s, %(epoch)s, %(cursor)s, %(items)s, %(ids)s::text[])
)
INSERT INTO progressive_capture_progress AS p
    (job_id, total_items, processed_items, failed_items, last_processed_id, checkpoint_data)
VALUES (%(id)s::uuid, %(total)s, %(processed)s, %(failed)s, %(last_id)s, %(steps)s::jsonb)
ON CONFLICT (job_id) DO UPDATE SET total_items = excluded.total_items, processed_items = excluded.processed_items,
    failed_items = excluded.failed_items, last_processed_id = coalesce(excluded.last_processed_id, p.last_processed_id),
    checkpoint_data = excluded.checkpoint_data, updated_at = clock_timestamp()
"""
FORGIVE = """
UPDATE progressive_capture_jobs SET failures_in_a_row = 0, faults_in_a_row = 0, updated_at = clock_timestamp() WHERE id = %(id)s::uuid
"""
DISTINCT_IDS = """
SELECT count(*) FROM (
    SELECT unnest(ids) FROM progressive_capture_page_commits WHERE job_id = %(id)s::uuid AND step = %(step)s AND walk = %(walk)s
    UNION SELECT unnest(%(ids)s::text[])) AS seen
"""


class Run:
    """What the actor sees as its current job, and what the middleware decides about."""

    def __init__(self, claimed: moves.Claimed, job_type: JobType, hands: Hands) -> None:
        self.claimed = claimed
        self.job_type = job_type
        self.hands = hands
        self.history = claimed.history
        self.started = False
        self.kind: Kind | None = None
        self.interrupted_by: str | None = None
        self.asked_seconds: float | None = None
        self.failure: moves.Failure | None = None
        self.decision: Decision | None = None
        self.metadata: dict[str, Any] = {}
        self.lost = False
        self._deadline = time.monotonic() + job_type.timeout_minutes * 60
        self._steps: dict[str, Step] | None = None
        self._items = 0
        self.pages = 0
        self._stop_requested: str | None = None

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self.claimed.id

    @property
    def epoch(self) -> int:
        """The number of this run."""
        return self.claimed.epoch

    @property
    def actor_name(self) -> str:
        """The job type's name."""
        return self.claimed.actor

    @property
    def capture_run_id(self) -> str | None:
        """The capture run that the job belongs to."""
        return self.claimed.capture_run_id

    @property
    def facts(self) -> Facts:
        """Why and how urgently it was asked for."""
        return self.claimed.facts

    @property
    def steps(self) -> dict[str, Step]:
        """Every step of the job, as last committed."""
        if self._steps is None and self.history.runs <= 1:
            self._steps = {}  # a first run finds no checkpoint: no need to ask
        if self._steps is None:
            rows = execute(
                "SELECT checkpoint_data FROM progressive_capture_progress WHERE job_id = %s::uuid", (self.job_id,)
            )
            self._steps = {name: Step.from_json(data) for name, data in rows[0][0].items()} if rows else {}
        return self._steps

    def checkpoint(self, name: str) -> Checkpoint:
        """The named step as last committed."""
        return Checkpoint(name, self)

    def step(self, name: str) -> Step:
        """The step as last committed; a fresh one where there is none yet."""
        return self.steps.get(name, Step())

    @contextmanager
    def page(self, name: str) -> Iterator[list[PageCommit]]:
        """A transaction that begins with the fence and ends with the checkpoint. Never retried in place."""
        commits: list[PageCommit] = []
        with transaction():
            self._stop_requested, failing = self._fence()
            yield commits
            steps = self.steps | {name: commits[0].step}
            self._save(commits[0], steps)
            forgiven = bool(failing) and commits[0].items > 0
            if forgiven:
                execute(FORGIVE, {"id": self.job_id})
        self._steps = steps
        self._items += commits[0].items
        self.pages += 1
        if forgiven:
            self.history = History(self.history.attempts, crashes=self.history.crashes, runs=self.history.runs)

    def distinct_ids(self, name: str, walk: int, ids: Iterable[str]) -> int:
        """How many distinct ids the walk has seen, the page in hand included."""
        return int(execute(DISTINCT_IDS, {"id": self.job_id, "step": name, "walk": walk, "ids": list(ids)})[0][0])

    def stop_reason(self) -> str | None:
        """Why to stop at this commit, or None."""
        if self._stop_requested:
            return self._stop_requested
        if self.hands.draining:
            return "the worker shuts down"
        if self.job_type.max_items is not None and self._items >= self.job_type.max_items:
            return SLICE_USED_UP
        return TIME_USED_UP if time.monotonic() > self._deadline else None

    def _fence(self) -> tuple[str | None, int]:
        rows = execute(moves.FENCE, {"id": self.job_id, "epoch": self.epoch})
        if not rows:
            raise LeaseLost
        return rows[0][0], rows[0][1]

    def _save(self, commit: PageCommit, steps: dict[str, Step]) -> None:
        totals = [step.total for step in steps.values() if step.total is not None]
        execute(
            SAVE_PAGE,
            {
                "id": self.job_id,
                "step": commit.step_name,
                "walk": commit.walk,
                "page": commit.page,
                "epoch": self.epoch,
                "cursor": commit.cursor,
                "items": commit.items,
                "ids": list(commit.ids),
                "total": sum(totals) if totals else None,
                "processed": sum(step.items for step in steps.values()),
                "failed": sum(step.failed for step in steps.values()),
                "last_id": commit.last_id,
                "steps": json.dumps({name: step.to_json() for name, step in steps.items()}),
            },
        )
