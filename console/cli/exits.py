"""How a command ends: the exit codes, and which error means which."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from capture.errors import CaptureError, Refused, SystemFault


class ExitCode(IntEnum):
    """What a script can rely on."""

    OK = 0
    FAILED = 1
    REFUSED = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    CONFLICT = 5
    TIMEOUT = 6
    INTERRUPTED = 130


ENDINGS = {
    ExitCode.OK: "it went well",
    ExitCode.FAILED: "a job failed, or something is unhealthy",
    ExitCode.REFUSED: "bad usage, input or settings; nothing was done",
    ExitCode.UNREACHABLE: "PostgreSQL, or Redis where it is needed, cannot be reached",
    ExitCode.NOT_FOUND: "there is no such job or repository",
    ExitCode.CONFLICT: "it is not possible in the present state",
    ExitCode.TIMEOUT: "it took too long",
    ExitCode.INTERRUPTED: "interrupted",
}


class Failed(CaptureError):
    """It did not go well."""


class NotFound(CaptureError):
    """There is no such thing."""


class Conflict(CaptureError):
    """It is not possible now."""


class TimedOut(CaptureError):
    """It took too long."""


class Ending(NamedTuple):
    """An exit code with its sentence."""

    code: ExitCode
    sentence: str


CODES: tuple[tuple[type[CaptureError], ExitCode], ...] = (
    (Refused, ExitCode.REFUSED),
    (NotFound, ExitCode.NOT_FOUND),
    (Conflict, ExitCode.CONFLICT),
    (TimedOut, ExitCode.TIMEOUT),
    (SystemFault, ExitCode.UNREACHABLE),
    (CaptureError, ExitCode.FAILED),
)
#: Names of foreign errors: their packages are not imported for the sake of a code.
LOST = frozenset({"OperationalError", "InterfaceError", "MaxConnectionsExceeded", "ConnectionError", "TimeoutError"})


def ending_of(error: Exception) -> Ending | None:
    """How an error ends a command; None for what is a fault of ours and should show its trace."""
    for kind, code in CODES:
        if isinstance(error, kind):
            return Ending(code, str(error))
    names = {one.__name__: one.__module__.partition(".")[0] for one in type(error).__mro__}
    words = " ".join(str(error).split())
    if "QueryCanceled" in names or "canceling statement due to statement timeout" in words:
        return Ending(ExitCode.TIMEOUT, "The database took too long: narrow down what is asked for.")
    for name, package in names.items():
        if name in LOST and package in ("psycopg2", "peewee", "playhouse"):
            return Ending(ExitCode.UNREACHABLE, f"PostgreSQL cannot be reached: {words}")
        if name in LOST and package == "redis":
            return Ending(ExitCode.UNREACHABLE, f"Redis cannot be reached: {words}")
    return None
