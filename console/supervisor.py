"""The supervisor behind `capture worker`: keeps N worker processes running, replaces what dies, and records how it died."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)
#: Seconds before a process that died at once is replaced; doubles up to the longest while it keeps dying.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
#: A process that lived so long is taken for healthy again.
HEALTHY_SECONDS = 10.0
LOOK_SECONDS = 0.05


@dataclass
class Slot:
    """One place for a worker process, or for another that is kept alive beside them."""

    command: list[str]
    is_worker: bool = True
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    not_before: float = 0.0
    restarts: int = field(default=0)


class Supervisor:
    """Starts, watches, replaces and stops worker processes; it does nothing else, so that it does not die itself."""

    def __init__(
        self,
        *,
        processes: int,
        threads: int,
        drain_seconds: float,
        modules: Sequence[str] = ("actors",),
        queues: Sequence[str] = (),
        beside: Sequence[list[str]] = (),
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        log_to: IO[bytes] | None = None,
        on_end: Callable[[int, str], None] = lambda _pid, _cause: None,
    ) -> None:
        command = [sys.executable, "-m", "console.worker_process", *modules, "--threads", str(threads)]
        command += ["--drain-seconds", str(drain_seconds), "--parent", str(os.getpid())]
        command += ["--queues", *queues] if queues else []
        self._slots = [Slot(command) for _ in range(processes)] + [Slot(one, is_worker=False) for one in beside]
        self._environment = environment
        self._folder = folder
        self._log_to = log_to
        self._drain_seconds = drain_seconds
        self._on_end = on_end
        self._stopping = threading.Event()

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run now."""
        processes = [slot.process for slot in self._slots if slot.is_worker]
        return [process.pid for process in processes if process is not None and process.poll() is None]

    @property
    def restarts(self) -> int:
        """How many processes were replaced."""
        return sum(slot.restarts for slot in self._slots if slot.is_worker)

    @property
    def is_stopping(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopping.is_set()

    def run(self) -> None:
        """Keep the workers running until :meth:`stop`; must run in the thread that lives longest (they die with it)."""
        while not self._stopping.is_set():
            for slot in self._slots:
                self._look_after(slot)
            self._stopping.wait(LOOK_SECONDS)
        self._end_all()

    def stop(self) -> None:
        """Ask :meth:`run` to drain the workers and return."""
        self._stopping.set()

    def kill(self) -> None:
        """End what runs at once: a drain is not waited for."""
        for slot in self._slots:
            if slot.process is not None:
                slot.process.kill()

    def _start(self, slot: Slot) -> subprocess.Popen[bytes]:
        # In a process group of its own: a terminal's Ctrl-C comes to the supervisor alone, which then drains once.
        return subprocess.Popen(
            slot.command,
            stdin=subprocess.DEVNULL,
            stdout=self._log_to,
            stderr=self._log_to,
            env=self._environment,
            cwd=self._folder,
            process_group=0,
        )

    def _fill(self, slot: Slot) -> None:
        slot.started = time.monotonic()
        try:
            slot.process = self._start(slot)
        except OSError as error:
            log.warning("A process could not be started; it is tried again: %s", error)
            slot.pause = min(slot.pause * 2, LONGEST_PAUSE)
            slot.not_before = time.monotonic() + slot.pause

    def _look_after(self, slot: Slot) -> None:
        if slot.process is None:
            if time.monotonic() >= slot.not_before:
                self._fill(slot)
            return
        code = slot.process.poll()
        if code is None:
            return
        cause = cause_of(code)
        name = "Worker process" if slot.is_worker else "Process"
        log.warning("%s %d died (%s); it is replaced.", name, slot.process.pid, cause)
        if slot.is_worker:
            self._record(slot.process.pid, cause)
        healthy = time.monotonic() - slot.started > HEALTHY_SECONDS
        slot.pause = FIRST_PAUSE if healthy else min(slot.pause * 2, LONGEST_PAUSE)
        slot.not_before = time.monotonic() + slot.pause
        slot.process = None
        slot.restarts += 1

    def _end_all(self) -> None:
        running = [slot.process for slot in self._slots if slot.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        give_up = time.monotonic() + self._drain_seconds + 5
        for process in running:
            try:
                process.wait(max(give_up - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _record(self, pid: int, cause: str) -> None:
        try:
            self._on_end(pid, cause)
        except Exception as error:  # the worker is replaced all the same
            log.warning("How process %d died could not be recorded: %s", pid, error)


def stop_on_signals(supervisor: Supervisor) -> None:
    """Drain at the first SIGTERM or SIGINT; end at once at the second."""

    def on_signal(_number: int, _frame: object) -> None:
        if supervisor.is_stopping:
            supervisor.kill()
        supervisor.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def cause_of(code: int) -> str:
    """A process's return code in words."""
    if code < 0:
        try:
            return f"signal {signal.Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"


def host() -> str:
    """This machine's name, as its workers register it."""
    return socket.gethostname()
