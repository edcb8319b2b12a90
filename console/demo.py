"""The demo: a generated repository captured on real servers, killed at will, and every stored row compared with what was generated."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from capture.errors import SystemFault
from capture.settings import Settings
from console import queries
from console.comparison import Comparison, compare
from console.local.github import Dataset, StandInClient
from console.supervisor import Supervisor, host
from console.up import ROOT, Everything, bound_to_us
from models.database import connect, disconnect

#: The stand-in waits so long before each answer, so that there is something to watch, and to kill.
LATENCY_MS, LATENCY_MS_KILLING = 40, 100
START_SECONDS = 60.0
KILL_PAUSE = (1.0, 2.0)
#: Where nobody holds a job, the killer looks again after so long: not at once, or no run would ever reach its first commit.
LOOK_PAUSE = (0.1, 1.0)
#: Made up: it opens nothing but the stand-in.
TOKEN = "demo-token"  # noqa: S105
#: What the demo's processes must not take from its user's environment.
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "GITHUB_TOKEN", "GITHUB_TOKENS", "SENTRY_DSN")
KILL_SETTINGS = {"CRASH_LIMIT": "100", "RETRY_NO_WAIT": "1"}


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: its processes, its GitHub and what is true there."""

    everything: Everything
    github: StandInClient
    dataset: Dataset
    environment: Mapping[str, str]
    log: Path


@contextmanager
def running(dataset: Dataset, *, processes: int, threads: int, kill: bool) -> Iterator[Demo]:
    """Servers, workers, scheduler and stand-in in a fresh temporary home; all of it is gone afterwards.

    The user's servers, tokens and ``.env`` are left alone: the processes run in the temporary home with an environment of their own.
    """
    home = Path(tempfile.mkdtemp(prefix="capture-demo-"))
    log = home / "workers.log"
    try:
        with _stand_in(home, dataset, LATENCY_MS_KILLING if kill else LATENCY_MS) as github, log.open("ab") as log_to:
            environment = _environment(home, github.url, kill=kill)
            settings = Settings.load(environment, dotenv=home / ".env")
            everything = Everything(
                settings, processes=processes, threads=threads, environment=environment, folder=home, log_to=log_to
            )
            with _logging_to(log), everything, _supervised(everything):
                connect(everything.addresses.database_url, pool_max=4, application_name="capture demo")
                try:
                    yield Demo(everything, github, dataset, environment, log)
                finally:
                    disconnect()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def compared(demo: Demo) -> Comparison:
    """Every stored row and column against the dataset."""
    connection = psycopg2.connect(demo.everything.addresses.database_url)
    try:
        return compare(connection, demo.dataset.data)
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Pages:
    """What GitHub's log says was asked."""

    asked: int
    asked_twice: int
    requests: int
    points: int

    @classmethod
    def of(cls, github: StandInClient) -> Pages:
        """Count pages of lists; the same list from the same cursor is the same page, however large."""
        log = github.log
        pages = Counter(_page(entry) for entry in log if entry["operation"] not in ("Repository", "repository"))
        return cls(
            asked=sum(pages.values()),
            asked_twice=sum(times - 1 for times in pages.values()),
            requests=len(log),
            points=sum(entry["cost"] for entry in log if entry["kind"] == "graphql"),
        )


def _page(entry: Mapping[str, Any]) -> str:
    variables = {name: value for name, value in entry["variables"].items() if name not in ("first", "per_page")}
    return json.dumps([entry["kind"], entry["operation"], entry["path"], entry["cursor"], variables], sort_keys=True)


@dataclass
class Killer:
    """Kills worker processes that hold a claim at that moment, with SIGKILL, until told to stop."""

    supervisor: Supervisor
    rng: random.Random
    tell: Callable[[str], None]
    kills: int = 0
    in_hand: int = 0
    """Jobs that were in the hands of killed processes."""
    _stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Kill, every one to two seconds while somebody holds a job."""
        pause = KILL_PAUSE
        while not self._stopped.wait(self.rng.uniform(*pause)):
            pause = KILL_PAUSE if self._kill_one() else LOOK_PAUSE

    def stop(self) -> None:
        """Spare whoever lives."""
        self._stopped.set()

    def _kill_one(self) -> bool:
        """Kill one holder; it counts only if its claim is still there after its death."""
        holders = queries.read(queries.HOLDERS, host=host(), pids=self.supervisor.pids)
        if not holders or self._stopped.is_set():
            return False
        victim = self.rng.choice(holders)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim["pid"], signal.SIGKILL)
        held = queries.read(queries.HELD_BY, worker=victim["worker"])[0]["held"]
        self.kills += 1 if held else 0
        self.in_hand += held
        if held:
            self.tell(f"kill -9 of worker process {victim['pid']}, which held {held} job{'s' if held > 1 else ''}")
        return bool(held)


@contextmanager
def _logging_to(log: Path) -> Iterator[None]:
    """The supervisor's own log goes where its workers' goes, not between the bars."""
    handler = logging.FileHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


@contextmanager
def _supervised(everything: Everything) -> Iterator[None]:
    """Workers and scheduler, kept running by a thread that lives until they have ended."""
    thread = threading.Thread(target=everything.run, name="supervisor")
    thread.start()
    try:
        yield
    finally:
        everything.supervisor.stop()
        thread.join()


@contextmanager
def _stand_in(home: Path, dataset: Dataset, latency_ms: int) -> Iterator[StandInClient]:
    """The stand-in as a process of its own."""
    ready, data = home / "github.json", home / "dataset.json"
    dataset.save(data)
    command = [sys.executable, "-m", "console.local.github", "--dataset", str(data)]
    command += ["--ready-file", str(ready), "--latency-ms", str(latency_ms)]
    with (home / "github.log").open("wb") as log_to:
        process = subprocess.Popen(
            bound_to_us(command, signal.SIGKILL),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log_to,
            stderr=log_to,
            process_group=0,
        )
    try:
        client = StandInClient(_url_once(ready, process))
        try:
            yield client
        finally:
            client.close()
    finally:
        process.kill()
        process.wait()


def _url_once(ready: Path, process: subprocess.Popen[bytes]) -> str:
    give_up = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > give_up:
            words = ready.with_name("github.log").read_text("utf-8", "replace").strip().splitlines()
            raise SystemFault(f"The GitHub stand-in did not start: {words[-1] if words else 'it said nothing'}")
        time.sleep(0.02)
    return str(json.loads(ready.read_text("utf-8"))["url"])


def _environment(home: Path, github_url: str, *, kill: bool) -> dict[str, str]:
    """The environment of the demo's processes: nothing of the user's servers, tokens or Sentry."""
    foreign = {*NOT_OURS, *(f"{name}_FILE" for name in NOT_OURS)}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    ours = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github_url, "CAPTURE_HOME": str(home / "servers")}
    return kept | ours | (KILL_SETTINGS if kill else {})
