"""Capture runs: one pass over one repository, from the fan-out until each of its jobs is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from capture.errors import Deferred
from capture.ids import new_id
from models.database import execute

#: One open run per repository. Opening it again from the same job is the same run.
OPEN: Final = """
INSERT INTO progressive_capture_capture_runs AS r (id, repository, repository_id, since_days, opened_by)
VALUES (%(id)s::uuid, %(repository)s, %(repository_id)s, %(since_days)s, %(job)s::uuid)
ON CONFLICT (lower(repository)) WHERE closed_at IS NULL DO UPDATE SET opened_by = r.opened_by
RETURNING id::text, opened_by::text
"""
OF_JOB: Final = """
id = (SELECT (checkpoint_data #>> '{opened,cursor}')::uuid FROM progressive_capture_progress WHERE job_id = %(value)s::uuid)
"""
FIND: Final = """
SELECT id::text, repository, since_days, status, error, opened_by::text, opened_at, closed_at
FROM progressive_capture_capture_runs WHERE {condition} ORDER BY opened_at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class CaptureRun:
    """A row of the capture runs."""

    id: str
    repository: str
    since_days: int | None
    status: str
    error: str | None
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None

    @staticmethod
    def open(repository: str, repository_id: int, since_days: int | None, job_id: str) -> str:
        """Open a run; returns its id. Raises ``Deferred`` while another is open. Inside the caller's transaction."""
        params: dict[str, Any] = {"id": new_id(), "repository": repository, "repository_id": repository_id}
        found, opened_by = execute(OPEN, params | {"since_days": since_days, "job": job_id})[0]
        if opened_by != job_id:
            raise Deferred(
                f"Another capture run of {repository} is open; this one begins when that is closed.", seconds=5
            )
        return str(found)

    @classmethod
    def of_job(cls, job_id: str) -> CaptureRun | None:
        """The run that a `capture_repository` job opened; None before it did."""
        return cls._find(OF_JOB, job_id)

    @classmethod
    def latest(cls, repository: str) -> CaptureRun | None:
        """The newest run of ``owner/name``."""
        return cls._find("lower(repository) = lower(%(value)s)", repository)

    @classmethod
    def by_id(cls, run_id: str) -> CaptureRun | None:
        """The run of that id."""
        return cls._find("id = %(value)s::uuid", run_id)

    @classmethod
    def _find(cls, condition: str, value: str) -> CaptureRun | None:
        rows = execute(FIND.format(condition=condition), {"value": value})
        return cls(*rows[0]) if rows else None
