"""Finishes: one thread per process ends runs in batches, and does not rest until each answer is known."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import peewee
import psycopg2
from playhouse.pool import MaxConnectionsExceeded

from models import moves
from models.database import execute
from models.moves import Failure, Finish

log = logging.getLogger(__name__)
MAX_BATCH = 500
#: Seconds between tries while the database is away.
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0
#: How often a waiting finish looks whether the process is to end.
LOOK_SECONDS = 1.0
#: What the database, or the way to it, may say and what passes. Everything else is a row's own fault: the batch is halved down to it.
PASSING = (
    peewee.OperationalError,
    peewee.InterfaceError,
    peewee.InternalError,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    psycopg2.InternalError,
    MaxConnectionsExceeded,
    OSError,
)


class Ending:
    """A finish on its way: set when known, with whether it won."""

    def __init__(self, finish: Finish) -> None:
        self.finish = finish
        self.won = False
        self.known = threading.Event()

    def tell(self, won: bool) -> None:
        """The answer is known."""
        self.won = won
        self.known.set()


class Committer:
    """Natural batching: what was finished while the last commit was in flight goes next, without a timer."""

    def __init__(self, *, seconds_per_point: float, on_commit: Callable[[], None]) -> None:
        self._seconds_per_point = seconds_per_point
        self._on_commit = on_commit
        self._endings: queue.SimpleQueue[Ending | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._leave_at: float | None = None
        self._thread = threading.Thread(target=self._work, name="capture-committer", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Commit what is queued, for up to ``seconds``; what is left then is found by the next rescue."""
        self._endings.put(None)
        self._thread.join(seconds)

    def finish(self, finish: Finish) -> bool:
        """End a run; returns, once it is known, whether the run still held its job. Waits through a database restart."""
        ending = Ending(finish)
        self._endings.put(ending)
        while not ending.known.wait(LOOK_SECONDS):
            if self._over.is_set() or (self._leave_at is not None and time.monotonic() > self._leave_at):
                return False
        return ending.won

    def leave_within(self, seconds: float) -> None:
        """The process is to end: a finish whose answer is not known by then is left to the next rescue."""
        self._leave_at = time.monotonic() + seconds

    def _work(self) -> None:
        stopping = False
        while not stopping:
            batch = [self._endings.get()]
            while len(batch) < MAX_BATCH and not self._endings.empty():
                batch.append(self._endings.get())
            stopping = None in batch
            endings = [ending for ending in batch if ending is not None]
            if endings:
                self._commit(endings)
                self._tell_of_it()
        self._over.set()

    def _tell_of_it(self) -> None:
        try:
            self._on_commit()
        except Exception as error:  # the leader looks by itself; this thread must live
            log.warning("The leader could not be woken: %s", error)

    def _commit(self, endings: Sequence[Ending]) -> None:
        wait, asked = FIRST_WAIT, False
        while True:
            try:
                won = self._write([ending.finish for ending in endings], look_up=asked)
            except Exception as error:  # whatever the database says, the finish goes on waiting
                if _is_of_the_data(error):
                    self._bisect(endings, error)
                    return
                log.warning("The end of %d runs waits for the database: %s", len(endings), str(error).strip())
                asked = True
                time.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
                continue
            for ending in endings:
                ending.tell(ending.finish.job_id in won)
            return

    def _write(self, finishes: Sequence[Finish], *, look_up: bool) -> set[str]:
        won = moves.finish(execute, finishes, seconds_per_point=self._seconds_per_point)
        missing = [finish for finish in finishes if finish.job_id not in won]
        # An earlier try may have been committed though its answer was lost: the log says whose the move was.
        return won | moves.won_after_all(execute, missing) if missing and look_up else won

    def _bisect(self, endings: Sequence[Ending], error: Exception) -> None:
        if len(endings) > 1:
            half = len(endings) // 2
            self._commit(endings[:half])
            self._commit(endings[half:])
            return
        (ending,) = endings
        if ending.finish.failure is not None and ending.finish.failure.error_class == type(error).__name__:
            log.critical("The end of job %s cannot be stored: %s", ending.finish.job_id, error)
            ending.tell(won=False)
            return
        safe = Failure(
            type(error).__name__, "The end of the run could not be stored as it was.", None, "unstorable-finish"
        )
        ending.finish = replace(
            ending.finish, failure=safe, metadata=None, why="the finish held what the database refuses"
        )
        self._commit([ending])


def _is_of_the_data(error: Exception) -> bool:
    """Whether a row is at fault. A session that is cut raises, beside the named errors, the plain DatabaseError."""
    return not isinstance(error, PASSING) and type(error) not in (peewee.DatabaseError, psycopg2.DatabaseError)
