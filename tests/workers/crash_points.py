"""The capture actors in a process that kills itself at a named point: `python -m console.worker_process tests.workers.crash_points`.

``CRASH_POINT`` is one of the points below, ``CRASH_ACTOR`` the job type whose run dies, ``CRASH_PAGE`` after how many pages of that
type in this process. ``CRASH_ONCE`` is a file that the first to die creates: processes that find it live on. With
``CRASH_SIGNAL=SIGSTOP`` a process does not die but freezes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import actors
from capture.checkpoint import PageCommit
from capture.current import find_current_job
from capture.github.transport import Transport
from ledger.run import Run
from models import moves

__all__ = ["actors"]

POINT = os.environ["CRASH_POINT"]
ACTOR = os.environ["CRASH_ACTOR"]
PAGE = int(os.environ.get("CRASH_PAGE", "2"))
ONCE = os.environ["CRASH_ONCE"]
SIGNAL = signal.Signals[os.environ.get("CRASH_SIGNAL", "SIGKILL")]
committed_pages = 0


def crash(point: str, actor: str | None) -> None:
    """Die here, as by kill -9, if this is the point; once among all processes."""
    if point != POINT or actor != ACTOR:
        return
    try:
        os.close(os.open(ONCE, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), SIGNAL)


def in_page(point: str) -> None:
    """A point within a page: only once enough pages were committed."""
    job = find_current_job()
    if job is not None and committed_pages >= PAGE:
        crash(point, job.actor_name)


def around_request(send: Callable[..., Any]) -> Callable[..., Any]:
    def sent(self: Transport, *args: Any, **kwargs: Any) -> Any:
        in_page("before the request")
        reply = send(self, *args, **kwargs)
        in_page("after the reply")
        return reply

    return sent


def around_page(page: Callable[..., Any]) -> Callable[..., Any]:
    @contextmanager
    def paged(self: Run, name: str) -> Iterator[list[PageCommit]]:
        global committed_pages
        with page(self, name) as commits:
            yield commits
            in_page("rows written")
        committed_pages += self.actor_name == ACTOR
        in_page("committed")

    return paged


def around_finish(finish: Callable[..., set[str]]) -> Callable[..., set[str]]:
    def finished(execute: Any, finishes: Sequence[moves.Finish], **options: Any) -> set[str]:
        ids = [one.job_id for one in finishes if one.who != "leader" and one.decision.status == "completed"]
        rows = execute("SELECT actor FROM progressive_capture_jobs WHERE id = ANY(%(ids)s::uuid[])", {"ids": ids})
        for (actor,) in rows:
            crash("finish computed", actor)
        won = finish(execute, finishes, **options)
        for (actor,) in rows:
            crash("finish committed", actor)
        return won

    return finished


Transport.send = around_request(Transport.send)  # type: ignore[method-assign]
Run.page = around_page(Run.page)  # type: ignore[method-assign]
moves.finish = around_finish(moves.finish)
