"""Every error of ours, by what to do next.

CaptureError
├── Transient         try again after a backoff; counts as an attempt
├── Permanent         give up at once: a dead letter holds why
├── Deferred          wait until the stored time; no attempt is used
│   └── RateLimited   because GitHub says so
├── SystemFault       our database, Redis or configuration: wait, alert; no attempt is used
├── Interrupted       stopped at a commit: goes on at once, elsewhere or later; no attempt is used
├── LeaseLost         the run is no longer ours: it wrote nothing and says nothing
└── Refused           bad input at the door: one sentence, nothing stored
"""

from __future__ import annotations


class CaptureError(Exception):
    """Something went wrong in progressive capture."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or type(self).__name__).split("\n", 1)[0])


class Transient(CaptureError):
    """It may work when tried again later."""

    def __init__(self, message: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the server wishes us to wait, if it said."""


class Permanent(CaptureError):
    """It will not work however often it is tried."""


class Deferred(CaptureError):
    """It has to wait for a known time."""

    def __init__(self, message: str | None = None, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
        """How long from now."""


class RateLimited(Deferred):
    """GitHub asks us to wait: by its own clock, reset minus the reply's ``Date``."""

    def __init__(self, message: str | None = None, *, seconds: float, identity: str = "") -> None:
        super().__init__(message, seconds=seconds)
        self.identity = identity
        """Which identity (never a token) is to rest."""


class SystemFault(CaptureError):
    """Our own database, Redis or configuration failed."""


class Interrupted(CaptureError):
    """The run stopped at a commit, to go on later."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The run stopped at a commit: {reason}.")
        self.reason = reason


class LeaseLost(CaptureError):
    """The job is no longer this run's: another run or an operator has it."""


class Refused(CaptureError, ValueError):
    """The request was refused."""
