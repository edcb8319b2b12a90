"""What follows a run, over all kinds of ends and histories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.retry import FAULT_WAIT_MAX_SECONDS, History, Kind, RetryPolicy
from capture.states import JobState, may_move

LOW, HIGH = (RetryPolicy(uniform=lambda low, _high: low), RetryPolicy(uniform=lambda _low, high: high))
counts = st.integers(0, 200)
histories = st.builds(History, counts, counts, counts, counts, st.integers(1, 1200))
kinds = st.sampled_from([kind for kind in Kind if kind is not Kind.NO_END])
asked = st.none() | st.floats(0, 100_000)
COUNTED = {Kind.TRANSIENT, Kind.PERMANENT, Kind.INCOMPLETE}


@given(kinds, histories, st.booleans(), asked, st.booleans())
def test_every_decision_is_a_legal_move_of_a_running_job(kind, history, retryable, asked_seconds, used_up):
    decision = RetryPolicy().decide(kind, history, retryable=retryable, asked_seconds=asked_seconds, used_up=used_up)

    assert may_move(JobState.PROCESSING, decision.status)
    assert decision.wait_seconds >= 0
    assert decision.is_dead is (decision.status is JobState.FAILED)


@given(kinds, histories, st.booleans(), asked, st.booleans())
def test_only_failures_count_as_attempts_and_only_crashes_as_crashes(kind, history, retryable, asked_seconds, used_up):
    after = RetryPolicy().decide(kind, history, retryable=retryable, asked_seconds=asked_seconds).history

    assert after.attempts - history.attempts == (1 if kind in COUNTED else 0)
    assert after.crashes - history.crashes == (1 if kind is Kind.CRASH else 0)
    assert after.runs == history.runs


@given(st.integers(0, 10_000), st.floats(0, 1000), st.floats(1, 10), st.floats(0, 100_000), st.floats(0, 1))
def test_backoff_is_exponential_to_a_cap_plus_at_most_the_jitter(failures, base, multiplier, most, part):
    policy = RetryPolicy(base_seconds=base, multiplier=multiplier, max_seconds=most, jitter=part)
    bare = min(base * multiplier ** min(failures, 64), most)

    assert bare <= policy.backoff(failures) <= bare * (1 + part) * 1.000001
    assert policy.backoff(failures) <= most * (1 + part) * 1.000001


@given(st.integers(0, 100))
def test_backoff_never_shrinks_with_more_failures(failures):
    assert LOW.backoff(failures) <= LOW.backoff(failures + 1)
    assert HIGH.backoff(failures) <= HIGH.backoff(failures + 1)


def test_the_designed_waits_are_a_minute_doubled_to_an_hour_with_jitter_at_the_cap_too():
    assert [LOW.backoff(n) for n in range(8)] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert [HIGH.backoff(n) for n in (0, 7)] == [pytest.approx(78), pytest.approx(4680)]


@given(st.integers(0, 20), st.integers(0, 20))
def test_a_transient_failure_is_retried_as_often_as_the_policy_says_then_given_up(max_retries, failures):
    decision = RetryPolicy(max_retries=max_retries).decide(Kind.TRANSIENT, History(failures_in_a_row=failures, runs=1))

    assert decision.status is (JobState.RETRYING if failures < max_retries else JobState.FAILED)
    assert decision.kind is Kind.TRANSIENT
    assert decision.history.failures_in_a_row == failures + 1


@given(st.floats(0, 100_000), st.integers(0, 2))
def test_the_wait_that_the_server_asked_for_wins_over_the_backoff(seconds, failures):
    decision = RetryPolicy().decide(Kind.TRANSIENT, History(failures_in_a_row=failures, runs=1), asked_seconds=seconds)

    assert decision.wait_seconds == seconds


@given(st.sampled_from([Kind.PERMANENT, Kind.INCOMPLETE]), histories, st.booleans())
def test_a_permanent_failure_is_given_up_at_once(kind, history, retryable):
    decision = RetryPolicy().decide(kind, history, retryable=retryable)

    assert (decision.status, decision.kind) == (JobState.FAILED, kind)


@given(st.sampled_from([Kind.DEFERRED, Kind.INTERRUPTED, Kind.SYSTEM]), st.integers(0, 90))
def test_a_type_that_is_not_retryable_still_waits_for_what_is_no_failure(kind, faults):
    history = History(faults_in_a_row=faults, runs=1)

    assert RetryPolicy().decide(kind, history, retryable=False).status is not JobState.FAILED
    assert RetryPolicy().decide(Kind.TRANSIENT, history, retryable=False).status is JobState.FAILED


@given(st.floats(0, 100_000), histories)
def test_a_deferred_run_waits_until_the_asked_time_however_often_it_ran(seconds, history):
    decision = RetryPolicy().decide(Kind.DEFERRED, history, asked_seconds=seconds)

    assert (decision.status, decision.wait_seconds) == (JobState.PENDING, seconds)
    assert decision.history == history


@given(st.booleans(), st.integers(1, 999))
def test_an_interrupted_run_is_due_at_once_and_goes_to_the_back_only_if_its_slice_was_used_up(used_up, runs):
    decision = RetryPolicy().decide(Kind.INTERRUPTED, History(runs=runs), used_up=used_up)

    assert (decision.status, decision.wait_seconds, decision.to_the_back) == (JobState.PENDING, 0, used_up)


@given(st.integers(0, 300))
def test_system_faults_have_a_larger_bound_of_their_own_and_waits_from_a_second_to_a_minute(faults):
    decision = RetryPolicy(fault_limit=100).decide(Kind.SYSTEM, History(faults_in_a_row=faults, runs=1))

    assert decision.status is (JobState.RETRYING if faults < 100 else JobState.FAILED)
    if decision.status is JobState.RETRYING:
        assert decision.wait_seconds == min(2.0**faults, FAULT_WAIT_MAX_SECONDS)


def test_a_crash_is_tried_at_once_then_with_backoff_then_given_up():
    policy = RetryPolicy(crash_limit=4, uniform=lambda low, _high: low)
    decisions = [policy.decide(Kind.CRASH, History(crashes=crashes, runs=1)) for crashes in range(4)]

    assert [(one.status, one.wait_seconds) for one in decisions] == [
        (JobState.PENDING, 0),
        (JobState.RETRYING, 60),
        (JobState.RETRYING, 120),
        (JobState.FAILED, 0),
    ]
    assert decisions[-1].kind is Kind.CRASH


@given(kinds, st.integers(1000, 2000))
def test_a_job_that_ran_too_often_ends_whatever_happens_deferrals_aside(kind, runs):
    decision = RetryPolicy(max_runs=1000).decide(kind, History(runs=runs))

    expected = {Kind.COMPLETED: JobState.COMPLETED, Kind.DEFERRED: JobState.PENDING}.get(kind, JobState.FAILED)
    assert decision.status is expected
    if kind in (Kind.TRANSIENT, Kind.SYSTEM, Kind.CRASH, Kind.INTERRUPTED):
        assert decision.kind is Kind.NO_END


@given(kinds, histories, st.none() | st.floats(1, 100))
def test_without_waits_every_retry_is_due_at_once(kind, history, asked_seconds):
    decision = RetryPolicy(no_wait=True).decide(kind, history, asked_seconds=asked_seconds)

    assert decision.wait_seconds == 0 or kind is Kind.DEFERRED


def test_a_good_end_forgets_the_failures_before_it():
    after = RetryPolicy().decide(Kind.COMPLETED, History(3, 2, 2, 1, 9)).history

    assert after == History(attempts=3, crashes=1, runs=9)
