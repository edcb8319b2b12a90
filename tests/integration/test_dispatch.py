"""Promotion and dispatch: the best ready jobs of what live workers know are hints, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from capture.ids import new_id
from capture.retry import Kind, RetryPolicy
from ledger.duties.dispatch import BEST, POPPED_SECONDS, Dispatcher, audiences
from ledger.duties.promote import PROMOTE, promote
from ledger.hints import Hint, Hints, key_of
from models import moves
from tests.integration.engine import SECONDS_PER_POINT, Bench, ended, many_rows


class Time:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Post:
    """A dispatcher with its hints, over a bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.hints = Hints(bench.redis_url)
        self.time = Time()
        self.dispatcher = Dispatcher(self.hints, self.time)

    def dispatch(self) -> int:
        return self.dispatcher.dispatch(self.bench.sql)

    def read(self, queue: str = "bulk", knowledge: str = "all") -> list[str]:
        """The job ids of the hints, best first."""
        members = self.hints.read(key_of(queue, knowledge))
        found = [Hint.decode(member) for member in sorted(members, key=lambda member: members[member])]
        return [hint.job_id for hint in found if hint is not None]

    def pop(self, count: int = 1, queues: tuple[str, ...] = ("realtime", "bulk")) -> list[Hint]:
        members = self.hints.pop([key_of(queue, "all") for queue in queues], count)
        return [hint for hint in map(Hint.decode, members) if hint is not None]


@pytest.fixture
def post(bench: Bench) -> Post:
    return Post(bench)


@pytest.fixture
def fresh_post(fresh_bench: Bench) -> Post:
    return Post(fresh_bench)


def due(bench: Bench, *job_ids: str) -> None:
    """Bring the times of delayed jobs into the past, the first the earliest."""
    for number, job_id in enumerate(job_ids):
        bench.query(
            "UPDATE progressive_capture_jobs SET due_at = clock_timestamp() - %s * interval '1 second' WHERE id = %s",
            100 - number,
            job_id,
        )


def plan(bench: Bench, sql: str, params: dict[str, Any]) -> str:
    """The plan of a statement."""
    rows = bench.sql("EXPLAIN " + sql, params)
    return "\n".join(str(row[0]) for row in rows)


# Promotion.


def test_due_jobs_become_ready_in_the_order_in_which_they_became_due(bench: Bench):
    term = bench.lead()
    ids = [bench.sent(str(number), delay=60_000) for number in range(3)]
    later = bench.sent(delay=60_000)
    due(bench, ids[2], ids[0], ids[1])

    assert promote(bench.sql, term=term, seconds_per_point=SECONDS_PER_POINT) == 3
    assert bench.query(
        "SELECT id::text FROM progressive_capture_jobs WHERE ready_rank IS NOT NULL ORDER BY ready_rank"
    ) == [
        (ids[2],),
        (ids[0],),
        (ids[1],),
    ]
    assert bench.job(later)["ready_rank"] is None
    assert all(bench.log(job_id) == [(None, "pending")] for job_id in ids)


def test_a_promoted_job_can_be_claimed_and_a_retrying_one_too(bench: Bench):
    term = bench.lead()
    claimed = bench.claimed()
    bench.finish(ended(claimed, Kind.TRANSIENT, policy=RetryPolicy(base_seconds=60)))
    assert bench.claim(claimed.id) == []
    due(bench, claimed.id)
    promote(bench.sql, term=term, seconds_per_point=SECONDS_PER_POINT)

    (again,) = bench.claim(claimed.id)
    assert (again.epoch, again.history.attempts) == (2, 1)


def test_only_the_leader_of_the_term_promotes(bench: Bench):
    term = bench.lead()
    due(bench, bench.sent(delay=60_000))

    assert promote(bench.sql, term=term + 1, seconds_per_point=SECONDS_PER_POINT) == 0
    assert promote(bench.sql, term=term, seconds_per_point=SECONDS_PER_POINT) == 1


