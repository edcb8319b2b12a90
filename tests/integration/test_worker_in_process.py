"""Dramatiq's own worker, in this process, on the real broker: from send to the end of a job."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import Middleware

from capture.current import current_job
from capture.errors import Permanent, RateLimited, SystemFault, Transient
from ledger.hints import Hint, Hints, key_of
from models import moves
from models.capture_run import CaptureRun
from models.database import execute, transaction
from models.repository import Repository
from tests.integration.engine import Bench, connection_to, median, wait_until, worker_of
from tests.integration.history_payloads import repository

TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
ERRORS = {
    "transient": lambda: Transient(f"try later with {TOKEN}"),
    "asked": lambda: Transient("try later", retry_after=900),
    "permanent": lambda: Permanent(f"never again with {TOKEN}"),
    "system": lambda: SystemFault(f"postgresql://octo:{TOKEN}@db/x is away"),
    "limited": lambda: RateLimited(f"{TOKEN} has to rest", seconds=900, identity="octo"),
    "unknown": lambda: LookupError(TOKEN),
}


class Stage:
    """A bench with toy actors that a worker runs."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.started: dict[str, float] = {}
        self.go_on = threading.Event()
        self.workers: list[dramatiq.Worker] = []

        def start(word: str) -> None:
            """Note when it started."""
            self.started[current_job().job_id] = time.monotonic()

        def fail(kind: str) -> None:
            """End badly."""
            raise ERRORS[kind]()

        def page_through(pages: int) -> None:
            """One row per page, and a halt before the second until told to go on."""
            step = current_job().checkpoint("pages")
            for page in range(int(step.cursor or 0) + 1, 1 if step.done else pages + 1):
                if page == 2:
                    self.started[current_job().job_id] = time.monotonic()
                    assert self.go_on.wait(10)
                with step.commit(str(page), items=1, total=pages, last=page == pages, ids=[page]):
                    name = f"{current_job().job_id} {page}"
                    execute("INSERT INTO progressive_capture_identities (name) VALUES (%s)", (name,))

        self.start = bench.actor(start)
        self.fail = bench.actor(fail)
        self.fail_once = bench.actor(fail_once_of(fail), retryable=False)
        self.page_through = bench.actor(page_through)
        self.page_by_page = bench.actor(sliced(page_through), max_items=1)

    def work(self, threads: int = 4) -> dramatiq.Worker:
        """Start a worker, and wait until somebody leads."""
        worker = worker_of(self.bench, threads)
        worker.start()
        self.workers.append(worker)
        wait_until(
            lambda: self.bench.query("SELECT 1 FROM progressive_capture_leases WHERE expires_at > clock_timestamp()")
        )
        return worker

    def stop(self) -> None:
        self.go_on.set()
        while self.workers:
            self.workers.pop().stop(10_000)

    def ends(self, job_id: str, *states: str, seconds: float = 10) -> dict[str, Any]:
        """The job's row as soon as it is in one of the states."""
        wait_until(lambda: self.bench.status(job_id) in states, seconds)
        return self.bench.job(job_id)


def fail_once_of(fail: Any) -> Any:
    def fail_for_good(kind: str) -> None:
        """As `fail`, of a type that is not retryable."""
        fail(kind)

    return fail_for_good


def sliced(page_through: Any) -> Any:
    def page_by_page(pages: int) -> None:
        """As `page_through`, a page a slice."""
        page_through(pages)

    return page_by_page


@pytest.fixture
def stage(bench: Bench) -> Iterator[Stage]:
    bench.change_settings(leader_lease_seconds=2, lease_seconds=10, lease_renew_seconds=2, drain_seconds=5)
    one = Stage(bench)
    yield one
    one.stop()


def seconds_until_due(bench: Bench, job_id: str) -> float:
    return float(
        bench.value(
            "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM progressive_capture_jobs WHERE id = %s", job_id
        )
    )


def test_a_sent_job_is_run_to_its_end(stage: Stage, bench: Bench):
    stage.work()
    stage.go_on.set()
    job_id = stage.page_through.send(3).message_id
    row = stage.ends(job_id, "completed", "failed")

    assert (row["status"], row["attempts"], row["runs"], row["error"]) == ("completed", 0, 1, None)
    assert bench.log(job_id) == [(None, "pending"), ("pending", "processing"), ("processing", "completed")]
    assert bench.count("progressive_capture_identities") == 3
    assert bench.query("SELECT total_items, processed_items FROM progressive_capture_progress") == [(3, 3)]


def test_an_idle_worker_starts_a_job_within_milliseconds(stage: Stage):
    stage.work()
    waits = []
    for number in range(11):
        sent = time.monotonic()
        job_id = stage.start.send(str(number)).message_id
        wait_until(lambda job_id=job_id: job_id in stage.started)
        waits.append(stage.started[job_id] - sent)
        stage.ends(job_id, "completed")

    # 50 ms on a quiet machine; the tests may share theirs.
    assert median(waits) <= 0.25


