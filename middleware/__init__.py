"""What a run is guaranteed: one Dramatiq middleware per guarantee. This list is the only place where their order lives.

``before`` hooks run from top to bottom, ``after`` hooks from bottom to top.
"""

from __future__ import annotations

from dramatiq.middleware import Middleware

from .checkpoints import Checkpoints
from .dead_letters import DeadLetters
from .error_classification import ErrorClassification
from .leadership import Leadership
from .liveness import Liveness
from .reporting import Reporting
from .retries import Retries
from .shutdown import Shutdown
from .telemetry import Telemetry


def stack() -> list[Middleware]:
    """The middleware of a worker, a fresh list at each call."""
    return [
        Telemetry(),  # before anything is logged
        Liveness(),  # nothing is consumed before the worker is registered; last to sign off
        Leadership(),  # leads only in a registered process
        Shutdown(),  # before the run is started: a draining worker starts none
        Reporting(),  # after the decision, so that the event says what follows
        DeadLetters(),  # after the decision: was it given up?
        Retries(),  # after the kind is known: what follows?
        ErrorClassification(),  # after the run: what kind of end was it?
        Checkpoints(),  # nearest to the actor: it sees its job, and its return is judged first
    ]


__all__ = [
    "Checkpoints",
    "DeadLetters",
    "ErrorClassification",
    "Leadership",
    "Liveness",
    "Reporting",
    "Retries",
    "Shutdown",
    "Telemetry",
    "stack",
]
