"""The history of a real repository, captured by two processes one of which is killed every few seconds."""

from __future__ import annotations

import random
import time
from pathlib import Path

from actors import capture_repository
from console.local.github import load_dataset
from tests.acceptance.conftest import Install
from tests.acceptance.installation import Installation

LATENCY_SECONDS = 0.1
SETTINGS = {"CRASH_LIMIT": "100", "GITHUB_PAGE_SIZE": "5"}
CLOSED = "SELECT 1 FROM progressive_capture_capture_runs WHERE closed_at IS NOT NULL"
EXPECTED = {"pull_requests": 179, "reviews": 412, "review_comments": 419, "comments": 482, "commits": 604}
DIRECT = 192


def test_a_real_history_is_exact_though_a_process_dies_every_few_seconds(
    install: Install, reference_data: Path
) -> None:
    dataset = load_dataset(reference_data / "data" / "dramatiq.json")
    system = install(dataset, latency_seconds=LATENCY_SECONDS)
    system.start_workers(2, settings=SETTINGS)
    capture_repository.send_with_options(args=(dataset.name,), trigger_source="manual")
    kill_until_done(system, random.Random(4))

    jobs = system.wait_for_capture(dataset.name)
    account = system.check_exact(dataset.data)
    assert account.kills >= 3
    # A commit that was under way at the kill may still have ended its job.
    assert account.kills >= account.rescues == sum(job.crashes for job in system.jobs())
    assert all(job.attempts == 0 for job in jobs)
    counts = {table: system.rows(f"SELECT count(*) FROM {table}")[0][0] for table in EXPECTED}
    assert counts == EXPECTED
    assert system.rows("SELECT count(*) FROM commits WHERE is_direct_commit") == [(DIRECT,)]
    stats = system.github.stats()
    per_hundred = len(dataset.data["pulls"]) / 100
    system.report(
        f"per 100 pull requests {stats['points'] / per_hundred:.1f} points, {stats['requests'] / per_hundred:.1f} requests"
    )

    # The comparison sees what it should: one changed column is one difference.
    system.rows("UPDATE reviews SET body = body || '.' WHERE id = (SELECT min(id) FROM reviews)")
    assert system.comparison(dataset.data).total == 1


def kill_until_done(system: Installation, rng: random.Random) -> None:
    """kill -9 a process that holds a job every one to three seconds, and start another in its place."""
    give_up = time.monotonic() + 100
    while time.monotonic() < give_up and not system.rows(CLOSED):
        wait_for_the_next_kill(system, rng.uniform(1, 3))
        holders = [one for one in system.workers if one.exit_code is None and system.held_by(one)]
        if holders:
            system.kill(rng.choice(holders))
            system.start_worker(settings=SETTINGS)


def wait_for_the_next_kill(system: Installation, seconds: float) -> None:
    due = time.monotonic() + seconds
    system.wait_until(lambda: time.monotonic() > due or system.rows(CLOSED), seconds + 5, "the next kill was due")
