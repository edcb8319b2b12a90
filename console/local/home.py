"""The directory that holds the embedded servers' state: who may use it, and short addresses for the sockets in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

from capture.errors import Refused, SystemFault
from console.local.account import Account

#: Bytes of a socket's address that the kernel takes.
ADDRESS_LIMIT = 107
#: How long the servers of a killed owner may take to end before a new owner gives up waiting for them.
TAKE_OVER_SECONDS = 30.0


class Home:
    """One owner at a time. Nothing that existed before is changed: no mode, no owner.

    ``lock`` belongs to the owner and is refused at once; a server's own lock is inherited by every process of the server, so
    that holding it proves that no process of an earlier one is left, whatever its pid says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.account = Account()
        self._lock: int | None = None
        self._aliases: Path | None = None
        self._hold: int | None = None

    def take(self) -> None:
        """Become the owner; raises :class:`Refused` where another process is, or where we may not write."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.account = Account.for_home(self.path)
            lock = self._open_lock("lock")
        except OSError as error:
            raise Refused(f"CAPTURE_HOME {self.path} cannot be used: {error.strerror}.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Refused(
                f"Servers in {self.path} are run by another process already: end it, or set CAPTURE_HOME."
            ) from None
        self._lock = lock

    def leave(self) -> None:
        """Let another process become the owner."""
        if self._aliases is not None:
            shutil.rmtree(self._aliases, ignore_errors=True)
            (self.path / "aliases").unlink(missing_ok=True)
        for descriptor in (self._hold, self._lock):
            if descriptor is not None:
                os.close(descriptor)
        self._aliases = self._hold = self._lock = None

    def folder(self, name: str) -> Path:
        """A private directory of the servers' user, made if it is not there."""
        folder = self.path / name
        if not folder.exists():
            folder.mkdir(mode=0o700)
            self.account.own(folder)
        return folder

    def wait_for_server_lock(self, name: str) -> int:
        """A descriptor, to be inherited by the server ``name`` and then closed; waits until an earlier server is wholly gone."""
        lock = self._open_lock(f"{name}.lock")
        deadline = time.monotonic() + TAKE_OVER_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise SystemFault(f"An earlier server in {self.path / name} does not end.") from None
                time.sleep(0.01)
            else:
                return lock

    def address(self, folder: Path, socket: str) -> Path:
        """``folder``, or a short alias of it where ``socket`` in it would be too long for the kernel."""
        if len(os.fsencode(folder / socket)) <= ADDRESS_LIMIT:
            return folder
        alias = self._alias_folder() / folder.name
        if not alias.is_symlink():
            alias.symlink_to(folder)
        if len(os.fsencode(alias / socket)) > ADDRESS_LIMIT:
            raise Refused(f"Sockets need a shorter path than {alias}: set TMPDIR or CAPTURE_HOME.")
        return alias

    def _alias_folder(self) -> Path:
        """A private directory with a short name, the one that an owner before us recorded where it is still good."""
        if self._aliases is None:
            record = self.path / "aliases"
            recorded = Path(record.read_text("utf-8")) if record.exists() else None
            if recorded is None or not _is_private(recorded):
                recorded = Path(tempfile.mkdtemp(prefix="capture-"))
                record.write_text(str(recorded), "utf-8")
            for stale in recorded.iterdir():
                stale.unlink()
            # Cleaners of temporary files leave alone what is locked.
            self._hold = os.open(recorded, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._hold, fcntl.LOCK_SH | fcntl.LOCK_NB)
            self._aliases = recorded
        return self._aliases

    def _open_lock(self, name: str) -> int:
        path = self.path / name
        is_new = not path.exists()
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if is_new and self.path.stat().st_uid == self.account.uid:
            self.account.own(path)
        return lock


def _is_private(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return not folder.is_symlink() and status.st_uid == os.geteuid() and status.st_mode & 0o7777 == 0o700
