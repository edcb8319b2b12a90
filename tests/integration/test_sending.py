"""Sending: one row, in the caller's transaction, without Redis; bad input is refused with one sentence and stores nothing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import dramatiq
import psycopg2
import pytest
from dramatiq.middleware import (
    AgeLimit,
    Callbacks,
    GroupCallbacks,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
)
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from capture import producer
from capture.current import NoCurrentJob
from capture.errors import Refused
from capture.ids import new_id
from capture.job_types import JOB_TYPES
from ledger.actor import REPLACED, LedgerActor
from ledger.broker import LedgerBroker
from models import moves
from models.database import transaction
from tests.integration.engine import Bench, connection_to

NOWHERE = "redis://127.0.0.1:1/0"


def capture_actor(bench: Bench, name: str = "fetch_prs") -> Any:
    """An actor of a capture type, on the bench's broker."""

    def fetch(repository: str, since_days: int | None = None) -> None:
        """Never run here."""

    fetch.__name__ = name
    options = {"job_type": JOB_TYPES[name]}
    return LedgerActor(fetch, broker=bench.broker, actor_name=name, queue_name="bulk", priority=0, options=options)


def refused(bench: Bench, attempt: Callable[[], Any], word: str | None = None) -> str:
    """The one sentence with which ``attempt`` is refused; nothing was stored."""
    before = bench.count()
    with pytest.raises(Refused, match=word) as refusal:
        attempt()
    sentence = str(refusal.value)
    assert bench.count() == before
    assert "\n" not in sentence.strip(), sentence
    assert sentence.endswith("."), sentence
    return sentence


# One row.


def test_a_sent_job_is_one_row_that_says_everything(bench: Bench):
    message = bench.say.send_with_options(
        args=("hello",), trigger_source="manual", repository_size="small", time_range_days=7
    )
    row = bench.job(message.message_id)

    assert (row["status"], row["actor"], row["args"], row["kwargs"], row["epoch"]) == (
        "pending",
        "say",
        ["hello"],
        {},
        0,
    )
    assert row["processor_type"] == "realtime"
    assert row["metadata"] == {
        "priority": 90,
        "trigger_source": "manual",
        "repository_size": "small",
        "time_range_days": 7,
    }
    assert bench.value(
        "SELECT extract(epoch FROM ready_at) - ready_rank FROM progressive_capture_jobs"
    ) == pytest.approx(90 * 60)


def test_a_sent_job_joins_the_callers_transaction(bench: Bench):
    with pytest.raises(RuntimeError), transaction():
        bench.sent()
        raise RuntimeError("changed my mind")
    assert bench.count() == 0

    with transaction():
        job_id = bench.sent()
        assert bench.count() == 0
    assert bench.status(job_id) == "pending"


def test_sending_needs_no_redis_and_is_quick_without_it(bench: Bench):
    bench.change_settings(redis_url=NOWHERE)
    bench.sent()
    began = time.monotonic()
    ids = [bench.sent(str(number)) for number in range(10)]

    assert time.monotonic() - began < 1
    assert len({bench.status(job_id) for job_id in ids}) == 1


def test_a_delayed_job_is_due_by_the_databases_clock(bench: Bench):
    ids = [bench.sent(delay=90_000), bench.sent(delay=timedelta(seconds=90))]

    for job_id in ids:
        row = bench.job(job_id)
        assert (row["status"], row["ready_rank"], row["ready_at"]) == ("pending", None, None)
    waits = bench.query("SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM progressive_capture_jobs")
    assert all(85 < wait <= 90 for (wait,) in waits)


def test_send_many_returns_the_ids_in_order_and_is_one_transaction(bench: Bench):
    ids = bench.say.send_many([("a",), {"word": "b"}, ("c",)], trigger_source="manual")

    assert [bench.job(job_id)["args"] or bench.job(job_id)["kwargs"] for job_id in ids] == [["a"], {"word": "b"}, ["c"]]
    assert bench.value("SELECT count(DISTINCT xmin::text) FROM progressive_capture_jobs") == 1
    refused(bench, lambda: bench.say.send_many([("d",), ()]))


def test_send_many_takes_more_than_a_slice_and_none_at_all(bench: Bench):
    ids = bench.sent_many(2500)

    assert len(set(ids)) == bench.count() == 2500
    assert bench.say.send_many([]) == []


def test_a_blocked_job_waits_without_a_place_in_the_queue(bench: Bench):
    first = bench.sent()
    row = bench.job(bench.sent(blocked_by=[first]))

    assert (row["status"], row["blocked_by"], row["ready_rank"], row["due_at"]) == ("blocked", [first], None, None)


def test_an_actor_with_a_queue_of_its_own_keeps_to_it(bench: Bench):
    def own() -> None:
        """A toy."""

    message = bench.actor(own, queue_name="mine").send_with_options(trigger_source="manual")

    assert bench.job(message.message_id)["processor_type"] == "mine"


# Uniqueness.


