"""Claims, fenced page commits and finishes: each wins or loses as a whole, and says which."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import peewee
import pytest

from capture.errors import Interrupted, LeaseLost
from capture.ids import new_id
from capture.retry import Decision, History, Kind, RetryPolicy
from capture.states import JobState
from ledger.committer import Committer
from ledger.run import Run
from middleware.checkpoints import judge
from models import moves
from models.database import execute
from models.moves import Claimed, Failure
from models.worker import execute_on, leave
from tests.integration.engine import FAILED, SECONDS_PER_POINT, Bench, connection_to, ended, wait_until


@pytest.fixture
def committer() -> Iterator[Committer]:
    """The thread that ends runs."""
    one = Committer(seconds_per_point=SECONDS_PER_POINT, on_commit=lambda: None)
    one.start()
    yield one
    one.stop(5)


def write(bench: Bench, word: str) -> None:
    """A row of the actor's, in the page's transaction."""
    execute("INSERT INTO progressive_capture_identities (name) VALUES (%s)", (word,))


def next_run(bench: Bench, claimed: Claimed) -> Run:
    """The run after an interruption."""
    bench.finish(ended(claimed, Kind.INTERRUPTED))
    (again,) = bench.claim(claimed.id)
    return bench.run(again)


# Claims.


def test_a_claim_takes_its_arguments_from_the_row(bench: Bench):
    job_id = bench.sent("as sent")
    bench.query("UPDATE progressive_capture_jobs SET args = '[\"as edited\"]', kwargs = '{\"a\": 1}'")
    (claimed,) = bench.claim(job_id)

    assert (claimed.args, claimed.kwargs) == (("as edited",), {"a": 1})
    assert (claimed.id, claimed.epoch, claimed.actor, claimed.history) == (job_id, 1, "say", History(runs=1))


def test_a_claim_makes_the_job_processing_and_takes_it_out_of_the_queue(bench: Bench):
    worker_id = bench.worker()
    row = bench.job(bench.claimed(worker_id=worker_id).id)

    assert (row["status"], row["epoch"], row["worker_id"], row["runs"]) == ("processing", 1, worker_id, 1)
    assert (row["ready_rank"], row["due_at"]) == (None, None)
    assert row["started_at"] is not None


def test_a_stale_an_invented_and_a_repeated_hint_win_nothing(bench: Bench):
    worker_id = bench.worker()
    claimed = bench.claimed(worker_id=worker_id)
    waiting = bench.sent()
    hints = [(claimed.id, 0), (claimed.id, 1), (waiting, 7), (new_id(), 0)]

    assert moves.claim(bench.sql, worker_id, hints) == []
    assert [one.id for one in moves.claim(bench.sql, worker_id, [(waiting, 0), (waiting, 0)])] == [waiting]
    assert moves.claim(bench.sql, worker_id, [(waiting, 0)]) == []
    assert moves.claim(bench.sql, worker_id, []) == []


def test_a_job_that_is_not_due_or_over_or_blocked_cannot_be_claimed(bench: Bench):
    later, first = bench.sent(delay=60_000), bench.sent()
    blocked, cancelled = bench.sent(blocked_by=[first]), bench.sent()
    moves.cancel(bench.sql, cancelled, who="a", why="b")

    assert bench.claim(later, blocked, cancelled) == []
    assert moves.claim(bench.sql, bench.worker(), [(cancelled, 0)]) == []


def test_a_worker_whose_lease_is_over_or_who_has_left_or_is_unknown_wins_nothing(bench: Bench):
    expired, left = bench.worker(lease=-1), bench.worker()
    leave(bench.sql, left, "stopped")
    job_id = bench.sent()

    assert [bench.claim(job_id, worker_id=one) for one in (expired, left, new_id())] == [[], [], []]
    assert bench.status(job_id) == "pending"


def test_of_two_that_claim_at_once_exactly_one_wins_each_job(bench: Bench):
    ids = bench.sent_many(200)
    hints = [(job_id, 0) for job_id in ids]
    together = threading.Barrier(2)

    def claim(worker_id: str) -> set[str]:
        with connection_to(bench.database_url) as connection:
            together.wait(5)
            return {one.id for one in moves.claim(execute_on(connection), worker_id, hints)}

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(claim, [bench.worker(), bench.worker()])

    assert one.isdisjoint(other)
    # What was locked by the other was skipped, not waited for; each of the jobs was won at most once.
    assert bench.query("SELECT DISTINCT epoch FROM progressive_capture_jobs WHERE status = 'processing'") == [(1,)]
    assert one | other == set(ids)


# The fence and the page.


def test_rows_cursor_and_counts_of_a_page_commit_together(bench: Bench):
    claimed = bench.claimed()
    with bench.run(claimed).checkpoint("pages").commit("c1", items=3, total=10, failed=1, ids=["a", "b", "c"]):
        write(bench, "row")
        assert bench.count("progressive_capture_identities") == 0

    assert bench.count("progressive_capture_identities") == 1
    assert bench.query(
        "SELECT total_items, processed_items, failed_items, last_processed_id, checkpoint_data -> 'pages' ->> 'cursor'"
        " FROM progressive_capture_progress"
    ) == [(10, 3, 1, "c", "c1")]
    assert bench.query("SELECT step, walk, page, epoch, cursor, items, ids FROM progressive_capture_page_commits") == [
        ("pages", 1, 1, 1, "c1", 3, ["a", "b", "c"])
    ]


def test_an_error_inside_the_page_leaves_neither_rows_nor_checkpoint_nor_sends(bench: Bench):
    run = bench.run(bench.claimed())
    step = run.checkpoint("pages")
    with pytest.raises(RuntimeError), step.commit("c1", items=3):
        write(bench, "row")
        bench.sent("what follows")
        raise RuntimeError("in the middle")

    assert step.cursor is None
    assert [
        bench.count(f"progressive_capture_{one}") for one in ("identities", "progress", "page_commits", "jobs")
    ] == [
        0,
        0,
        0,
        1,
    ]


def test_what_a_page_sends_belongs_to_its_capture_run_and_says_which_job_sent_it(bench: Bench):
    run_id = new_id()
    (claimed,) = bench.claim(bench.sent(capture_run_id=run_id, trigger_source="manual"))
    with bench.inside(bench.run(claimed)) as run, run.checkpoint("pages").commit("c1", items=1):
        child = bench.sent("child")

    row = bench.job(child)
    assert (row["capture_run_id"], row["moved_by"]) == (run_id, f"job {claimed.id}")
    assert (row["processor_type"], row["metadata"]["trigger_source"]) == ("realtime", "manual")


@pytest.mark.parametrize("how", ["put back", "cancelled", "finished", "claimed by another"])
def test_a_run_that_no_longer_holds_its_job_leaves_no_row(bench: Bench, how: str):
    claimed = bench.claimed()
    step = bench.run(claimed).checkpoint("pages")
    with step.commit("c1", items=1):
        pass
    if how == "cancelled":
        moves.cancel(bench.sql, claimed.id, who="a", why="b")
    elif how == "finished":
        bench.finish(ended(claimed))
    else:
        bench.finish(ended(claimed, Kind.INTERRUPTED))
    if how == "claimed by another":
        assert bench.claim(claimed.id)

    with pytest.raises(LeaseLost), step.commit("c2", items=1):
        write(bench, "row")

    assert bench.count("progressive_capture_identities") == 0
    assert bench.value("SELECT checkpoint_data -> 'pages' ->> 'cursor' FROM progressive_capture_progress") == "c1"
    assert bench.count("progressive_capture_page_commits") == 1


def test_a_page_that_is_being_written_holds_off_whoever_would_cancel_it(bench: Bench):
    claimed = bench.claimed()
    with connection_to(bench.database_url) as connection, ThreadPoolExecutor(1) as pool:
        with bench.run(claimed).checkpoint("pages").commit("c1", items=1):
            cancelling = pool.submit(moves.cancel, execute_on(connection), claimed.id, who="a", why="b")
            wait_until(lambda: bench.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            write(bench, "row")
        assert cancelling.result(5)

    assert bench.count("progressive_capture_identities") == 1
    assert bench.status(claimed.id) == "cancelled"


def test_a_page_cannot_be_stored_twice_even_by_the_same_run(bench: Bench):
    claimed = bench.claimed()
    first, again = (bench.run(claimed).checkpoint("pages") for _ in range(2))
    with first.commit("c1", items=1):
        pass

    with pytest.raises(peewee.IntegrityError), again.commit("c1", items=1):
        write(bench, "row")

    assert bench.count("progressive_capture_identities") == 0
    assert bench.value("SELECT processed_items FROM progressive_capture_progress") == 1


def test_the_next_run_goes_on_from_the_cursor_and_its_counts_are_absolute(bench: Bench):
    claimed = bench.claimed()
    with bench.run(claimed).checkpoint("pages").commit("c1", items=3, total=9):
        pass
    bench.finish(ended(claimed, Kind.INTERRUPTED))
    (again,) = bench.claim(claimed.id)
    run = bench.run(again)
    pages, other = run.checkpoint("pages"), run.checkpoint("other")
    assert (pages.cursor, other.cursor) == ("c1", None)
    with pages.commit("c2", items=4, total=9):
        pass
    with other.commit("o1", items=1, total=2):
        pass

    assert bench.query("SELECT total_items, processed_items FROM progressive_capture_progress") == [(11, 8)]
    assert bench.query("SELECT epoch, page, items FROM progressive_capture_page_commits ORDER BY step DESC, page") == [
        (1, 1, 3),
        (2, 2, 4),
        (2, 1, 1),
    ]


def test_a_run_learns_at_its_commit_that_it_is_to_stop(bench: Bench):
    claimed = bench.claimed()
    step = bench.run(claimed).checkpoint("pages")
    bench.query("UPDATE progressive_capture_jobs SET stop_requested = 'preempted'")

    with pytest.raises(Interrupted, match="preempted"), step.commit("c1", items=1):
        write(bench, "row")

    assert bench.count("progressive_capture_identities") == 1


def test_a_run_stops_when_its_slice_is_used_up_but_never_at_the_last_page(bench: Bench):
    step = bench.run(bench.claimed(), max_items=5).checkpoint("pages")
    with step.commit("c1", items=4):
        pass
    with pytest.raises(Interrupted, match="slice"), step.commit("c2", items=1):
        pass
    with step.commit(None, items=4, last=True):
        pass

    assert step.done


def test_a_run_stops_at_its_commit_when_its_time_is_used_up(bench: Bench):
    step = bench.run(bench.claimed(), timeout_minutes=0).checkpoint("pages")

    with pytest.raises(Interrupted, match="time"), step.commit("c1", items=1):
        pass


def test_ids_that_do_not_add_up_are_walked_once_more_and_then_the_run_is_incomplete(bench: Bench):
    claimed = bench.claimed()
    first = bench.run(claimed)
    with first.checkpoint("pages").commit("c1", items=1, total=2, ids=["a"], last=True):
        pass
    judge(first)
    assert (first.kind, first.checkpoint("pages").cursor) == (Kind.INTERRUPTED, None)
    second = next_run(bench, claimed)
    with second.checkpoint("pages").commit("c1", items=1, total=2, ids=["a"], last=True):
        pass
    judge(second)

    assert second.kind is Kind.INCOMPLETE
    assert second.failure is not None
    assert second.failure.message == "The pass is not complete: pages: GitHub declares 2, seen 1."


def test_a_second_walk_that_adds_up_is_completed(bench: Bench):
    claimed = bench.claimed()
    with bench.run(claimed).checkpoint("pages").commit("c1", items=1, total=2, ids=["a"], last=True):
        pass
    run = next_run(bench, claimed)
    with run.checkpoint("pages").commit("c1", items=1, total=2, ids=["a"]):
        pass
    with run.checkpoint("pages").commit("c2", items=1, total=2, ids=["b"], last=True):
        pass
    judge(run)

    assert run.kind is Kind.COMPLETED
    assert bench.query("SELECT walk, page FROM progressive_capture_page_commits ORDER BY walk, page") == [
        (1, 1),
        (2, 1),
        (2, 2),
    ]


def test_a_run_that_returned_without_finishing_what_was_begun_is_incomplete(bench: Bench):
    claimed = bench.claimed()
    with bench.run(claimed).checkpoint("pages").commit("c1", items=1, total=2):
        pass
    run = next_run(bench, claimed)
    judge(run)

    assert run.kind is Kind.INCOMPLETE


def test_progress_forgives_earlier_failures_but_never_a_crash(bench: Bench):
    (claimed,) = bench.claim(bench.sent())
    bench.query(
        "UPDATE progressive_capture_jobs SET attempts = 2, failures_in_a_row = 2, faults_in_a_row = 1, crashes = 2"
    )
    run = bench.run(replace(claimed, history=History(2, 2, 1, 2, 3)))
    step = run.checkpoint("pages")
    with step.commit("c1", items=0):
        pass
    assert run.history == History(2, 2, 1, 2, 3)
    with step.commit("c2", items=1):
        pass

    assert run.history == History(attempts=2, crashes=2, runs=3)
    row = bench.job(claimed.id)
    assert (row["attempts"], row["failures_in_a_row"], row["faults_in_a_row"], row["crashes"]) == (2, 0, 0, 2)


# Finishes.


def test_a_completed_run_ends_its_job(bench: Bench):
    claimed = bench.claimed()

    assert bench.finish(ended(claimed, metadata={"gap": None})) == {claimed.id}
    row = bench.job(claimed.id)
    assert (row["status"], row["worker_id"], row["ready_rank"], row["due_at"]) == ("completed", None, None, None)
    assert row["completed_at"] is not None
    assert row["metadata"]["gap"] is None
    assert bench.count("progressive_capture_failures") == 0


def test_a_failed_run_leaves_a_failure_and_waits_for_its_next_try(bench: Bench):
    claimed = bench.claimed()
    with bench.run(claimed).checkpoint("pages").commit("c1", items=1):
        pass
    bench.finish(ended(claimed, Kind.TRANSIENT, policy=RetryPolicy(uniform=lambda low, _high: low), priority=5))
    row = bench.job(claimed.id)

    assert (row["status"], row["attempts"], row["failures_in_a_row"], row["ready_rank"]) == ("retrying", 1, 1, None)
    assert (row["error"], row["error_kind"], row["metadata"]["priority"]) == ("it broke", "transient", 5)
    assert 58 < bench.value("SELECT extract(epoch FROM due_at - clock_timestamp()) FROM progressive_capture_jobs") <= 60
    assert bench.query(
        "SELECT job_id::text, epoch, kind, error_class, message, trace, fingerprint, next_status, worker_id IS NOT NULL,"
        " checkpoint -> 'pages' ->> 'cursor' FROM progressive_capture_failures"
    ) == [(claimed.id, 1, "transient", "LookupError", "it broke", "the trace", "print", "retrying", True, "c1")]
    assert bench.count("progressive_capture_dead_letters") == 0


def test_a_job_that_is_given_up_leaves_a_dead_letter(bench: Bench):
    claimed = bench.claimed()
    bench.finish(ended(claimed, Kind.PERMANENT))

    assert bench.status(claimed.id) == "failed"
    assert bench.query(
        "SELECT job_id::text, epoch, kind, message, fingerprint, closed_at FROM progressive_capture_dead_letters"
    ) == [(claimed.id, 1, "permanent", "it broke", "print", None)]
    assert bench.value("SELECT next_status FROM progressive_capture_failures") == "failed"


def test_a_deferred_job_waits_until_the_time_it_was_told(bench: Bench):
    claimed = bench.claimed()
    bench.finish(ended(claimed, decision=RetryPolicy().decide(Kind.DEFERRED, claimed.history, asked_seconds=900)))
    row = bench.job(claimed.id)

    assert (row["status"], row["attempts"], row["ready_rank"]) == ("pending", 0, None)
    assert (
        890 < bench.value("SELECT extract(epoch FROM due_at - clock_timestamp()) FROM progressive_capture_jobs") <= 900
    )
    assert bench.count("progressive_capture_failures") == 0


def test_a_run_that_was_shut_down_keeps_its_place_and_one_that_used_its_slice_up_goes_to_the_back(bench: Bench):
    kept, moved = bench.claimed("kept"), bench.claimed("moved")
    before = {job_id: bench.job(job_id)["ready_at"] for job_id in (kept.id, moved.id)}
    policy = RetryPolicy()
    bench.finish(
        ended(kept, Kind.INTERRUPTED),
        ended(moved, decision=policy.decide(Kind.INTERRUPTED, moved.history, used_up=True)),
    )
    rows = {job_id: bench.job(job_id) for job_id in (kept.id, moved.id)}

    assert {row["status"] for row in rows.values()} == {"pending"}
    assert rows[kept.id]["ready_at"] == before[kept.id]
    assert rows[moved.id]["ready_at"] > before[moved.id]
    assert rows[kept.id]["ready_rank"] < rows[moved.id]["ready_rank"]
    assert {row["attempts"] for row in rows.values()} == {0}


def test_a_run_that_lost_its_job_is_told_and_changes_nothing(bench: Bench):
    lost, fine = bench.claimed(), bench.claimed()
    moves.cancel(bench.sql, lost.id, who="a", why="b")

    assert bench.finish(ended(lost, Kind.PERMANENT), ended(fine)) == {fine.id}
    assert bench.status(lost.id) == "cancelled"
    assert bench.count("progressive_capture_failures") == 0
    assert bench.count("progressive_capture_dead_letters") == 0


def test_asking_again_for_a_running_job_makes_a_successor_in_the_statement_that_ends_it(bench: Bench):
    first = bench.once.send("x").message_id
    (claimed,) = bench.claim(first)
    assert bench.once.send("x").message_id == first
    assert bench.job(first)["again"]
    bench.finish(ended(claimed))

    rows = bench.query(
        "SELECT id::text, status, args, epoch, again, unique_key IS NULL FROM progressive_capture_jobs ORDER BY id"
    )
    assert rows[0] == (first, "completed", ["x"], 1, True, True)
    (successor,) = rows[1:]
    assert successor[1:] == ("pending", ["x"], 0, False, False)
    assert bench.once.send("x").message_id == successor[0]


def test_a_failed_attempt_keeps_the_fingerprint_and_the_wish_to_run_again(bench: Bench):
    first = bench.once.send("x").message_id
    (claimed,) = bench.claim(first)
    bench.once.send("x")
    bench.finish(ended(claimed, Kind.TRANSIENT, policy=RetryPolicy(no_wait=True)))

    assert bench.count() == 1
    assert bench.once.send("x").message_id == first


def test_runs_that_end_while_a_commit_is_in_flight_go_in_one_batch(bench: Bench, committer: Committer):
    claims = bench.claim(*bench.sent_many(20))
    with connection_to(bench.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT 1 FROM progressive_capture_jobs WHERE id = %s FOR UPDATE", (claims[0].id,))
        with ThreadPoolExecutor(len(claims)) as pool:
            first = pool.submit(committer.finish, ended(claims[0]))
            wait_until(lambda: bench.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            others = [pool.submit(committer.finish, ended(one)) for one in claims[1:]]
            wait_until(lambda: committer._endings.qsize() == len(others))
            cursor.execute("COMMIT")
            assert first.result(5)
            assert all(one.result(5) for one in others)

    at = bench.query("SELECT count(DISTINCT xmin::text) FROM progressive_capture_jobs WHERE status = 'completed'")
    assert at == [(2,)]


def test_a_finish_that_the_database_refuses_is_bisected_out_and_stored_with_a_safe_text(
    bench: Bench, committer: Committer
):
    claims = bench.claim(*bench.sent_many(9))
    bad = Failure("LookupError", "a\x00b", None, "print")
    ends = [ended(one) for one in claims[:8]] + [ended(claims[8], Kind.PERMANENT, failure=bad)]
    with ThreadPoolExecutor(len(ends)) as pool:
        assert list(pool.map(committer.finish, ends)) == [True] * 9

    assert [bench.status(one.id) for one in claims] == ["completed"] * 8 + ["failed"]
    (letter,) = bench.query("SELECT message FROM progressive_capture_dead_letters")
    assert letter == ("The end of the run could not be stored as it was.",)


def test_a_wait_that_no_calendar_holds_does_not_keep_a_run_from_ending(bench: Bench, committer: Committer):
    claimed = bench.claimed()
    decision = Decision(JobState.RETRYING, Kind.TRANSIENT, claimed.history, wait_seconds=1e18)

    assert committer.finish(ended(claimed, decision=decision, failure=FAILED))
    assert bench.status(claimed.id) != "processing"


def test_a_job_that_ran_too_often_is_given_up_with_a_reason(bench: Bench, committer: Committer):
    claimed = bench.claimed()
    decision = RetryPolicy(max_runs=1).decide(Kind.INTERRUPTED, claimed.history)

    assert committer.finish(ended(claimed, decision=decision))
    assert bench.status(claimed.id) == "failed"
    assert bench.value("SELECT message FROM progressive_capture_dead_letters")


def test_a_finish_waits_while_its_session_is_cut_and_is_known_afterwards(bench: Bench, committer: Committer):
    claims = bench.claim(*bench.sent_many(2))
    assert committer.finish(ended(claims[0]))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert bench.query(cut)

    began = time.monotonic()
    assert committer.finish(ended(claims[1]))
    assert time.monotonic() - began < 5
    assert bench.status(claims[1].id) == "completed"


def test_the_log_tells_whether_a_finish_without_an_answer_was_committed(bench: Bench):
    won, lost = bench.claimed(), bench.claimed()
    bench.finish(ended(won))
    moves.cancel(bench.sql, lost.id, who="a", why="b")

    assert moves.won_after_all(bench.sql, [ended(won), ended(lost)]) == {won.id}


# Putting back.


def test_putting_back_makes_jobs_ready_in_their_old_place_and_fences_the_runs(bench: Bench):
    worker_id = bench.worker()
    mine, other = bench.claimed("mine", worker_id), bench.claimed("other")
    before = bench.job(mine.id)["ready_at"]
    step = bench.run(mine).checkpoint("pages")

    assert moves.put_back(bench.sql, worker_id, why="shutdown", seconds_per_point=SECONDS_PER_POINT) == [mine.id]
    row = bench.job(mine.id)
    assert (row["status"], row["ready_at"], row["worker_id"], row["attempts"]) == ("pending", before, None, 0)
    assert row["ready_rank"] is not None
    assert bench.status(other.id) == "processing"
    with pytest.raises(LeaseLost), step.commit("c1", items=1):
        pass
    assert bench.finish(ended(mine)) == set()


def test_putting_back_named_jobs_leaves_the_others(bench: Bench):
    worker_id = bench.worker()
    one, other = bench.claimed("one", worker_id), bench.claimed("other", worker_id)
    back = moves.put_back(
        bench.sql, worker_id, why="shutdown", seconds_per_point=SECONDS_PER_POINT, job_ids=[one.id, new_id()]
    )

    assert back == [one.id]
    assert bench.status(other.id) == "processing"


def test_a_finish_that_python_cannot_write_down_ends_with_a_safe_text_too(bench: Bench, committer: Committer):
    claimed = bench.claimed()

    assert committer.finish(replace(ended(claimed), metadata={"x": object()}))
    assert bench.status(claimed.id) == "completed"


def test_a_finish_after_the_committer_has_stopped_is_left_to_the_rescue(bench: Bench):
    claimed = bench.claimed()
    stopped = Committer(seconds_per_point=SECONDS_PER_POINT, on_commit=lambda: None)
    stopped.start()
    stopped.stop(5)

    assert not stopped.finish(ended(claimed))
    assert bench.status(claimed.id) == "processing"


def test_a_committer_lives_on_when_the_leader_cannot_be_woken(bench: Bench):
    def out_of_threads() -> None:
        raise RuntimeError("can't start new thread")

    claims = bench.claim(*bench.sent_many(2))
    one = Committer(seconds_per_point=SECONDS_PER_POINT, on_commit=out_of_threads)
    one.start()

    assert [one.finish(ended(claimed)) for claimed in claims] == [True, True]
    one.stop(5)


def test_a_worker_that_was_taken_for_lost_cannot_register_under_its_old_id(bench: Bench):
    worker_id = bench.worker()
    bench.query("UPDATE progressive_capture_workers SET stopped_at = clock_timestamp() WHERE id = %s::uuid", worker_id)

    bench.worker(worker_id=worker_id)

    assert bench.claim(bench.sent(), worker_id=worker_id) == []
    assert bench.value("SELECT stopped_at IS NOT NULL FROM progressive_capture_workers WHERE id = %s::uuid", worker_id)
