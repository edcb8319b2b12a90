"""How a reply goes over the wire: whole, or broken as a fault orders."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from .faults import Fault

TRANSPORT = "standin.transport"


class Protocol(H11Protocol):
    """uvicorn's protocol, which also shows the application its connection, so that a fault can cut it."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        answer = self.app

        async def app(scope: Scope, receive: object, send: object) -> None:
            scope[TRANSPORT] = self.transport
            await answer(scope, receive, send)

        self.app = app


@dataclass(slots=True)
class Reply:
    """A reply in full."""

    status: int
    headers: dict[str, str]
    body: bytes


async def deliver(reply: Reply, scope: Scope, send: Send, fault: Fault | None) -> None:
    """Send the reply, or as much of it as the fault lets through."""
    kind = fault.kind if fault is not None else None
    if fault is not None and kind == "delay":
        await asyncio.sleep(fault.seconds)
    if kind == "drop":
        await _cut(scope)
        return
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    if reply.status != 304:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if kind == "truncated":
        await _part(send, reply.body[: len(reply.body) // 2])
        await asyncio.sleep(0.01)  # what was written has to leave before the connection closes
        await _cut(scope, politely=True)
    elif kind == "drop_after_headers":
        await _part(send, b"")
        await asyncio.sleep(0.01)
        await _cut(scope)
    elif fault is not None and kind == "drip":
        await _drip(send, reply.body, fault.bytes_per_second)
    else:
        await send({"type": "http.response.body", "body": reply.body})


async def _part(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _drip(send: Send, body: bytes, bytes_per_second: int) -> None:
    step = max(bytes_per_second // 10, 1)
    for start in range(0, len(body), step):
        await _part(send, body[start : start + step])
        await asyncio.sleep(step / bytes_per_second)
    await send({"type": "http.response.body", "body": b""})


async def _cut(scope: Scope, politely: bool = False) -> None:
    transport = scope[TRANSPORT]
    if politely:
        transport.close()
    else:
        transport.abort()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
