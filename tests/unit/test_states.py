"""The table of moves is DESIGN's, and leaves no job without a way on."""

from __future__ import annotations

import itertools

import pytest

from capture.states import BEGINNINGS, MOVES, TERMINAL, JobState, may_move

DESIGNED = {
    "blocked": {"pending", "cancelled", "failed"},
    "pending": {"processing", "cancelled"},
    "processing": {"completed", "retrying", "failed", "pending", "cancelled"},
    "retrying": {"processing", "cancelled", "pending"},
    "completed": set(),
    "failed": {"pending", "blocked"},
    "cancelled": {"pending", "blocked"},
}


def test_the_moves_are_those_that_were_designed():
    assert {str(old): {str(new) for new in news} for old, news in MOVES.items()} == DESIGNED


@pytest.mark.parametrize(("old", "new"), list(itertools.product(JobState, JobState)))
def test_a_move_is_allowed_exactly_where_the_table_has_it(old, new):
    assert may_move(old, new) is (str(new) in DESIGNED[str(old)])


def test_a_job_begins_waiting_and_is_over_when_nothing_runs_or_waits():
    assert {"blocked", "pending"} == BEGINNINGS
    assert {"completed", "failed", "cancelled"} == TERMINAL


def test_every_state_can_be_reached_from_the_beginnings():
    reached = set(BEGINNINGS)
    while more := {new for old in reached for new in MOVES[old]} - reached:
        reached |= more

    assert reached == set(JobState)


def test_only_what_waits_can_be_claimed():
    assert {old for old in JobState if may_move(old, JobState.PROCESSING)} == {JobState.PENDING, JobState.RETRYING}


def test_what_is_completed_stays_completed():
    assert not any(may_move(JobState.COMPLETED, new) for new in JobState)
