"""Hints in Redis: which ready jobs a worker may try to claim, best first. Everything here may be lost at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

WAKE_KEY = "capture:wake"
#: Seconds a pop blocks while there is no hint.
BLOCK_SECONDS = 1.0

#: Pops up to ARGV[1] hints, always from the set whose best hint is best: a blocking pop over several keys would ignore rank between them.
POP_BEST = """
local popped = {}
for _ = 1, tonumber(ARGV[1]) do
    local best_key, best_score = nil, nil
    for _, key in ipairs(KEYS) do
        local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
        if first[2] and (best_score == nil or tonumber(first[2]) < best_score) then
            best_key, best_score = key, tonumber(first[2])
        end
    end
    if best_key == nil then break end
    local member = redis.call('ZPOPMIN', best_key)
    popped[#popped + 1] = member[1]
end
return popped
"""


@dataclass(frozen=True, slots=True)
class Hint:
    """Look at this job: it may be waiting at this epoch."""

    job_id: str
    epoch: int
    actor: str

    def encode(self) -> bytes:
        """The member of the sorted set."""
        return f"{self.job_id}:{self.epoch}:{self.actor}".encode()

    @classmethod
    def decode(cls, member: bytes | str) -> Hint | None:
        """The hint, or None for what was never ours; it can only ever cause a guarded claim."""
        text = member.decode("utf-8", "replace") if isinstance(member, bytes) else member
        job_id, _, rest = text[:300].partition(":")
        epoch, _, actor = rest.partition(":")
        plain = len(job_id) == 36 and all(c in "0123456789abcdef-" for c in job_id)
        if not plain or not epoch.isascii() or not epoch.isdigit() or len(epoch) > 9:
            return None
        if [len(part) for part in job_id.split("-")] != [8, 4, 4, 4, 12]:
            return None
        return cls(job_id, int(epoch), actor)


def key_of(queue: str, knowledge: str) -> str:
    """The sorted set of a queue for workers that know the same actors and versions."""
    return f"capture:hints:{queue}:{knowledge}"


class Hints:
    """One client of the hints: connections of its own, explicit timeouts, no retries of its own."""

    def __init__(self, redis_url: str, *, timeout: float = 2.0) -> None:
        self._redis: Any = redis.Redis.from_url(
            redis_url,
            socket_timeout=timeout + BLOCK_SECONDS,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )

    def pop(self, keys: Sequence[str], count: int) -> list[bytes]:
        """Up to ``count`` of the best hints; waits up to :data:`BLOCK_SECONDS` for the first."""
        popped = cast("list[bytes]", self._redis.eval(POP_BEST, len(keys), *keys, count))
        if popped:
            return popped
        first = self._redis.bzpopmin(list(keys), timeout=BLOCK_SECONDS)
        return [first[1]] if first else []

    def read(self, key: str) -> dict[bytes, float]:
        """What the set holds now."""
        return dict(self._redis.zrange(key, 0, -1, withscores=True))

    def change(self, key: str, add: Mapping[bytes, float], remove: Sequence[bytes]) -> None:
        """Add and remove hints; sets that nobody feeds any more vanish after ten minutes."""
        pipeline = self._redis.pipeline(transaction=False)
        if remove:
            pipeline.zrem(key, *remove)
        if add:
            pipeline.zadd(key, dict(add))
        pipeline.expire(key, 600)
        pipeline.execute()

    def wake(self) -> None:
        """Tell the leader that there is something to look at."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.lpush(WAKE_KEY, 1)
        pipeline.ltrim(WAKE_KEY, 0, 0)
        pipeline.execute()

    def wait_for_wake(self, seconds: float) -> bool:
        """Return at the next wake, or after ``seconds`` (at most :data:`BLOCK_SECONDS`)."""
        return self._redis.brpop([WAKE_KEY], timeout=max(min(seconds, BLOCK_SECONDS), 0.01)) is not None

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()
