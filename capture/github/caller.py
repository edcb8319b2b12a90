"""One call to GitHub as an identity: reserve, ask, settle, and rest when told to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from capture.clock import Clock
from capture.errors import CaptureError, RateLimited
from capture.github.budget import Budget, Resource
from capture.github.identities import Identities, Identity
from capture.github.replies import Reply
from capture.github.transport import Transport

log = logging.getLogger(__name__)

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What telemetry may know of one call."""

    operation: str
    """The query's name, or the REST list's."""
    status: int | None
    """None where no reply came."""
    seconds: float
    points: int
    """What GitHub charged: GraphQL's own figure, 1 for a REST request, 0 where it does not say."""
    identity: str
    error: str | None = None
    """The class of the error that the call ended with."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to send, and what it will cost."""

    operation: str
    url: str
    resource: Resource
    points: int = 1
    body: bytes | None = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """A body makes it a POST."""
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True, slots=True)
class Answer(Generic[Content]):
    """What a reply was read as, its price and how long it took."""

    content: Content
    points: int
    seconds: float


class Caller:
    """Makes calls; safe between threads. No error that leaves it holds a token, whatever the server echoes."""

    def __init__(
        self,
        transport: Transport,
        identities: Identities,
        budget: Budget,
        clock: Clock,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self._transport = transport
        self._identities = identities
        self._budget = budget
        self._clock = clock
        self._on_call = on_call

    def call(self, request: Request, read: Callable[[Reply, str], Answer[Content]]) -> Answer[Content]:
        """Send once and ``read`` the reply, given with the identity's name; raises what either raises."""
        with self._identities.hold(request.resource, request.points) as identity:
            started = self._clock.monotonic()
            reply: Reply | None = None
            points, failure = 0, None
            try:
                reply = self._transport.send(
                    request.operation, request.method, request.url, token=identity.token, body=request.body
                )
                self._settle(request, identity, reply)
                answer = read(reply, identity.name)
                points = answer.points
            except CaptureError as error:
                failure = type(error).__name__
                _mask(error, identity)
                if isinstance(error, RateLimited):
                    self._rest(request, identity, reply, error)
                raise
            else:
                return answer
            finally:
                seconds = self._clock.monotonic() - started
                status = reply.status if reply else None
                self._report(CallRecord(request.operation, status, seconds, points, identity.name, failure))

    def _settle(self, request: Request, identity: Identity, reply: Reply) -> None:
        quota = reply.quota()
        if quota is None:
            return
        self._budget.settle(identity.name, quota.limit, quota.remaining, quota.reset_seconds, resource=request.resource)
        if quota.remaining <= 0 and quota.reset_seconds > 0:
            self._budget.block(identity.name, reply.rest_seconds(), "the budget is spent", resource=request.resource)

    def _rest(self, request: Request, identity: Identity, reply: Reply | None, error: RateLimited) -> None:
        """A spent budget rests one resource; a secondary limit, which counts both together, rests the identity."""
        is_primary = reply is not None and reply.is_spent() and "secondary" not in str(error).lower()
        resource = request.resource if is_primary else None
        self._budget.block(identity.name, error.seconds, str(error), resource=resource)

    def _report(self, record: CallRecord) -> None:
        if self._on_call is None:
            return
        try:
            self._on_call(record)
        except Exception:
            log.exception("The observer of calls to GitHub failed.")


def _mask(error: CaptureError, identity: Identity) -> None:
    if identity.token and identity.token in str(error):
        error.args = (str(error).replace(identity.token, "***"),)
