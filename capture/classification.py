"""One function says what kind of end an exception is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import peewee
import psycopg2
import redis
import urllib3

from capture.current import NoCurrentJob
from capture.errors import Deferred, Interrupted, Permanent, Refused, SystemFault, Transient
from capture.retry import Kind

Classifier = Callable[[BaseException], Kind | None]
_added: list[Classifier] = []

#: In order: the first that fits decides. Our own database and Redis are system faults; what they say about our data is our own error.
RULES: Final[tuple[tuple[tuple[type[BaseException], ...], Kind], ...]] = (
    ((Interrupted,), Kind.INTERRUPTED),
    ((Deferred,), Kind.DEFERRED),
    ((Permanent, Refused), Kind.PERMANENT),
    ((Transient,), Kind.TRANSIENT),
    ((SystemFault, NoCurrentJob), Kind.SYSTEM),
    ((peewee.DataError, peewee.IntegrityError, peewee.ProgrammingError), Kind.PERMANENT),
    ((psycopg2.DataError, psycopg2.IntegrityError, psycopg2.ProgrammingError), Kind.PERMANENT),
    # MaxConnectionsExceeded is a ValueError of the pool: it is exhausted, which passes.
    ((peewee.PeeweeException, psycopg2.Error, redis.RedisError), Kind.SYSTEM),
    ((urllib3.exceptions.HTTPError, ConnectionError, TimeoutError), Kind.TRANSIENT),
    ((MemoryError, OSError), Kind.SYSTEM),
    ((TypeError, AttributeError, NameError, AssertionError, ImportError, NotImplementedError), Kind.PERMANENT),
)


def add_classifier(classifier: Classifier) -> None:
    """Let a job type classify errors of its own: a kind, or None for what it does not know."""
    _added.append(classifier)


def classify(exception: BaseException) -> Kind:
    """The kind of end that ``exception`` is; what nobody knows is transient, and the failure keeps its class and trace."""
    for classifier in _added:
        kind = classifier(exception)
        if kind is not None:
            return kind
    if type(exception).__name__ == "MaxConnectionsExceeded":
        return Kind.SYSTEM
    for classes, kind in RULES:
        if isinstance(exception, classes):
            return kind
    return Kind.TRANSIENT
