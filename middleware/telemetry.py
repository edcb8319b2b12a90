"""Telemetry: what a worker logs carries no secret, and an end of a run that is no error is not logged as one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import dramatiq
from dramatiq.middleware import Middleware

from capture.failures import scrub

if TYPE_CHECKING:
    from dramatiq.broker import Broker


class Scrub(logging.Filter):
    """Removes secrets from a record's message and trace before a handler formats it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub; every record passes."""
        record.msg, record.args = scrub(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = scrub(record.exc_text)
        return True


class Telemetry(Middleware):
    """Puts the scrubbing filter on every handler of the process."""

    def after_process_boot(self, broker: Broker) -> None:
        """Dramatiq has set its handlers up by now."""
        del broker
        scrub_handlers()

    def before_worker_boot(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """A worker inside another program: whatever handlers that has."""
        del broker, worker
        scrub_handlers()


def scrub_handlers() -> None:
    """Scrub what the root logger's handlers write."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, Scrub) for one in handler.filters):
            handler.addFilter(Scrub())
