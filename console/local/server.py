"""One embedded server: started, asked whether it answers, stopped, killed."""

from __future__ import annotations

import abc
import contextlib
import functools
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

from capture.errors import SystemFault
from console.local import binaries
from console.local.account import Starter
from console.local.home import Home

START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOG_BYTES = 10_000_000


class Server(abc.ABC):
    """A process whose data and address stay the same however often it is stopped, killed and started.

    Whether it lives is found out by connecting: a pid may be a zombie's, or by now somebody else's.
    """

    name: str
    #: Ends the server in order, with everything on disk.
    stop_signal: signal.Signals

    def __init__(self, home: Home, starter: Starter) -> None:
        self.home = home
        self.folder = home.folder(self.name)
        self.log = self.folder / "server.log"
        self._starter = starter
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The main process's id; None while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make the data directory ready; no process of an earlier server is left."""

    @functools.cached_property
    def program(self) -> Path:
        """The server's program, found once: a look-up tries to run it."""
        return self.find_program()

    @abc.abstractmethod
    def find_program(self) -> Path:
        """The server's program; raises :class:`Refused` with what to install."""

    @abc.abstractmethod
    def arguments(self) -> list[str]:
        """The server's arguments; paths are relative to :attr:`working_folder`."""

    @property
    @abc.abstractmethod
    def working_folder(self) -> Path:
        """Where the server runs: relative paths from here need no right on the directories above."""

    @abc.abstractmethod
    def is_answering(self) -> bool:
        """Whether the server answers a connection this moment."""

    def after_start(self) -> None:
        """What is done once the server answers."""
        return

    def start(self) -> None:
        """Start and wait until the server answers; raises :class:`SystemFault` with its last words where it does not."""
        if self.pid is not None:
            return
        inherited = [self.home.wait_for_server_lock(self.name)]
        try:
            self.prepare()
            held = binaries.hold(self.program)
            inherited += [held] if held is not None else []
            command = self.home.account.command([str(self.program), *self.arguments()], self.stop_signal)
            with self._open_log() as log:
                self._process = self._starter.start(
                    command, cwd=self.working_folder, log=log, inherited=tuple(inherited)
                )
        finally:
            for descriptor in inherited:
                os.close(descriptor)
        self._await_answer()
        self.after_start()

    def stop(self) -> None:
        """End the server in order; by force if that takes more than half a minute."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End the server as ``kill -9`` does, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def restart_immediate(self) -> None:
        """Start again as after a crash: nothing was written out in order."""
        self.kill()
        self.start()

    def _end(self, signal_: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal_)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _await_answer(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self.is_answering():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise SystemFault(f"{self.name} did not start: {self._last_words()} (more in {self.log})")
            time.sleep(0.005)

    def _open_log(self) -> BinaryIO:
        """The log to append to; the one before is kept once it has grown large."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.rename(self.log.with_suffix(".log.1"))
        is_new = not self.log.exists()
        # As root we write in a folder that is not root's: no link is followed out of it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        log = os.fdopen(os.open(self.log, flags, 0o600), "ab")
        if is_new:
            self.home.account.own(self.log)
        return log

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        telling = [line for line in lines if "FATAL" in line or "ERROR" in line or "error" in line.lower()]
        return (telling or lines or ["it said nothing"])[-1]
