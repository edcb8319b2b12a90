"""`python -m benchmarks [--jobs N]`: durable no-op jobs beside bare Dramatiq, two processes of eight threads each, embedded servers.

Prints sending and draining rates, their ratio, and the latency from send to start of an idle system. Both run on the same servers in
the same run, one after the other; bare Dramatiq keeps nothing in PostgreSQL. Quote the ratios: machines differ.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from console.local.servers import LocalServers
from models import migrations

PROCESSES, THREADS, GIVE_UP_SECONDS = 2, 8, 300


def main() -> None:
    """Run both and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--jobs", type=int, default=3000)
    jobs = parser.parse_args().jobs
    with tempfile.TemporaryDirectory(prefix="capture-bench-") as home, LocalServers(Path(home)) as servers:
        os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        migrations.upgrade(servers.database_url)
        ours, bare = measure_ours(jobs), measure_bare(jobs)
    print(f"{'':28}{'ours':>12}{'bare Dramatiq':>16}{'ratio':>8}")
    for name in ours:
        print(f"{name:28}{ours[name]:12.1f}{bare[name]:16.1f}{ours[name] / bare[name]:8.2f}")


def measure_ours(jobs: int) -> dict[str, float]:
    """Rates of the ledger; drained means that every end is committed."""
    from benchmarks.ours import noop  # reads the addresses set above
    from models.database import execute

    def done() -> int:
        return int(execute("SELECT count(*) FROM progressive_capture_jobs WHERE completed_at IS NOT NULL")[0][0])

    command = [sys.executable, "-m", "console.worker_process", "benchmarks.ours", "--threads", str(THREADS)]
    with workers([[*command, "--parent", str(os.getpid())]] * PROCESSES):
        noop.send(0)
        wait_until(lambda: done() == 1)
        latencies = []
        for number in range(20):
            time.sleep(0.2)
            sent = noop.send(number).message_id
            wait_until(lambda number=number: done() == number + 2)
            row = execute(
                "SELECT extract(epoch FROM started_at - created_at) FROM progressive_capture_jobs WHERE id = %s::uuid",
                (sent,),
            )
            latencies.append(float(row[0][0]) * 1000)
        before = done()
        with frozen():
            started = time.perf_counter()
            noop.send_many([(number,) for number in range(jobs)])
            sending = jobs / (time.perf_counter() - started)
        started = time.perf_counter()
        wait_until(lambda: done() == before + jobs)
        return {
            "sent/s (bulk)": sending,
            "drained/s": jobs / (time.perf_counter() - started),
            "idle send to start, ms": statistics.median(latencies),
        }


def measure_bare(jobs: int) -> dict[str, float]:
    """Rates of Dramatiq's Redis broker; drained means that every message was processed."""
    from benchmarks.bare import noop, stamp, store

    command = [
        str(Path(sys.executable).with_name("dramatiq")),
        "benchmarks.bare",
        "-p",
        str(PROCESSES),
        "-t",
        str(THREADS),
    ]
    with workers([command]):
        noop.send(0)
        wait_until(lambda: int(store.get("done") or 0) == 1)
        for number in range(20):
            time.sleep(0.2)
            stamp.send(time.time())
            wait_until(lambda number=number: store.llen("latencies") == number + 1)
        latencies = [float(one) * 1000 for one in store.lrange("latencies", 0, -1)]
        store.set("done", 0)
        with frozen():
            started = time.perf_counter()
            for number in range(jobs):
                noop.send(number)
            sending = jobs / (time.perf_counter() - started)
        started = time.perf_counter()
        wait_until(lambda: int(store.get("done") or 0) == jobs)
        return {
            "sent/s (bulk)": sending,
            "drained/s": jobs / (time.perf_counter() - started),
            "idle send to start, ms": statistics.median(latencies),
        }


_groups: list[subprocess.Popen[bytes]] = []


@contextmanager
def workers(commands: list[list[str]]) -> Iterator[None]:
    """Worker processes, each in a group of its own."""
    running = [subprocess.Popen(one, start_new_session=True, stderr=subprocess.DEVNULL) for one in commands]
    _groups.extend(running)
    try:
        yield
    finally:
        for process in running:
            os.kill(process.pid, signal.SIGTERM)
        for process in running:
            process.wait()
            _groups.remove(process)


@contextmanager
def frozen() -> Iterator[None]:
    """The workers stand still meanwhile, so that sending and draining are measured apart."""
    for process in _groups:
        os.killpg(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in _groups:
            os.killpg(process.pid, signal.SIGCONT)


def wait_until(reached: Callable[[], bool]) -> None:
    """Return when ``reached``; raises after five minutes."""
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not reached():
        if time.monotonic() > give_up:
            raise TimeoutError("The benchmark did not come to its end.")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
