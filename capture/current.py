"""The job that the present thread runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

from capture.checkpoint import Checkpoint
from capture.errors import CaptureError
from capture.priority import Facts


class NoCurrentJob(CaptureError):
    """There is no current job: actors run only what a worker has claimed; use .send(...) instead of calling them."""


class CurrentJob(Protocol):
    """What an actor may ask of its job."""

    @property
    def job_id(self) -> str:
        """The job's id, which is its message's id."""

    @property
    def epoch(self) -> int:
        """The number of this run."""

    @property
    def actor_name(self) -> str:
        """The job type."""

    @property
    def capture_run_id(self) -> str | None:
        """The capture run that the job belongs to."""

    @property
    def facts(self) -> Facts:
        """Why and how urgently the job was asked for; what it sends inherits them."""

    def checkpoint(self, name: str) -> Checkpoint:
        """The named step as last committed."""


_current: ContextVar[CurrentJob | None] = ContextVar("capture_current_job", default=None)


def current_job() -> CurrentJob:
    """The job that this thread runs; raises :class:`NoCurrentJob` outside of a run."""
    job = _current.get()
    if job is None:
        raise NoCurrentJob
    return job


def find_current_job() -> CurrentJob | None:
    """The job that this thread runs, or None."""
    return _current.get()


def set_current_job(job: CurrentJob | None) -> None:
    """Set by the engine around a run."""
    _current.set(job)