@pytest.mark.parametrize("metadata", ["{}", '{"priority": null}', '{"priority": "high"}'])
def test_a_job_whose_metadata_was_edited_by_hand_does_not_hold_up_the_others(bench: Bench, metadata: str):
    term = bench.lead()
    edited, fine = bench.sent(delay=60_000), bench.sent(delay=60_000)
    bench.query("UPDATE progressive_capture_jobs SET metadata = %s WHERE id = %s", metadata, edited)
    due(bench, edited, fine)
    promote(bench.sql, term=term, seconds_per_point=SECONDS_PER_POINT)

    assert bench.job(fine)["ready_rank"] is not None


# Dispatch.


def test_the_best_ready_jobs_become_hints_best_first(bench: Bench, post: Post):
    bench.worker()
    plain = bench.sent("plain")
    small = bench.sent("small", repository_size="small")
    medium = bench.sent("medium", repository_size="medium")
    manual = bench.sent("manual", trigger_source="manual")

    assert post.dispatch() == 4
    assert post.read() == [small, medium, plain]
    assert post.read("realtime") == [manual]
    assert post.dispatch() == 0


def test_equal_jobs_are_served_in_the_order_they_became_ready(bench: Bench, post: Post):
    bench.worker()
    ids = [bench.sent(str(number)) for number in range(10)]
    post.dispatch()

    assert [hint.job_id for hint in post.pop(10)] == ids


def test_a_job_that_waited_long_enough_overtakes_a_more_urgent_one(bench: Bench, post: Post):
    bench.worker()
    old = bench.sent("old")
    bench.query("UPDATE progressive_capture_jobs SET ready_rank = ready_rank - 30 * 60 - 1")
    small = bench.sent("small", repository_size="small")
    post.dispatch()

    assert post.read() == [old, small]


def test_only_as_many_hints_are_kept_as_threads_will_soon_want(bench: Bench, post: Post):
    bench.worker(threads=2)
    ids = bench.sent_many(100)
    (audience, _) = audiences(bench.sql)
    post.dispatch()

    assert 2 <= audience.wanted < 100
    assert post.read() == ids[: audience.wanted]


def test_hints_that_are_no_longer_among_the_best_are_removed(bench: Bench, post: Post):
    bench.worker(threads=1)
    most = audiences(bench.sql)[0].wanted
    first = bench.sent_many(most)
    post.dispatch()
    assert post.read() == first
    better = bench.say.send_many([(str(number),) for number in range(most)], repository_size="small")
    post.dispatch()

    assert post.read() == better


def test_hints_of_jobs_that_were_cancelled_or_claimed_are_removed(bench: Bench, post: Post):
    worker_id = bench.worker()
    cancelled, claimed, left = bench.sent_many(3)
    post.dispatch()
    moves.cancel(bench.sql, cancelled, who="a", why="b")
    bench.claim(claimed, worker_id=worker_id)
    post.dispatch()

    assert post.read() == [left]


def test_a_popped_hint_is_not_put_back_while_its_claim_is_under_way(bench: Bench, post: Post):
    bench.worker()
    job_id = bench.sent()
    post.dispatch()
    assert [hint.job_id for hint in post.pop()] == [job_id]

    assert (post.dispatch(), post.read()) == (0, [])
    post.time.now += POPPED_SECONDS - 0.01
    assert (post.dispatch(), post.read()) == (0, [])
    post.time.now += 0.02
    assert (post.dispatch(), post.read()) == (1, [job_id])


def test_hints_that_redis_lost_come_again(bench: Bench, post: Post):
    bench.worker()
    ids = bench.sent_many(3)
    post.dispatch()
    post.hints._redis.flushdb()
    post.dispatch()
    post.time.now += POPPED_SECONDS + 0.01
    post.dispatch()

    assert post.read() == ids


def test_what_no_live_worker_knows_is_not_dispatched_and_costs_the_others_nothing(bench: Bench, post: Post):
    bench.worker(actors={"say": 1}, threads=1)
    unknown = bench.once.send("x").message_id
    newer, known = bench.sent("newer"), bench.sent("known")
    bench.query("UPDATE progressive_capture_jobs SET payload_version = 2 WHERE id = %s", newer)
    bench.query("UPDATE progressive_capture_jobs SET ready_rank = 1 WHERE id = ANY(%s::uuid[])", [unknown, newer])
    post.dispatch()

    assert post.read() == [known]


