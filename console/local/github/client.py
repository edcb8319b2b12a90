"""Orders to a stand-in that runs as a process of its own."""

from __future__ import annotations

import json
from typing import Any

import urllib3

from .door import Door


class StandInClient(Door):
    """The methods of a StandIn over HTTP; ``url`` is its REST root."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=60))

    def close(self) -> None:
        """Give back the connections."""
        self._http.clear()

    def _call(self, order: str, **arguments: Any) -> Any:
        reply = self._http.request("POST", f"{self.url}/_standin/{order}", body=json.dumps(arguments))
        answer = json.loads(reply.data)
        if reply.status != 200:
            raise ValueError(answer["error"])
        return answer["answer"]
