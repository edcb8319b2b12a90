"""The database refuses what the table of moves does not have, whoever asks, and logs the rest."""

from __future__ import annotations

import contextlib
import itertools

import psycopg2
import psycopg2.errors
import pytest

from capture.ids import new_id
from capture.retry import Kind
from capture.states import BEGINNINGS, JobState, may_move
from models import moves
from tests.integration.engine import Bench, ended, in_state

LONG_RUNNING = (
    "SELECT * FROM progressive_capture_jobs WHERE status = 'processing' AND started_at < NOW() - INTERVAL '1 hour'"
)
ERRORS = """
SELECT error, COUNT(*) as count FROM progressive_capture_jobs
WHERE status = 'failed' AND created_at > NOW() - INTERVAL '24 hours' GROUP BY error ORDER BY count DESC
"""
WAITING = """
SELECT processor_type, CASE WHEN metadata->>'priority' IS NULL THEN 0 ELSE (metadata->>'priority')::int END as priority,
       COUNT(*) as count
FROM progressive_capture_jobs WHERE status = 'pending' GROUP BY processor_type, priority ORDER BY priority DESC
"""


def test_the_database_allows_exactly_the_moves_of_the_table_whoever_asks(bench: Bench):
    allowed, refused = set(), set()
    for old, new in itertools.product(JobState, JobState):
        (job_id,) = in_state(bench, old)
        raised = 1 if new is JobState.PROCESSING != old else 0
        try:
            bench.query(
                "UPDATE progressive_capture_jobs SET status = %s, epoch = epoch + %s WHERE id = %s", new, raised, job_id
            )
        except psycopg2.errors.CheckViolation:
            refused.add((old, new))
        else:
            allowed.add((old, new))

    assert allowed == {(old, new) for old, new in allowed | refused if old is new or may_move(old, new)}
    assert len(allowed) + len(refused) == 49


def test_a_job_begins_waiting_and_at_epoch_0(bench: Bench):
    begun = set()
    for status, epoch in itertools.product(JobState, (0, 1)):
        with contextlib.suppress(psycopg2.errors.CheckViolation):
            bench.query(
                "INSERT INTO progressive_capture_jobs (id, actor, processor_type, status, epoch, ready_rank, blocked_by, worker_id)"
                " VALUES (%s, 'a', 'bulk', %s, %s, 1, '{}', %s)",
                new_id(),
                status,
                epoch,
                new_id(),
            )
            begun.add((status, epoch))

    assert begun == {(status, 0) for status in BEGINNINGS}


def test_an_epoch_never_goes_down(bench: Bench):
    for state in JobState:
        (job_id,) = in_state(bench, state)
        with pytest.raises(psycopg2.errors.CheckViolation):
            bench.query("UPDATE progressive_capture_jobs SET epoch = epoch - 1 WHERE id = %s", job_id)


def test_a_claim_raises_the_epoch_by_exactly_one(bench: Bench):
    (job_id,) = in_state(bench, JobState.PENDING)
    for step in (0, 2, 10):
        with pytest.raises(psycopg2.errors.CheckViolation):
            bench.query("UPDATE progressive_capture_jobs SET status = 'processing', epoch = epoch + %s", step)

    assert bench.status(job_id) == "pending"


def test_a_row_that_no_reader_could_make_sense_of_is_refused(bench: Bench):
    bench.sent()
    for wrong in ("status = 'running'", "ready_rank = NULL", "args = '{}'", "kwargs = '[]'"):
        with pytest.raises(psycopg2.errors.CheckViolation):
            bench.query(f"UPDATE progressive_capture_jobs SET {wrong}")
    with pytest.raises(psycopg2.errors.CheckViolation, match="processing_has_a_worker"):
        bench.query("UPDATE progressive_capture_jobs SET status = 'processing', epoch = 1")


def test_the_log_has_one_row_per_move_with_who_and_why(bench: Bench):
    claimed = bench.claimed()
    bench.finish(ended(claimed))

    rows = bench.query(
        "SELECT from_status, to_status, epoch, who <> '', why FROM progressive_capture_transitions WHERE job_id = %s ORDER BY id",
        claimed.id,
    )
    assert rows == [
        (None, "pending", 0, True, "sent"),
        ("pending", "processing", 1, True, "claimed"),
        ("processing", "completed", 1, True, "ended as completed"),
    ]