def test_workers_that_know_other_things_are_served_from_sets_of_their_own(bench: Bench, post: Post):
    bench.worker(actors={"say": 1}, knowledge="old")
    bench.worker(actors={"say": 2, "once": 1}, knowledge="new")
    old, new, other = bench.sent("old"), bench.sent("new"), bench.once.send("x").message_id
    bench.query("UPDATE progressive_capture_jobs SET payload_version = 2 WHERE id = %s", new)
    post.dispatch()

    assert post.read(knowledge="old") == [old]
    assert post.read(knowledge="new") == [old, new, other]


@pytest.mark.parametrize("how", ["expired", "stopped", "draining"])
def test_nothing_is_dispatched_for_a_worker_that_takes_nothing_more(bench: Bench, post: Post, how: str):
    worker_id = bench.worker(lease=-1 if how == "expired" else 600)
    if how != "expired":
        column = "stopped_at = clock_timestamp()" if how == "stopped" else "draining = true"
        bench.query(f"UPDATE progressive_capture_workers SET {column} WHERE id = %s", worker_id)
    bench.sent()

    assert (post.dispatch(), post.read()) == (0, [])


def test_a_worker_is_served_for_its_queues_only(bench: Bench, post: Post):
    bench.worker(queues=["realtime"])
    bench.sent("bulk")
    manual = bench.sent("manual", trigger_source="manual")
    post.dispatch()

    assert (post.read(), post.read("realtime")) == ([], [manual])


def test_a_waiting_or_blocked_job_is_no_hint(bench: Bench, post: Post):
    bench.worker()
    bench.sent(delay=60_000)
    bench.sent(blocked_by=[new_id()])

    assert (post.dispatch(), post.read()) == (0, [])


def test_a_pop_takes_the_best_of_both_queues(bench: Bench, post: Post):
    bench.worker()
    small = bench.sent("small", repository_size="small")
    recent = bench.sent("recent", time_range_days=7)
    plain = bench.sent("plain")
    manual = bench.sent("manual", trigger_source="manual")
    post.dispatch()

    assert [hint.job_id for hint in post.pop(4)] == [manual, small, recent, plain]


# A large backlog.


def test_a_manual_job_behind_ten_thousand_scheduled_ones_is_the_best_hint_at_once(fresh_bench: Bench, fresh_post: Post):
    fresh_bench.worker()
    many_rows(fresh_bench, 10_000)
    fresh_post.dispatch()
    manual = fresh_bench.sent("manual", trigger_source="manual")
    fresh_post.dispatch()

    (hint,) = fresh_post.pop()
    assert hint.job_id == manual


def test_no_statement_of_the_hot_path_reads_the_whole_table(fresh_bench: Bench):
    many_rows(fresh_bench, 18_000)
    many_rows(
        fresh_bench,
        2_000,
        ready_rank="NULL",
        ready_at="NULL",
        due_at="clock_timestamp() + (n - 20) * interval '1 minute'",
    )
    worker_id, term = fresh_bench.worker(), fresh_bench.lead()
    ids = [row[0] for row in fresh_bench.query("SELECT id::text FROM progressive_capture_jobs LIMIT 8")]
    statements = {
        "best": (BEST, {"queue": "bulk", "actors": ["say", "once"], "versions": [1, 1], "count": 40}),
        "promote": (PROMOTE, {"term": term, "slice": 500, "seconds_per_point": 60.0}),
        "claim": (moves.CLAIM, {"ids": ids, "epochs": [0] * len(ids), "worker": worker_id}),
        "fence": (moves.FENCE, {"id": ids[0], "epoch": 0}),
    }
    plans = {name: plan(fresh_bench, *statement) for name, statement in statements.items()}

    assert [name for name, text in plans.items() if "Seq Scan on progressive_capture_jobs" in text] == []
    assert "progressive_capture_jobs_ready" in plans["best"]
    assert "progressive_capture_jobs_due" in plans["promote"]
    assert "progressive_capture_jobs_pkey" in plans["claim"]


def test_a_hint_is_the_job_its_epoch_and_its_actor(bench: Bench, post: Post):
    bench.worker()
    job_id = bench.sent()
    post.dispatch()

    assert list(post.hints.read(key_of("bulk", "all"))) == [f"{job_id}:0:say".encode()]
    assert post.pop() == [Hint(job_id, 0, "say")]