def test_many_jobs_are_each_run_once(stage: Stage, bench: Bench):
    stage.work(threads=8)
    ids = stage.start.send_many([(str(number),) for number in range(200)])
    wait_until(lambda: bench.value("SELECT count(*) FROM progressive_capture_jobs WHERE status = 'completed'") == 200)

    assert set(stage.started) == set(ids)
    assert bench.query("SELECT DISTINCT epoch, attempts, crashes FROM progressive_capture_jobs") == [(1, 0, 0)]


def test_a_delayed_job_starts_when_it_is_due(stage: Stage):
    stage.work()
    sent = time.monotonic()
    job_id = stage.start.send_with_options(args=("later",), delay=1000).message_id
    stage.ends(job_id, "completed")

    assert 1.0 <= stage.started[job_id] - sent < 4


def test_each_end_has_its_next_state_and_no_row_holds_a_token(stage: Stage, bench: Bench):
    stage.work()
    ids = {kind: stage.fail.send(kind).message_id for kind in ERRORS}
    ids["not retryable"] = stage.bench.broker.actors["fail_for_good"].send("transient").message_id
    wait_until(
        lambda: not bench.value("SELECT count(*) FROM progressive_capture_jobs WHERE runs = 0 OR status = 'processing'")
    )
    rows = {kind: bench.job(job_id) for kind, job_id in ids.items()}

    assert {kind: (row["status"], row["attempts"], row["faults_in_a_row"]) for kind, row in rows.items()} == {
        "transient": ("retrying", 1, 0),
        "asked": ("retrying", 1, 0),
        "unknown": ("retrying", 1, 0),
        "permanent": ("failed", 1, 0),
        "not retryable": ("failed", 1, 0),
        "system": ("retrying", 0, 1),
        "limited": ("pending", 0, 0),
    }
    assert 55 < seconds_until_due(bench, ids["transient"]) <= 78
    assert 55 < seconds_until_due(bench, ids["unknown"]) <= 78
    assert 890 < seconds_until_due(bench, ids["asked"]) <= 900
    assert 890 < seconds_until_due(bench, ids["limited"]) <= 900
    rests = bench.query(
        "SELECT name, extract(epoch FROM blocked_until - clock_timestamp())::int > 890 FROM progressive_capture_identities"
    )
    assert rests == [("octo", True)]
    assert {str(job) for (job,) in bench.query("SELECT job_id FROM progressive_capture_dead_letters")} == {
        ids["permanent"],
        ids["not retryable"],
    }
    assert bench.count("progressive_capture_failures") == 6
    tables = [row[0] for row in bench.query("SELECT tablename FROM pg_tables WHERE tablename LIKE 'progressive%%'")]
    assert [one for one in tables if bench.value(f"SELECT count(*) FROM {one} t WHERE t::text LIKE '%%ghp_%%'")] == []


def test_a_transient_failure_is_retried_three_times_and_then_given_up(stage: Stage, bench: Bench):
    bench.change_settings(retry_no_wait=True)
    stage.work()
    job_id = stage.fail.send("transient").message_id
    row = stage.ends(job_id, "failed")

    assert (row["attempts"], row["runs"], row["error_kind"]) == (4, 4, "transient")
    assert bench.query("SELECT next_status FROM progressive_capture_failures ORDER BY epoch") == [
        ("retrying",),
        ("retrying",),
        ("retrying",),
        ("failed",),
    ]
    assert bench.count("progressive_capture_dead_letters") == 1


def test_a_job_whose_slice_is_used_up_goes_on_where_it_was(stage: Stage, bench: Bench):
    stage.work()
    stage.go_on.set()
    job_id = bench.broker.actors["page_by_page"].send(3).message_id
    row = stage.ends(job_id, "completed", "failed")

    assert (row["status"], row["runs"], row["attempts"]) == ("completed", 3, 0)
    assert bench.query("SELECT page, epoch FROM progressive_capture_page_commits ORDER BY page") == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]


def test_a_running_job_stops_at_its_commit_when_the_worker_stops_and_uses_no_attempt(stage: Stage, bench: Bench):
    worker = stage.work()
    job_id = stage.page_through.send(9).message_id
    wait_until(lambda: job_id in stage.started)
    stopping = threading.Thread(target=worker.stop, args=(10_000,))
    stopping.start()
    wait_until(lambda: bench.broker.engine is not None and bench.broker.engine.hands.draining)
    stage.go_on.set()
    stopping.join(10)
    stage.workers.clear()
    row = bench.job(job_id)

    assert (row["status"], row["attempts"], row["crashes"], row["worker_id"]) == ("pending", 0, 0, None)
    assert bench.query("SELECT cursor FROM progressive_capture_page_commits ORDER BY page") == [("1",), ("2",)]
    assert bench.query("SELECT end_cause, running FROM progressive_capture_workers") == [("stopped", [])]
    assert bench.count("progressive_capture_failures") == 0


