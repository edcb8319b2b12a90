"""`capture up`, `capture demo` and the scheduler as processes of their own: what they do, and that nothing is left of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from console.addresses import running
from console.local.github import generate

ROOT = Path(__file__).parents[2]


def wait_until(condition: Callable[[], Any], seconds: float = 40) -> Any:
    """What the condition gives once that is true."""
    give_up = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.05)
    return found


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """One without servers and tokens, with temporary files below the test's folder."""
    foreign = ("DATABASE_URL", "REDIS_URL", "GITHUB_TOKEN", "GITHUB_TOKENS", "GITHUB_API_URL")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    home = str(tmp_path / "home")
    return kept | {"CAPTURE_HOME": home, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)} | more


@contextmanager
def process(arguments: list[str], tmp_path: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A program of ours in the test's folder; killed at the end if it still runs."""
    started = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=environment(tmp_path, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def processes_of(marker: str) -> list[int]:
    """The processes that have a text in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder with a short name of its own: sockets are made in it."""
    folder = Path(tempfile.mkdtemp(prefix="cli-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_demo_finds_every_row_right_and_leaves_nothing(short_path: Path) -> None:
    with process(["-m", "console", "demo", "--pulls", "20"], short_path) as demo:
        said, _ = demo.communicate(timeout=100)

    assert demo.returncode == 0, said
    assert "Every column of every row is exactly what GitHub has." in said
    assert re.search(r"^pull_requests\t20\t20$", said, re.MULTILINE), said
    assert list(short_path.iterdir()) == []
    assert processes_of(str(short_path)) == []


def test_a_demo_that_is_interrupted_ends_with_130_and_leaves_nothing(short_path: Path) -> None:
    with process(["-m", "console", "demo", "--stay", "--pulls", "3"], short_path) as demo:
        wait_until(lambda: "fetch_prs" in (demo.stdout.readline() if demo.stdout else ""))
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=60)

    assert demo.returncode in (0, 130)
    assert list(short_path.iterdir()) == []
    assert processes_of(str(short_path)) == []


def test_a_dataset_that_is_none_is_refused_before_anything_starts(short_path: Path) -> None:
    (short_path / "no.json").write_text("[]")
    for name in ("no.json", "missing.json"):
        with process(["-m", "console", "demo", "--dataset", name], short_path) as demo:
            said, _ = demo.communicate(timeout=60)
        assert demo.returncode == 2, said
        assert len(said.strip().splitlines()) == 1


def test_up_serves_other_commands_and_ends_in_order(short_path: Path) -> None:
    home = short_path / "home"
    data = short_path / "data.json"
    generate("octo/up", 5, seed=1).save(data)
    ready = short_path / "github.json"
    standin = ["-m", "console.local.github", "--dataset", str(data), "--ready-file", str(ready)]
    with process(standin, short_path):
        url = json.loads(wait_until(lambda: ready.exists() and ready.read_text()))["url"]
        more = {"GITHUB_API_URL": url, "GITHUB_TOKEN": "made-up"}
        with process(["-m", "console", "up", "-p", "1"], short_path, **more) as up:
            addresses = wait_until(lambda: running(home))
            with process(["-m", "console", "repo", "octo/up", "--wait"], short_path) as repo:
                said, _ = repo.communicate(timeout=60)
            assert repo.returncode == 0, said
            assert rows(addresses.database_url, "SELECT count(*) FROM pull_requests") == [(5,)]

            (worker,) = rows(addresses.database_url, "SELECT pid FROM progressive_capture_workers")[0]
            os.kill(worker, signal.SIGKILL)
            cause = "SELECT end_cause FROM progressive_capture_workers WHERE pid = %s"
            wait_until(lambda: rows(addresses.database_url, cause, worker) == [("signal SIGKILL",)])
            alive = "SELECT count(*) FROM progressive_capture_workers WHERE stopped_at IS NULL AND pid <> %s"
            wait_until(lambda: rows(addresses.database_url, alive, worker) == [(1,)])

            with process(["-m", "console", "up"], short_path) as second:
                said, _ = second.communicate(timeout=30)
            assert second.returncode == 2, said

            up.send_signal(signal.SIGTERM)
            up.communicate(timeout=60)
        assert up.returncode == 0
        assert running(home) is None
    assert processes_of(str(home)) == []


def test_the_worker_command_ends_its_processes_at_sigterm(short_path: Path, database_url: str, redis_url: str) -> None:
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with process(["-m", "console", "worker", "-p", "2", "-t", "1"], short_path, **servers) as worker:
        alive = "SELECT count(*) FROM progressive_capture_workers WHERE stopped_at IS NULL"
        wait_until(lambda: rows(database_url, alive) == [(2,)])
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=40)

    assert worker.returncode == 0
    assert rows(database_url, "SELECT DISTINCT end_cause FROM progressive_capture_workers") == [("stopped",)]


def test_two_schedulers_one_leads_and_the_other_takes_over_when_it_ends(
    short_path: Path, database_url: str, redis_url: str
) -> None:
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HEALTH_CHECK_INTERVAL_MS": "1000"}
    term = "SELECT term FROM progressive_capture_leases WHERE expires_at > clock_timestamp()"
    with process([str(ROOT / "scheduler.py")], short_path, **servers) as first:
        wait_until(lambda: rows(database_url, term) == [(1,)])
        with process([str(ROOT / "scheduler.py")], short_path, **servers) as second:
            wait_until(lambda: "standing by" in (second.stdout.readline() if second.stdout else ""))
            first.send_signal(signal.SIGTERM)
            said, _ = first.communicate(timeout=20)
            wait_until(lambda: rows(database_url, term) == [(2,)], 6)
            second.send_signal(signal.SIGINT)
            second.communicate(timeout=20)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "Health (leading): 0 jobs ready" in said


def test_a_scheduler_refuses_wrong_settings_and_another_schema(
    short_path: Path, database_url: str, redis_url: str
) -> None:
    with process([str(ROOT / "scheduler.py")], short_path) as unset:
        unset.communicate(timeout=20)
    rows(database_url, "DELETE FROM progressive_capture_schema")
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with process([str(ROOT / "scheduler.py")], short_path, **servers) as old:
        said, _ = old.communicate(timeout=20)

    assert (unset.returncode, old.returncode) == (2, 1)
    assert "capture db upgrade" in said


def rows(url: str, sql: str, *params: Any) -> list[Any]:
    """The rows of one statement."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()
