"""The embedded Redis (Valkey): private, reached through one socket; what it held survives a restart."""

from __future__ import annotations

import signal
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from console.local import binaries
from console.local.server import Server

SOCKET = "redis.sock"
SETTINGS = {
    "port": "0",
    "unixsocket": SOCKET,
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "databases": "64",
    "daemonize": "no",
}


class EmbeddedRedis(Server):
    """Valkey, or a Redis of this machine."""

    name = "redis"
    stop_signal = signal.SIGTERM

    @property
    def working_folder(self) -> Path:
        """The data directory, which is the socket's too."""
        return self.folder

    @property
    def url(self) -> str:
        """The server's address; ``?db=N`` may be added. The same as long as its owner lives."""
        return f"unix://{quote(str(self.home.address(self.folder, SOCKET) / SOCKET))}"

    def find_program(self) -> Path:
        """The server's program."""
        return binaries.redis_program(self.home.account)

    def arguments(self) -> list[str]:
        """The server's arguments."""
        return [part for name, value in SETTINGS.items() for part in (f"--{name}", value)]

    def prepare(self) -> None:
        """The server makes its files itself, and replaces a stale socket."""

    def is_answering(self) -> bool:
        """Whether the server answers a ping; it does not while it reads its data."""
        client = Redis.from_url(self.url, socket_timeout=2, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()
