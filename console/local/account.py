"""Whom the embedded servers run as, and how a program is started as that user."""

from __future__ import annotations

import os
import pwd
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from capture.errors import Refused

LAUNCHER = Path(__file__).with_name("launch.py")
#: What a server sees of our environment: nothing that could change where it writes or how it sorts.
SERVER_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin", "HOME": "/"}


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group; -1 where it is the user that we are."""

    uid: int = -1
    gid: int = -1

    @classmethod
    def for_home(cls, home: Path) -> Account:
        """Ourselves; where we are root, the owner of ``home``, and ``nobody`` where that is root too."""
        if os.geteuid() != 0:
            return cls()
        owner = home.stat()
        if owner.st_uid != 0:
            return cls(owner.st_uid, owner.st_gid)
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise Refused("As root, the embedded servers run as `nobody`, and this machine has no such user.") from None
        return cls(nobody.pw_uid, nobody.pw_gid)

    def own(self, path: Path) -> None:
        """Give ``path``, which we created, to this user."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def command(self, arguments: list[str], death_signal: signal.Signals = signal.SIGKILL) -> list[str]:
        """The command line that runs ``arguments`` as this user and sends it ``death_signal`` when our thread ends."""
        who = [str(os.getpid()), str(int(death_signal)), str(self.uid), str(self.gid)]
        return [sys.executable, "-I", "-S", str(LAUNCHER), *who, *arguments]

    def run(self, arguments: list[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run ``arguments`` to their end; the output holds both streams.

        ``cwd`` may lie below directories that are closed to this user: the change of directory comes before that of the user.
        """
        return subprocess.run(
            self.command(arguments),
            cwd=cwd,
            env=SERVER_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=120,
        )


class Starter:
    """A thread that starts processes and outlives its callers: the death signal follows the thread that started a process."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[
            tuple[Future[subprocess.Popen[bytes]], list[str], Path, IO[bytes], tuple[int, ...]]
        ]
        self._orders = queue.SimpleQueue()
        threading.Thread(target=self._work, name="server starter", daemon=True).start()

    def start(
        self, command: list[str], *, cwd: Path, log: IO[bytes], inherited: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """Start ``command`` in a session of its own, so that a Ctrl-C in our terminal does not reach it."""
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((answer, command, cwd, log, inherited))
        return answer.result()

    def _work(self) -> None:
        while True:
            answer, command, cwd, log, inherited = self._orders.get()
            try:
                answer.set_result(
                    subprocess.Popen(
                        command,
                        cwd=cwd,
                        env=SERVER_ENVIRONMENT,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                        pass_fds=inherited,
                    )
                )
            except BaseException as error:
                answer.set_exception(error)
