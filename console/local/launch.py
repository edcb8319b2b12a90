"""Run as a script between supervisor and server: becomes the server's user, ties its life to ours, starts the server.

A process of its own, because running Python between fork and exec is unsafe while other threads of ours hold locks.
Arguments: the supervisor's pid, the signal for the server when the supervisor dies, uid and gid (-1: unchanged), the command.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the command; does not return."""
    parent, signal_number, uid, gid = map(int, arguments[:4])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user, which would clear it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        sys.exit(1)
    try:
        os.execv(arguments[4], arguments[4:])  # noqa: S606 — there is no shell to want
    except OSError as error:
        sys.exit(f"{arguments[4]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
