"""What kind of end each exception is."""

from __future__ import annotations

import peewee
import psycopg2
import psycopg2.errors
import pytest
import redis
import urllib3
from playhouse.pool import MaxConnectionsExceeded

from capture.classification import RULES, classify
from capture.current import NoCurrentJob
from capture.errors import Interrupted, Permanent, RateLimited, Refused, SystemFault, Transient
from capture.retry import Kind

KINDS = [
    (Interrupted("shutdown"), Kind.INTERRUPTED),
    (RateLimited(seconds=1), Kind.DEFERRED),
    (Permanent("gone"), Kind.PERMANENT),
    (Refused("no"), Kind.PERMANENT),
    (Transient("later"), Kind.TRANSIENT),
    (SystemFault("ours"), Kind.SYSTEM),
    (NoCurrentJob(), Kind.SYSTEM),
    (peewee.OperationalError("server closed the connection"), Kind.SYSTEM),
    (peewee.InterfaceError("connection already closed"), Kind.SYSTEM),
    (psycopg2.OperationalError("could not connect"), Kind.SYSTEM),
    (psycopg2.errors.DeadlockDetected("deadlock"), Kind.SYSTEM),
    (psycopg2.errors.SerializationFailure("serialization"), Kind.SYSTEM),
    (psycopg2.errors.LockNotAvailable("lock timeout"), Kind.SYSTEM),
    (MaxConnectionsExceeded("Max connections exceeded"), Kind.SYSTEM),
    (redis.ConnectionError("refused"), Kind.SYSTEM),
    (redis.TimeoutError("slow"), Kind.SYSTEM),
    (MemoryError(), Kind.SYSTEM),
    (OSError(28, "No space left on device"), Kind.SYSTEM),
    (peewee.IntegrityError("duplicate key"), Kind.PERMANENT),
    (peewee.DataError("value too long"), Kind.PERMANENT),
    (peewee.ProgrammingError("no such column"), Kind.PERMANENT),
    (psycopg2.errors.UniqueViolation("duplicate key"), Kind.PERMANENT),
    (TypeError("NoneType"), Kind.PERMANENT),
    (AssertionError(), Kind.PERMANENT),
    (ImportError("no module"), Kind.PERMANENT),
    (urllib3.exceptions.ProtocolError("broken body"), Kind.TRANSIENT),
    (urllib3.exceptions.ReadTimeoutError(None, None, "slow"), Kind.TRANSIENT),  # type: ignore[arg-type]
    (ConnectionResetError(), Kind.TRANSIENT),
    (TimeoutError(), Kind.TRANSIENT),
    (KeyError("new"), Kind.TRANSIENT),
    (RuntimeError("nobody knows"), Kind.TRANSIENT),
]


@pytest.mark.parametrize(("error", "kind"), KINDS, ids=lambda value: type(value).__name__)
def test_an_exception_is_of_the_kind_that_says_what_to_do_next(error, kind):
    assert classify(error) is kind


def test_every_rule_decides_something_that_no_earlier_rule_takes():
    decided = {one for classes, _ in RULES for one in classes}

    assert len(decided) == sum(len(classes) for classes, _ in RULES)