def test_a_second_send_returns_the_live_job_and_the_higher_score_stays(bench: Bench):
    first = bench.once.send("x").message_id
    second = bench.once.send_with_options(args=("x",), trigger_source="manual").message_id
    third = bench.once.send_with_options(kwargs={"word": "x"}, repository_size="small").message_id
    row = bench.job(first)

    assert first == second == third
    assert bench.count() == 1
    assert (row["processor_type"], row["metadata"]["priority"], row["again"]) == ("realtime", 40, False)
    assert bench.value(
        "SELECT extract(epoch FROM ready_at) - ready_rank FROM progressive_capture_jobs"
    ) == pytest.approx(40 * 60)


def test_other_arguments_are_another_job_and_a_finished_job_is_no_twin(bench: Bench):
    first = bench.once.send("x").message_id
    assert bench.once.send("y").message_id != first
    bench.settle(first, "completed")

    assert bench.once.send("x").message_id != first


@pytest.mark.parametrize("state", ["pending", "blocked", "delayed", "processing", "retrying"])
def test_a_twin_in_any_live_state_is_found(bench: Bench, state: str):
    options: dict[str, Any] = {
        "blocked": {"blocked_by": [new_id()]},
        "delayed": {"delay": 60_000},
    }.get(state, {})
    first = bench.once.send_with_options(args=("x",), **options).message_id
    if state in ("processing", "retrying"):
        assert bench.claim(first)
    if state == "retrying":
        bench.query("UPDATE progressive_capture_jobs SET status = 'retrying', ready_rank = 1, worker_id = NULL")

    assert bench.once.send("x").message_id == first
    assert bench.job(first)["again"] is (state == "processing")


def test_the_case_of_a_repositorys_name_does_not_matter(bench: Bench):
    fetch = capture_actor(bench)
    ids = {fetch.send(*args).message_id for args in (("Octo/Hello",), ("octo/hello",), ("OCTO/HELLO", None))}

    assert len(ids) == 1
    assert bench.job(ids.pop())["repository"] == "Octo/Hello"
    assert fetch.send("octo/hello", 7).message_id != fetch.send("octo/hello", 8).message_id


def test_send_many_with_duplicates_inside_makes_one_job_of_each(bench: Bench):
    live = bench.once.send("b").message_id
    ids = bench.once.send_many([("a",), ("b",), ("a",), ("c",), ("b",)])

    assert ids[0] == ids[2]
    assert ids[1] == ids[4] == live
    assert bench.count() == 3


def test_many_senders_at_once_make_one_job_of_each_and_lock_nobody_out(bench: Bench):
    together = threading.Barrier(4)

    def send(turn: int) -> list[str]:
        words = [(str(number),) for number in range(60)]
        together.wait(5)
        return bench.once.send_many(words if turn % 2 else words[::-1])

    with ThreadPoolExecutor(4) as pool:
        for found in (list(pool.map(send, range(4))) for _ in range(3)):
            assert len({job_id for ids in found for job_id in ids}) == 60

    assert bench.count() == 60


def test_a_fingerprint_that_a_hand_at_psql_left_on_an_ended_job_is_freed(bench: Bench):
    first = bench.once.send("x").message_id
    bench.query("UPDATE progressive_capture_jobs SET status = 'cancelled', ready_rank = NULL")
    ids = bench.once.send_many([("w",), ("x",)])

    assert first not in ids
    assert [bench.status(job_id) for job_id in (first, *ids)] == ["cancelled", "pending", "pending"]
    assert bench.count() == 3


def test_a_cancelled_job_gives_its_fingerprint_free(bench: Bench):
    first = bench.once.send("x").message_id
    moves.cancel(bench.sql, first, who="a", why="b")

    assert bench.once.send("x").message_id != first


# Refusals.

BAD_NAMES = [
    "a/b\n",
    "\na/b",
    "a/../b",
    "a/b.git",
    "a b/c",
    "a/b c",
    "octo",
    "",
    "-a/b",
    "a/..",
    "https://github.com/a/b",
]


def test_a_bad_repository_or_an_absurd_number_is_refused(bench: Bench):
    fetch = capture_actor(bench)

    for name in BAD_NAMES:
        refused(bench, lambda name=name: fetch.send(name))
    for days in (0, -1, 10**9, 1.5, True, "7"):
        refused(bench, lambda days=days: fetch.send("octo/hello", since_days=days), "since_days")


def test_arguments_that_cannot_be_stored_as_they_are_are_refused(bench: Bench):
    for value in (object(), math.nan, math.inf, {1, 2}, [(1, 2)], {1: 2}, b"x", "x" * 65_536, "a\x00b", {"\x00": 1}):
        refused(bench, lambda value=value: bench.say.send(value), "say")
    refused(bench, lambda: bench.say.send("\ud800"), "say")


def test_a_wrong_signature_or_an_unknown_actor_is_refused(bench: Bench):
    refused(bench, lambda: bench.say.send(), "do not fit")
    refused(bench, lambda: bench.say.send("a", "b"), "do not fit")
    refused(bench, lambda: bench.say.send(other="a"), "do not fit")
    stranger = dramatiq.Message("bulk", "stranger", (), {}, {})
    refused(bench, lambda: bench.broker.enqueue(stranger), "no actor 'stranger'")