def test_a_run_that_outlasts_the_drain_is_put_back_and_fenced(stage: Stage, bench: Bench):
    bench.change_settings(drain_seconds=0.2)
    worker = stage.work()
    job_id = stage.page_through.send(9).message_id
    wait_until(lambda: job_id in stage.started)
    stopping = threading.Thread(target=worker.stop, args=(10_000,))
    stopping.start()
    assert stage.ends(job_id, "pending")["attempts"] == 0
    stage.go_on.set()
    stopping.join(10)
    stage.workers.clear()

    assert bench.query("SELECT cursor FROM progressive_capture_page_commits") == [("1",)]
    assert bench.status(job_id) == "pending"


def test_a_cancelled_run_ends_at_its_next_commit_and_stays_cancelled(stage: Stage, bench: Bench):
    stage.work()
    job_id = stage.page_through.send(9).message_id
    wait_until(lambda: job_id in stage.started)
    assert moves.cancel(bench.sql, job_id, who="an operator", why="not wanted")
    stage.go_on.set()
    wait_until(lambda: bench.broker.engine is not None and not bench.broker.engine.hands.ids())

    assert bench.status(job_id) == "cancelled"
    assert bench.count("progressive_capture_page_commits") == 1
    assert bench.count("progressive_capture_failures") == 0


class Broken(Middleware):
    """Raises in every hook around a message."""

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        raise RuntimeError("before")

    def after_process_message(
        self, broker: dramatiq.Broker, message: dramatiq.MessageProxy, *, result: Any = None, exception: Any = None
    ) -> None:
        raise RuntimeError("after")


def test_hooks_that_raise_do_not_lose_a_job(stage: Stage, bench: Bench):
    bench.broker.add_middleware(Broken())
    stage.work()
    job_id = stage.start.send("x").message_id

    assert stage.ends(job_id, "completed")["runs"] == 1


@pytest.mark.parametrize("silent", ["Retries", "ErrorClassification", "Checkpoints"])
def test_a_run_about_which_no_middleware_decided_is_a_system_fault_and_not_lost(
    stage: Stage, bench: Bench, silent: str
):
    bench.broker.middleware[:] = [one for one in bench.broker.middleware if type(one).__name__ != silent]
    stage.work()
    job_id = stage.fail.send("transient").message_id
    row = stage.ends(job_id, "retrying")

    assert (row["attempts"], row["faults_in_a_row"]) == (0, 1)


def test_join_returns_when_every_job_of_the_queue_is_over(stage: Stage, bench: Bench):
    stage.work()
    ids = stage.start.send_many([(str(number),) for number in range(20)])
    bench.broker.join("bulk", timeout=10_000)

    assert {bench.status(job_id) for job_id in ids} == {"completed"}


def test_flush_cancels_what_waits(stage: Stage, bench: Bench):
    ids = stage.start.send_many([(str(number),) for number in range(20)])
    bench.broker.flush_all()

    assert {bench.status(job_id) for job_id in ids} == {"cancelled"}


def test_a_job_whose_metadata_was_edited_by_hand_still_runs_to_its_end(stage: Stage, bench: Bench):
    job_id = stage.start.send("x").message_id
    bench.query("UPDATE progressive_capture_jobs SET metadata = %s", '{"trigger_source": "", "time_range_days": 0}')
    stage.work()

    assert stage.ends(job_id, "completed", "failed")["status"] == "completed"


def test_a_repository_row_that_somebody_locks_keeps_no_job_from_running(stage: Stage):
    bench = stage.bench
    stage.work()
    with transaction():
        stored = Repository.upsert(repository())
        run_id = CaptureRun.open("octo/hello", stored.id, None, stage.start.send("opens").message_id)
    stage.ends(stage.start.send_with_options(args=("of the run",), capture_run_id=run_id).message_id, "completed")

    with connection_to(bench.database_url) as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM repositories FOR UPDATE")
        bench.query("UPDATE progressive_capture_capture_runs SET closed_at = NULL, status = 'open'")
        sent = [stage.start.send(f"meanwhile {number}").message_id for number in range(3)]
        assert [stage.ends(one, "completed")["crashes"] for one in sent] == [0, 0, 0]
        cursor.execute("ROLLBACK")

    wait_until(lambda: CaptureRun.by_id(run_id).status == "completed")


def test_a_job_that_moved_to_a_queue_which_its_claimer_does_not_serve_runs_all_the_same(stage: Stage):
    bench = stage.bench
    worker = dramatiq.Worker(bench.broker, queues={"bulk"}, worker_threads=1, worker_timeout=100)
    worker.start()
    stage.workers.append(worker)
    moved = stage.start.send_with_options(args=("now urgent",), trigger_source="manual").message_id
    knowledge = bench.value("SELECT knowledge FROM progressive_capture_workers")
    hints = Hints(bench.settings.redis_url)

    def ran() -> bool:
        hints.change(key_of("bulk", knowledge), {Hint(moved, 0, "start").encode(): 0.0}, [])
        return bench.status(moved) == "completed"

    wait_until(ran)
    hints.close()
