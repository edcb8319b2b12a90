"""Rescue: what a lost worker held goes back, charged as a crash only where a process died."""

from __future__ import annotations

import psycopg2
import pytest

from capture.errors import LeaseLost
from capture.ids import new_id
from capture.retry import RetryPolicy
from ledger.duties.rescue import RETURN_SECONDS, Rescuer
from models import moves
from models import worker as workers
from models.worker import execute_on
from tests.integration.engine import Bench, connection_to, ended, wait_until
from tests.integration.test_dispatch import Time


class Watch:
    """A leader's rescuer whose clock is turned by hand, and a worker on a connection that can be cut."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.time = Time()
        self.term = bench.lead()
        self.rescuer = self.new_rescuer()

    def new_rescuer(self) -> Rescuer:
        return Rescuer(RetryPolicy(uniform=lambda low, _high: low), seconds_per_point=60.0, clock=self.time)

    def look(self, later: float = 0.0) -> int:
        self.time.now += later
        return self.rescuer.rescue(self.bench.sql, term=self.term)

    def worker_that_dies(self, *words: str) -> tuple[str, list[moves.Claimed]]:
        """A worker that has claimed jobs, and whose connection is gone since."""
        connection = psycopg2.connect(self.bench.database_url)
        connection.autocommit = True
        worker_id = self.bench.worker(execute_on(connection))
        claims = [self.bench.claimed(word, worker_id) for word in words]
        pid = connection.info.backend_pid
        connection.close()
        wait_until(lambda: not self.bench.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid))
        return worker_id, claims


@pytest.fixture
def watch(bench: Bench) -> Watch:
    return Watch(bench)


def crash(watch: Watch, job_id: str) -> None:
    """A worker claims the job and dies."""
    bench = watch.bench
    bench.query(
        "UPDATE progressive_capture_jobs SET due_at = NULL, ready_at = clock_timestamp(), ready_rank = 1 WHERE id = %s",
        job_id,
    )
    worker_id, _ = watch.worker_that_dies()
    assert bench.claim(job_id, worker_id=worker_id)
    assert watch.look() == 0
    assert watch.look(RETURN_SECONDS) == 1


def test_a_worker_that_is_gone_for_three_seconds_loses_its_jobs(bench: Bench, watch: Watch):
    worker_id, claims = watch.worker_that_dies("a", "b")

    assert watch.look() == 0
    assert watch.look(RETURN_SECONDS - 0.01) == 0
    assert watch.look(0.02) == 2
    rows = [bench.job(one.id) for one in claims]
    assert [(row["status"], row["attempts"], row["crashes"]) for row in rows] == [("pending", 0, 1)] * 2
    assert all(row["ready_rank"] is not None for row in rows)
    assert bench.query("SELECT end_cause FROM progressive_capture_workers WHERE id = %s", worker_id) == [
        ("its process is gone",)
    ]
    assert bench.query("SELECT DISTINCT kind, error_class, next_status FROM progressive_capture_failures") == [
        ("crash", "WorkerLost", "pending")
    ]
    assert watch.look(10) == 0


def test_a_run_of_a_worker_that_was_only_thought_dead_writes_nothing_more(bench: Bench, watch: Watch):
    _, (claimed,) = watch.worker_that_dies("a")
    watch.look()
    watch.look(RETURN_SECONDS)

    with pytest.raises(LeaseLost), bench.run(claimed).checkpoint("pages").commit("c1", items=1):
        pass
    assert bench.finish(ended(claimed)) == set()
    assert bench.count("progressive_capture_page_commits") == 0


def test_a_worker_that_registers_again_in_time_keeps_its_jobs(bench: Bench, watch: Watch):
    worker_id, (claimed,) = watch.worker_that_dies("a")
    assert watch.look() == 0
    with connection_to(bench.database_url) as connection:
        bench.worker(execute_on(connection), worker_id=worker_id, running=[claimed.id])
        assert watch.look(RETURN_SECONDS + 1) == 0
        assert bench.status(claimed.id) == "processing"


def test_a_new_leader_counts_the_seconds_anew(bench: Bench, watch: Watch):
    watch.worker_that_dies("a")
    watch.look()
    watch.rescuer = watch.new_rescuer()

    assert watch.look(RETURN_SECONDS) == 0
    assert watch.look(RETURN_SECONDS) == 1


def test_crashes_are_tried_at_once_then_with_backoff_then_the_job_is_given_up(bench: Bench, watch: Watch):
    job_id = bench.sent()
    seen = []
    for _ in range(3):
        crash(watch, job_id)
        row = bench.job(job_id)
        seen.append((row["status"], row["crashes"], row["attempts"], row["due_at"] is not None))

    assert seen == [("pending", 1, 0, False), ("retrying", 2, 0, True), ("failed", 3, 0, False)]
    assert bench.query("SELECT kind, message FROM progressive_capture_dead_letters") == [
        ("crash", "The worker died while it ran the job: its process is gone.")
    ]
    assert bench.count("progressive_capture_failures") == 3


def test_a_crash_is_not_charged_when_postgresql_was_restarted_meanwhile(bench: Bench, watch: Watch):
    worker_id, (claimed,) = watch.worker_that_dies("a")
    bench.query(
        "UPDATE progressive_capture_workers SET registered_at = pg_postmaster_start_time() - interval '1 minute' WHERE id = %s",
        worker_id,
    )
    watch.look()
    assert watch.look(RETURN_SECONDS) == 1

    row = bench.job(claimed.id)
    assert (row["status"], row["crashes"], row["attempts"]) == ("pending", 0, 0)
    assert bench.count("progressive_capture_failures") == 0


@pytest.mark.parametrize("how", ["the lease is over", "the worker signed off", "the worker is unknown"])
def test_jobs_whose_worker_has_no_lease_go_back(bench: Bench, watch: Watch, how: str):
    worker_id = bench.worker()
    claimed = bench.claimed(worker_id=worker_id)
    if how == "the lease is over":
        bench.query("UPDATE progressive_capture_workers SET lease_until = clock_timestamp()")
    elif how == "the worker signed off":
        workers.leave(bench.sql, worker_id, "stopped")
    else:
        bench.query("DELETE FROM progressive_capture_workers")

    assert watch.look() == 1
    assert bench.status(claimed.id) == "pending"


def test_a_job_that_its_live_worker_does_not_vouch_for_goes_back_uncharged(bench: Bench, watch: Watch):
    worker_id = bench.worker()
    held, forgotten, young = (bench.claimed(word, worker_id) for word in ("held", "forgotten", "young"))
    bench.query(
        "UPDATE progressive_capture_jobs SET started_at = started_at - interval '20 s' WHERE id <> %s::uuid", young.id
    )
    assert workers.renew(bench.sql, worker_id=worker_id, lease_seconds=600, running=[held.id], draining=False)

    assert watch.look() == 1
    row = bench.job(forgotten.id)
    assert (row["status"], row["crashes"], row["attempts"]) == ("pending", 0, 0)
    assert [bench.status(one.id) for one in (held, young)] == ["processing", "processing"]


def test_a_job_that_is_just_being_finished_is_left_to_its_finish(bench: Bench, watch: Watch):
    _, (finishing, other) = watch.worker_that_dies("finishing", "other")
    watch.look()
    with connection_to(bench.database_url) as connection:
        connection.autocommit = False
        sql = execute_on(connection)
        assert moves.finish(sql, [ended(finishing)], seconds_per_point=60.0) == {finishing.id}
        assert watch.look(RETURN_SECONDS) == 1
        connection.commit()

    assert [bench.status(one.id) for one in (finishing, other)] == ["completed", "pending"]
    assert watch.look(10) == 0


def test_only_the_leader_of_the_term_rescues(bench: Bench, watch: Watch):
    worker_id = bench.worker()
    claimed = bench.claimed(worker_id=worker_id)
    workers.leave(bench.sql, worker_id, "stopped")

    assert watch.rescuer.rescue(bench.sql, term=watch.term + 1) == 0
    assert bench.status(claimed.id) == "processing"
    assert watch.look() == 1


def test_a_rescued_job_keeps_its_checkpoint(bench: Bench, watch: Watch):
    worker_id = bench.worker()
    claimed = bench.claimed(worker_id=worker_id)
    with bench.run(claimed).checkpoint("pages").commit("c7", items=7):
        pass
    workers.leave(bench.sql, worker_id, "stopped")
    watch.look()
    (again,) = bench.claim(claimed.id)

    assert bench.run(again).checkpoint("pages").cursor == "c7"


def test_a_job_that_ran_too_often_is_given_up_and_does_not_hold_up_the_leader(bench: Bench, watch: Watch):
    worker_id = bench.worker()
    tired, fine = bench.claimed("tired", worker_id), bench.claimed("fine", worker_id)
    bench.query(
        "UPDATE progressive_capture_jobs SET runs = 1000, started_at = started_at - interval '20 s' WHERE id = %s",
        tired.id,
    )
    bench.query("UPDATE progressive_capture_jobs SET started_at = started_at - interval '20 s' WHERE id = %s", fine.id)
    workers.renew(bench.sql, worker_id=worker_id, lease_seconds=600, running=[], draining=False)

    assert watch.look() == 2
    assert [bench.status(one.id) for one in (tired, fine)] == ["failed", "pending"]
    assert bench.query("SELECT kind FROM progressive_capture_dead_letters") == [("no_end",)]


@pytest.mark.parametrize("metadata", ["{}", '{"trigger_source": "", "time_range_days": 0, "priority": 5}'])
def test_metadata_that_was_edited_by_hand_does_not_keep_jobs_from_being_rescued(
    bench: Bench, watch: Watch, metadata: str
):
    worker_id = bench.worker()
    edited, fine = bench.claimed("edited", worker_id), bench.claimed("fine", worker_id)
    bench.query("UPDATE progressive_capture_jobs SET metadata = %s WHERE id = %s", metadata, edited.id)
    workers.leave(bench.sql, worker_id, "stopped")

    assert watch.look() == 2
    assert [bench.status(one.id) for one in (edited, fine)] == ["pending", "pending"]


def test_a_worker_that_was_taken_for_lost_cannot_renew(bench: Bench, watch: Watch):
    worker_id, _ = watch.worker_that_dies("a")
    watch.look()
    watch.look(RETURN_SECONDS)

    assert not workers.renew(bench.sql, worker_id=worker_id, lease_seconds=30, running=[], draining=False)
    assert not workers.renew(bench.sql, worker_id=new_id(), lease_seconds=30, running=[], draining=False)


def test_how_a_process_died_is_kept(bench: Bench):
    worker_id = bench.worker(pid=4711)

    assert workers.record_end(bench.sql, host="here", pid=4711, cause="killed by signal 9")
    assert not workers.record_end(bench.sql, host="here", pid=4712, cause="killed by signal 9")
    assert bench.query("SELECT end_cause FROM progressive_capture_workers WHERE id = %s", worker_id) == [
        ("killed by signal 9",)
    ]
