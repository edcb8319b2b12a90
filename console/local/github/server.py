"""The stand-in as a server: in a thread of this process, or for a process of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from .api import Api
from .dataset import Dataset
from .delivery import Protocol
from .door import Door
from .limits import Limits
from .orders import Orders
from .world import World

HOST = "127.0.0.1"
START_SECONDS = 30


class StandIn(Door):
    """A GitHub of our own on 127.0.0.1, up between ``with`` and its end; port 0 takes a free one."""

    def __init__(
        self,
        datasets: Iterable[Dataset] = (),
        *,
        port: int = 0,
        limits: Limits | None = None,
        latency_seconds: float = 0,
    ) -> None:
        self._api = Api(World(list(datasets)), limits or Limits(), latency_seconds)
        self._orders = Orders(self._api)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((HOST, port))
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=[*control_routes(self._orders), Mount("/", app=self._api)]),
                http=Protocol,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._up = threading.Event()

    def __enter__(self) -> StandIn:
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="github-stand-in", daemon=True)
        self._thread.start()
        if not self._up.wait(START_SECONDS):
            raise RuntimeError(f"The stand-in did not start within {START_SECONDS} s.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every connection, held ones too, and wait for the server's end."""
        self._server.should_exit = self._server.force_exit = True
        if self._thread is not None:
            self._thread.join()

    async def serve(self) -> None:
        """Serve until stopped, in the loop of the caller."""
        self._loop = asyncio.get_running_loop()
        self._socket.listen(2048)
        self._up.set()  # from here on the kernel queues connections
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._loop = None
            self._socket.close()

    def _call(self, order: str, **arguments: Any) -> Any:
        loop = self._loop
        if loop is None:
            return self._orders.carry_out(order, arguments)

        async def carry_out() -> Any:
            return self._orders.carry_out(order, arguments)

        return asyncio.run_coroutine_threadsafe(carry_out(), loop).result()


def control_routes(orders: Orders) -> list[Route]:
    """The orders over HTTP: ``POST /_standin/ORDER`` with a JSON object of arguments; the questions by GET too."""

    def answer(order: str, arguments: dict[str, Any]) -> Response:
        try:
            return Response(json.dumps({"answer": orders.carry_out(order, arguments)}), media_type="application/json")
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    async def post(request: Request) -> Response:
        return answer(request.path_params["order"], json.loads(await request.body() or b"{}"))

    async def get(request: Request) -> Response:
        order = request.path_params["order"]
        if order not in {"log", "stats", "is_holding"}:
            return JSONResponse({"error": f"{order!r} is not a question; use POST."}, status_code=405)
        return answer(order, {})

    async def truth(request: Request) -> Response:
        repository = f"{request.path_params['owner']}/{request.path_params['name']}"
        return answer("truth", {"repository": repository})

    return [
        Route("/_standin/truth/{owner}/{name}", truth),
        Route("/_standin/{order}", post, methods=["POST"]),
        Route("/_standin/{order}", get, methods=["GET"]),
    ]
