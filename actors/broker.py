"""The composition root: settings, database, broker and middleware are wired here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, ParamSpec, TypeVar, cast

import dramatiq

from capture.errors import Refused, SystemFault
from capture.job_types import JOB_TYPES, JobType
from capture.priority import BULK
from capture.settings import Settings
from ledger.actor import LedgerActor, refuse_replaced
from ledger.broker import LedgerBroker
from middleware import stack
from middleware.reporting import start_reporting
from models.database import connect, database

P = ParamSpec("P")
R = TypeVar("R")
OURS = frozenset({"timeout_minutes", "max_items", "retryable", "priority", "unique", "payload_version", "parameters"})


@cache
def settings() -> Settings:
    """The process's settings, read once, when first needed."""
    return Settings.load()


def open_database() -> None:
    """Point the pool at the database of the settings; raises with what to do where none is set."""
    found = settings()
    if found.database_url is None:
        raise SystemFault(
            "DATABASE_URL is not set: set it to your PostgreSQL, or use `capture up`, which prints the one it starts."
        )
    connect(
        found.database_url,
        pool_max=found.db_pool_max,
        idle_seconds=found.db_pool_idle_timeout_ms / 1000,
        acquire_seconds=found.db_pool_acquire_timeout_ms / 1000,
        connect_seconds=found.db_connect_timeout_ms / 1000,
    )


start_reporting(settings())
database.configure_with(open_database)
broker = LedgerBroker(settings, stack())
dramatiq.set_broker(broker)


def actor(
    *, queue_name: str = BULK, actor_name: str | None = None, **options: Any
) -> Callable[[Callable[P, R]], LedgerActor[P, R]]:
    """Declare an actor on our broker: Dramatiq's decorator with ``timeout_minutes, max_items, retryable, priority, unique``.

    A capture type's configuration is its row in :data:`capture.job_types.JOB_TYPES`. An actor with a queue name of its own keeps to that
    queue; the others are routed by why and how urgently they are sent.
    """

    def declare(fn: Callable[P, R]) -> LedgerActor[P, R]:
        name = actor_name or fn.__name__
        refuse_replaced(options, name)
        unknown = set(options) - OURS
        if unknown:
            raise Refused(
                f"{name} was declared with unknown options: {', '.join(sorted(unknown))}; there are {', '.join(sorted(OURS))}."
            )
        base = JOB_TYPES.get(name) or JobType(timeout_minutes=settings().job_timeout_minutes)
        return cast(
            "LedgerActor[P, R]",
            LedgerActor(
                fn,
                broker=broker,
                actor_name=name,
                queue_name=queue_name,
                priority=0,
                options={"job_type": replace(base, **options)},
            ),
        )

    return declare