def test_facts_options_and_delays_that_mean_nothing_are_refused(bench: Bench):
    for options in (
        {"urgency": 7},
        {"priority": 1},
        {"trigger_source": ""},
        {"repository_size": "huge"},
        {"time_range_days": -1},
        {"delay": -1},
        {"delay": 10**12},
    ):
        refused(bench, lambda options=options: bench.sent(**options))


def test_ids_that_are_no_ids_are_refused(bench: Bench):
    refused(bench, lambda: bench.sent(capture_run_id="one"))
    refused(bench, lambda: bench.sent(blocked_by=["one"]))


def test_every_option_of_dramatiqs_that_is_replaced_is_refused_at_send_and_at_declaration(bench: Bench):
    for name in REPLACED:
        refused(bench, lambda name=name: bench.sent(**{name: 1}), name)
        with pytest.raises(Refused, match=name):
            LedgerActor(
                say_too, broker=bench.broker, actor_name="say_too", queue_name="bulk", priority=0, options={name: 1}
            )
    assert "say_too" not in bench.broker.actors
    assert {"max_retries", "time_limit", "min_backoff", "store_results", "pipe_target"} <= set(REPLACED)


def say_too(word: str) -> None:
    """A toy."""


def test_pipelines_and_groups_with_callbacks_are_refused(bench: Bench):
    before = dramatiq.broker.global_broker
    dramatiq.set_broker(bench.broker)
    try:
        piped = bench.say.message("a") | bench.say.message("b")
        refused(bench, piped.run, "pipe_target")
    finally:
        dramatiq.broker.global_broker = before
    refused(bench, dramatiq.pipeline([bench.say.message("a"), bench.say.message("b")], broker=bench.broker).run)
    group = dramatiq.group([bench.say.message("a")], broker=bench.broker)
    group.add_completion_callback(bench.say.message("b"))
    with pytest.raises((Refused, RuntimeError)):
        group.run()
    assert bench.count() == 0


def test_an_async_actor_is_refused(bench: Bench):
    async def later() -> None:
        """A toy."""

    with pytest.raises(Refused, match="async"):
        bench.actor(later)


@pytest.mark.parametrize(
    "middleware",
    [Retries, TimeLimit, AgeLimit, Pipelines, Callbacks, GroupCallbacks, ShutdownNotifications, Results],
)
def test_dramatiqs_middleware_whose_work_the_ledger_does_is_refused(middleware: type[Any]):
    one = (
        middleware(backend=StubBackend())
        if middleware is Results
        else middleware(None)
        if middleware is GroupCallbacks
        else middleware()
    )
    with pytest.raises(Refused, match=middleware.__name__):
        LedgerBroker(lambda: pytest.fail("no settings are needed"), [one])


def test_an_actor_that_is_called_outside_a_run_refuses(bench: Bench):
    with pytest.raises(NoCurrentJob):
        bench.say("x")
    with bench.inside(bench.run(bench.claimed())):
        assert bench.say("x") is None
        with pytest.raises(NoCurrentJob):
            bench.once("x")


# By name.


def test_sending_by_name_over_a_plain_connection_makes_the_same_row_as_the_actor(bench: Bench):
    fetch = capture_actor(bench)
    with connection_to(bench.database_url) as connection:
        by_name = producer.send(connection, "fetch_prs", "octo/hello", trigger_source="manual", delay_seconds=0)
    by_actor = fetch.send_with_options(args=("octo/other",), trigger_source="manual").message_id
    rows = [bench.job(job_id) for job_id in (by_name, by_actor)]

    same = ("actor", "processor_type", "payload_version", "kwargs", "status", "metadata")
    assert [rows[0][name] for name in same] == [rows[1][name] for name in same]
    assert fetch.send("Octo/Hello").message_id == by_name


def test_sending_by_name_joins_the_transaction_of_the_connection(bench: Bench):
    connection = psycopg2.connect(bench.database_url)
    try:
        producer.send(connection, "fetch_prs", "octo/hello")
        connection.rollback()
        assert bench.count() == 0
        job_id = producer.send(connection, "fetch_prs", repository="octo/hello", since_days=7)
        connection.commit()
        assert bench.job(job_id)["kwargs"] == {"repository": "octo/hello", "since_days": 7}
    finally:
        connection.close()


def test_sending_by_name_refuses_what_the_actor_refuses(bench: Bench):
    with connection_to(bench.database_url) as connection:
        for name in BAD_NAMES:
            refused(bench, lambda name=name: producer.send(connection, "fetch_prs", name))
        refused(bench, lambda: producer.send(connection, "fetch_all", "octo/hello"), "fetch_all")
        refused(bench, lambda: producer.send(connection, "fetch_prs"), "fetch_prs")
        refused(bench, lambda: producer.send(connection, "fetch_prs", "octo/hello", since_days=-1), "since_days")
        refused(bench, lambda: producer.send(connection, "fetch_prs", "octo/hello", delay_seconds=-1), "delay")
