"""Migrations run twice and at once; a worker refuses a schema that its code does not know."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dramatiq
import pytest

from capture.errors import SystemFault
from capture.ids import new_id
from middleware.liveness import WorkerRefused
from models import migrations
from tests.integration.engine import Bench, connection_to, worker_of

ROOT = Path(__file__).parents[2]
UPGRADE = "import sys; from models.migrations import upgrade; print(upgrade(sys.argv[1]))"


@pytest.fixture
def empty_database(database_url: str) -> Iterator[str]:
    """A database without any table of ours."""
    name = f"empty_{new_id().replace('-', '')}"
    with connection_to(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield re.sub(r"^(\w+://[^/?]*)(/[^?]*)?", rf"\1/{name}", database_url)
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_second_upgrade_has_nothing_to_do(empty_database: str):
    names = [name for _, name, _ in migrations.steps()]
    announced: list[str] = []

    assert migrations.upgrade(empty_database, announce=announced.append) == announced == names
    assert migrations.upgrade(empty_database) == []
    with connection_to(empty_database) as connection:
        assert migrations.stored_version(connection) == migrations.wanted_version() == len(names)
        migrations.require_schema(connection)


def test_of_two_processes_that_upgrade_at_once_one_does_and_both_succeed(empty_database: str):
    processes = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, empty_database], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in processes)

    assert [process.returncode for process in processes] == [0, 0]
    assert said == sorted(["[]", str([name for _, name, _ in migrations.steps()])])


def test_a_database_that_is_behind_says_what_to_run(empty_database: str):
    with connection_to(empty_database) as connection:
        assert migrations.stored_version(connection) == 0
        with pytest.raises(SystemFault, match="capture db upgrade"):
            migrations.require_schema(connection)


def test_a_worker_refuses_a_database_that_is_behind_and_says_what_to_run(fresh_bench: Bench):
    fresh_bench.query("DELETE FROM progressive_capture_schema WHERE version > 1")
    worker = worker_of(fresh_bench)

    with pytest.raises(WorkerRefused, match="capture db upgrade"):
        worker.start()
    assert fresh_bench.count("progressive_capture_workers") == 0


def test_a_worker_refuses_a_database_that_is_ahead_and_says_so(fresh_bench: Bench):
    fresh_bench.query("INSERT INTO progressive_capture_schema (version, name) VALUES (9999, 'later')")
    worker: dramatiq.Worker = worker_of(fresh_bench)

    with pytest.raises(WorkerRefused, match="newer"):
        worker.start()