def test_a_move_by_hand_is_logged_under_the_name_of_the_session_and_without_a_reason_of_others(bench: Bench):
    job_id = bench.sent()
    bench.query("UPDATE progressive_capture_jobs SET status = 'cancelled' WHERE id = %s", job_id)

    who, why, late = bench.query(
        "SELECT who, why, at > (SELECT moved_at FROM progressive_capture_jobs WHERE id = job_id)"
        " FROM progressive_capture_transitions WHERE job_id = %s AND to_status = 'cancelled'",
        job_id,
    )[0]
    assert (who, why, late) == (bench.value("SELECT session_user"), None, True)


def test_a_job_inserted_by_hand_is_logged_under_the_name_of_the_session(bench: Bench):
    bench.query(
        "INSERT INTO progressive_capture_jobs (id, actor, processor_type, status, ready_rank) VALUES (%s, 'a', 'bulk', 'pending', 1)",
        new_id(),
    )

    assert bench.query("SELECT who, why FROM progressive_capture_transitions") == [
        (bench.value("SELECT session_user"), None)
    ]


def test_one_statement_over_many_jobs_logs_each_of_them_once(bench: Bench):
    ids = bench.sent_many(50)
    bench.query("UPDATE progressive_capture_jobs SET status = 'cancelled', unique_key = NULL")

    assert all(bench.log(job_id) == [(None, "pending"), ("pending", "cancelled")] for job_id in ids)


def test_becoming_ready_or_being_edited_is_no_move(bench: Bench):
    job_id = bench.sent()
    bench.query("UPDATE progressive_capture_jobs SET ready_rank = 1, metadata = metadata || '{\"priority\": 90}'")

    assert bench.log(job_id) == [(None, "pending")]


def test_the_log_outlives_an_update_that_is_refused(bench: Bench):
    job_id = bench.sent()
    with pytest.raises(psycopg2.errors.CheckViolation):
        bench.query("UPDATE progressive_capture_jobs SET status = 'completed' WHERE id = %s", job_id)

    assert bench.log(job_id) == [(None, "pending")]


def test_cancelling_a_running_job_moves_it_at_once_and_raises_its_epoch(bench: Bench):
    claimed = bench.claimed()

    assert moves.cancel(bench.sql, claimed.id, who="an operator", why="not wanted")
    assert not moves.cancel(bench.sql, claimed.id, who="an operator", why="not wanted")
    row = bench.job(claimed.id)
    assert (row["status"], row["epoch"], row["worker_id"]) == ("cancelled", claimed.epoch + 1, None)
    assert bench.query("SELECT who, why FROM progressive_capture_transitions WHERE to_status = 'cancelled'") == [
        ("an operator", "not wanted")
    ]


def test_the_operators_three_statements_run_as_written(bench: Bench):
    running, failing = bench.claimed(), bench.claimed()
    bench.finish(ended(failing, Kind.PERMANENT))
    bench.sent(trigger_source="manual")
    bench.query(
        "UPDATE progressive_capture_jobs SET started_at = started_at - interval '2 hours' WHERE id = %s", running.id
    )
    bench.query(
        "INSERT INTO progressive_capture_jobs (id, actor, processor_type, status, ready_rank) VALUES (%s, 'a', 'bulk', 'pending', 1)",
        new_id(),
    )
    long_running, errors, waiting = (bench.query(statement) for statement in (LONG_RUNNING, ERRORS, WAITING))

    assert [str(row[0]) for row in long_running] == [running.id]
    assert errors == [("it broke", 1)]
    assert waiting == [("realtime", 40, 1), ("bulk", 0, 1)]


def test_the_tables_have_the_columns_that_operators_know(bench: Bench):
    wanted = {
        "progressive_capture_jobs": "id status processor_type metadata error created_at started_at completed_at updated_at",
        "progressive_capture_progress": "job_id total_items processed_items failed_items last_processed_id checkpoint_data updated_at",
    }
    for table, columns in wanted.items():
        found = {
            row[0]
            for row in bench.query("SELECT column_name FROM information_schema.columns WHERE table_name = %s", table)
        }
        assert set(columns.split()) <= found


def test_no_index_of_the_jobs_mentions_the_state(bench: Bench):
    indexes = bench.query("SELECT indexdef FROM pg_indexes WHERE tablename = 'progressive_capture_jobs'")

    assert indexes
    assert not [definition for (definition,) in indexes if "status" in definition]
