"""No-op messages on Dramatiq's own Redis broker, as it comes: the peer."""

import os
import time

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

store = redis.Redis.from_url(os.environ["REDIS_URL"])
broker = RedisBroker(client=redis.Redis.from_url(os.environ["REDIS_URL"]))
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(number: int) -> None:
    """Count."""
    del number
    store.incr("done")


@dramatiq.actor
def stamp(sent: float) -> None:
    """Store how long it took to start."""
    store.rpush("latencies", time.time() - sent)
