"""The API itself: every request passes identity, record, hold, limits and faults before it is answered."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope, Send

from .bodies import Bodies
from .delivery import Reply, deliver
from .execution import Context, Engine, Request
from .faults import DOCS, JSON, RATE_WORDS, SECONDARY_WORDS, Fault, Faults
from .journal import Entry, Holds, Journal
from .limits import ANONYMOUS, CORE, GRAPHQL, Accounts, Identity, Limits
from .rest import Call, RestRefusalError, route
from .schema import load_schema
from .things import Person
from .world import World

GRAPHQL_PATHS = ("/graphql", "/api/graphql")
ENTERPRISE = "/api/v3"
Answer = tuple[int, Any, str, dict[str, str]]
"""Status, body, content type and further headers."""
FREE = ("rate_limit", "unknown")


@dataclass(slots=True)
class Asked:
    """A request that was understood: how to name it in the log and how to answer it."""

    identity: Identity
    entry: Entry
    resource: str
    graphql: Request | None = None
    call: Call | None = None
    token_is_bad: bool = False


class Api:
    """An ASGI application that answers as GitHub would."""

    def __init__(self, world: World, limits: Limits, latency_seconds: float = 0) -> None:
        self.world = world
        self.accounts = Accounts(limits)
        self.engine = Engine(load_schema(), world)
        self.journal, self.holds, self.faults = Journal(), Holds(), Faults()
        self.latency_seconds = latency_seconds
        self.compute_limit_nodes: int | None = None
        self.bad_tokens: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        http = HttpRequest(scope, receive)
        body = await http.body()
        begun = time.monotonic()
        asked = self._understand(http, body)
        identity, entry = asked.identity, asked.entry
        identity.in_flight += 1
        entry.concurrent = identity.in_flight
        self.journal.entries.append(entry)
        try:
            await self.holds.pass_by(entry)
            fault = self.faults.take(entry)
            if fault is not None:
                entry.fault = fault.kind
            if self.latency_seconds:
                await asyncio.sleep(self.latency_seconds)
            reply = self._answer(asked, fault, http)
            entry.status = reply.status
            entry.seconds = time.monotonic() - begun
            await deliver(reply, scope, send, fault)
        finally:
            identity.in_flight -= 1

    def _understand(self, http: HttpRequest, body: bytes) -> Asked:
        token = http.headers.get("authorization", "").partition(" ")[2].strip() or None
        identity = self.accounts.identity(token)
        path = http.url.path
        is_graphql = path in GRAPHQL_PATHS
        entry = Entry(
            n=len(self.journal.entries) + 1,
            at=self.accounts.now(),
            kind="graphql" if is_graphql else "rest",
            path=path,
            identity=identity.name,
        )
        asked = Asked(identity, entry, GRAPHQL if is_graphql else CORE)
        entry.blocked = self.accounts.is_waiting(identity, asked.resource)
        if token is not None and identity.name in self.bad_tokens:
            asked.token_is_bad = True
        if is_graphql:
            self._understand_graphql(asked, body)
        else:
            self._understand_rest(asked, http)
        return asked

    def _understand_graphql(self, asked: Asked, body: bytes) -> None:
        entry = asked.entry
        try:
            asked.graphql = self.engine.understand(json.loads(body or b"null"))
        except (ValueError, TypeError):
            asked.graphql = Request("", {}, errors=[{"message": "Problems parsing JSON"}])
        request = asked.graphql
        entry.operation, entry.variables = request.name, request.variables
        entry.repository = self.engine.repository_of(request)
        entry.cost, entry.nodes = request.plan.points, request.plan.nodes
        if request.plan.paged is not None:
            args = request.plan.paged[1]
            entry.first = args.get("first") or args.get("last")
            entry.cursor = args.get("after") or args.get("before")
        self.journal.number_page(_scope(asked), entry)

    def _understand_rest(self, asked: Asked, http: HttpRequest) -> None:
        entry = asked.entry
        root = str(http.base_url).rstrip("/")
        path = http.url.path
        if path.startswith(f"{ENTERPRISE}/"):
            root, path = root + ENTERPRISE, path.removeprefix(ENTERPRISE)
        operation, handler, parts = route(path)
        query = dict(http.query_params)
        asked.call = Call(
            operation=operation,
            handler=handler,
            parts=parts,
            path=path,
            query=query,
            world=self.world,
            bodies=Bodies(root),
            accounts=self.accounts,
            identity=asked.identity,
            viewer=self._viewer(asked.identity),
        )
        entry.operation, entry.variables = operation, dict(query)
        entry.page = int(query["page"]) if query.get("page", "").isdigit() else 1
        entry.first = int(query["per_page"]) if query.get("per_page", "").isdigit() else None
        if "owner" in parts:
            entry.repository = f"{parts['owner']}/{parts['name']}"
        elif "id" in parts:
            repo = self.world.numbered(int(parts["id"]))
            entry.repository = repo.name if repo else None

    def _answer(self, asked: Asked, fault: Fault | None, http: HttpRequest) -> Reply:
        request_id = secrets.token_hex(8).upper()
        status, body, kind, headers = self._reply(asked, fault, request_id)
        content = body.encode() if isinstance(body, str) else _as_json(body)
        headers = {
            "content-type": f"{kind}; charset=utf-8",
            "date": formatdate(self.accounts.now(), usegmt=True),
            "server": "github.com",
            "x-github-request-id": request_id,
            **self.accounts.headers(asked.identity, asked.resource),
            **headers,
        }
        if asked.call is not None and status == 200 and fault is None:
            headers["etag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
            if http.headers.get("if-none-match") == headers["etag"]:
                self.accounts.budget(asked.identity, asked.resource).used -= asked.entry.cost
                asked.entry.cost = 0
                headers.update(self.accounts.headers(asked.identity, asked.resource))
                return Reply(304, headers, b"")
        return Reply(status, headers, content)

    def _reply(self, asked: Asked, fault: Fault | None, request_id: str) -> Answer:
        refusal = self._refusal(asked)
        if refusal is not None:
            asked.entry.cost = 0
            return refusal
        if asked.entry.kind == "rest":
            asked.entry.cost = 0 if asked.entry.operation in FREE else 1
        if fault is not None:
            spoiled = self._fault_reply(asked, fault, request_id)
            if spoiled is not None:
                return spoiled
        self.accounts.charge(asked.identity, asked.resource, asked.entry.cost)
        if asked.graphql is not None:
            reply: Answer = 200, self._run(asked, asked.graphql, fault), JSON, {}
        else:
            assert asked.call is not None
            reply = _called(asked.call)
        if fault is not None and fault.kind == "exhausted":
            self.accounts.exhaust(asked.identity, asked.resource, fault.seconds)
        return reply

    def _refusal(self, asked: Asked) -> Answer | None:
        identity, resource = asked.identity, asked.resource
        if asked.token_is_bad:
            return _message(401, "Bad credentials")
        if resource == GRAPHQL and identity.name == ANONYMOUS:
            return _message(401, "This endpoint requires you to be authenticated.")
        if identity.in_flight > self.accounts.limits.concurrent:
            return _message(403, SECONDARY_WORDS, {"retry-after": "1"})
        return None if asked.entry.operation in FREE else self._spent(identity, resource)

    def _spent(self, identity: Identity, resource: str) -> Answer | None:
        if self.accounts.budget(identity, resource).remaining == 0:
            if resource == CORE:
                return _message(403, RATE_WORDS)
            error = {"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": RATE_WORDS}
            return 200, {"errors": [error]}, JSON, {}
        waits = identity.waits.get(resource, 0) - self.accounts.now()
        return _message(403, SECONDARY_WORDS, {"retry-after": str(int(waits) + 1)}) if waits > 0 else None

    def _fault_reply(self, asked: Asked, fault: Fault, request_id: str) -> Answer | None:
        try:
            status, body, kind = fault.reply(request_id)
        except KeyError:
            return None
        identity, resource = asked.identity, asked.resource
        headers: dict[str, str] = {}
        if fault.location is not None:
            headers["location"] = fault.location
        if fault.retry_after is not None:
            headers["retry-after"] = str(int(fault.retry_after))
            for every in (GRAPHQL, CORE):
                identity.waits[every] = self.accounts.now() + fault.retry_after
        if fault.kind in {"primary_limit", "rate_limit", "rate_limited"}:
            self.accounts.exhaust(identity, resource, fault.seconds)
        else:
            self.accounts.charge(identity, resource, asked.entry.cost)
        return status, body, kind, headers

    def _run(self, asked: Asked, request: Request, fault: Fault | None) -> dict[str, Any]:
        budget = self.accounts.budget(asked.identity, GRAPHQL)
        rate = {
            "limit": budget.limit,
            "cost": asked.entry.cost,
            "remaining": budget.remaining,
            "used": budget.used,
            "reset_at": datetime.fromtimestamp(budget.reset_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "node_count": request.plan.nodes,
        }
        context = Context(self.world, self._viewer(asked.identity), rate)
        if fault is not None and fault.kind == "resource_limits":
            context.withheld = fault.withheld
        elif self.compute_limit_nodes is not None and request.plan.nodes > self.compute_limit_nodes:
            asked.entry.fault = "compute_limit"
            context.withheld = lambda items: range(len(items))
        answer = self.engine.run(request, context)
        self.journal.page_ends(_scope(asked), asked.entry, context.end_cursor)
        return answer

    def _viewer(self, identity: Identity) -> Person | None:
        if identity.name == ANONYMOUS:
            return None
        return Person(900_000_000 + int(identity.name[:6], 16), f"viewer-{identity.name[:6]}", "User", "Viewer")


def _scope(asked: Asked) -> str:
    assert asked.graphql is not None
    variables = asked.graphql.variables
    paged = asked.graphql.plan.paged
    return json.dumps([asked.entry.operation, asked.entry.repository, paged and paged[0], variables.get("id")])


def _message(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return status, {"message": message, "documentation_url": DOCS, "status": str(status)}, JSON, headers or {}


def _called(call: Call) -> Answer:
    try:
        return 200, call.handler(call), JSON, call.headers
    except RestRefusalError as refusal:
        return refusal.status, refusal.body, JSON, call.headers


def _as_json(body: Any) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate, which only its escape can carry
        return json.dumps(body, separators=(",", ":")).encode()
