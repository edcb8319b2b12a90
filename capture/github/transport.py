"""One request over the wire: a total deadline, a bounded body, and errors by what to do next."""

from __future__ import annotations

import http.client
import io
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError

from capture.clock import Clock
from capture.errors import Transient
from capture.github.replies import Reply, TooHeavy

#: Decoded bytes; GitHub's largest pages are a few hundred kilobytes.
LARGEST_BODY = 20 * 1024 * 1024
CONNECT_SECONDS = 10.0

_CHUNK = 64 * 1024
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "Accept-Encoding": "gzip",
    "User-Agent": "progressive-capture",
    "X-GitHub-Api-Version": "2022-11-28",
}

_calls = threading.local()


class _Timed(io.RawIOBase):
    """The bytes of a reply, each read under what is left of the calling thread's deadline.

    A socket's own time-out starts anew with every byte, so a server that drips could hold a thread for ever.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._remaining: Callable[[], float] = _calls.remaining

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._remaining()
        if remaining <= 0:
            raise TimeoutError("the deadline of the call has passed")
        self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        plain, self.fp = self.fp, io.BufferedReader(_Timed(sock))
        plain.close()


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Transport:
    """Sends requests; safe to share between threads, and across a fork: each process has connections of its own.

    Nothing is retried and no redirect is followed here. The deadline of a call runs from connecting to the last byte.
    """

    def __init__(self, *, deadline: float, clock: Clock, largest_body: int = LARGEST_BODY) -> None:
        self._deadline = deadline
        self._clock = clock
        self._largest_body = largest_body
        self._pools: tuple[int, urllib3.PoolManager] | None = None

    def send(self, operation: str, method: str, url: str, *, token: str | None, body: bytes | None = None) -> Reply:
        """The reply, whatever its status.

        Raises :class:`TooHeavy` where it began too late, broke off or is too large, ``Transient`` where no connection
        came about or it was dropped before the reply. ``token`` goes into the Authorization header and nowhere else.
        """
        started = self._clock.monotonic()
        _calls.remaining = lambda: started + self._deadline - self._clock.monotonic()
        try:
            response = self._manager().request(
                method,
                url,
                body=body,
                headers=_headers(token, body),
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, self._deadline), read=self._deadline),
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except ReadTimeoutError:
            raise self._late(operation) from None
        except ConnectTimeoutError:
            raise Transient(f"GitHub could not be reached for {operation}: connecting took too long.") from None
        except HTTPError as error:
            raise Transient(f"GitHub could not be reached for {operation}: {_reason(error)}.") from None
        content = self._content(operation, response)
        headers = {name.lower(): response.headers[name] for name in response.headers}
        return Reply(response.status, headers, content, self._clock.monotonic() - started)

    def _content(self, operation: str, response: urllib3.BaseHTTPResponse) -> bytes:
        content = bytearray()
        whole = False
        try:
            for chunk in response.stream(_CHUNK):
                content += chunk
                if len(content) > self._largest_body:
                    raise TooHeavy(f"The reply to {operation} is larger than {self._largest_body} bytes.")
            whole = True
        except ReadTimeoutError:
            raise self._late(operation) from None
        except HTTPError as error:
            raise TooHeavy(f"The reply to {operation} broke off: {_reason(error)}.") from None
        finally:
            if not whole:
                response.close()
        return bytes(content)

    def _late(self, operation: str) -> TooHeavy:
        return TooHeavy(f"GitHub gave no whole reply to {operation} within {self._deadline:g} s.")

    def _manager(self) -> urllib3.PoolManager:
        held = self._pools
        if held is None or held[0] != os.getpid():
            manager = urllib3.PoolManager(num_pools=4, maxsize=32)
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
            held = self._pools = (os.getpid(), manager)
        return held[1]


def _headers(token: str | None, body: bytes | None) -> Mapping[str, str]:
    headers = dict(_HEADERS)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    return headers


def _reason(error: HTTPError) -> str:
    """The kind of the error and its words, without the addresses of objects that urllib3 puts first."""
    words = str(error).rsplit(": ", 1)[-1].strip("() .")
    return f"{type(error).__name__}, {words}"[:200] if words else type(error).__name__
