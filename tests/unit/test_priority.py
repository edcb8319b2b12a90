"""The score, over all combinations of facts, and the queue that follows from them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import Refused
from capture.priority import SIZES, Facts, processor_type, score, size_of

SOURCES = ("manual", "scheduled", "application")
RANGES = (None, 1, 7, 8, 36_500)
POINTS = {"manual": 40, "small": 30, "medium": 20}
EVERY = list(itertools.product(SOURCES, (None, *SIZES), RANGES, range(6)))
facts = st.builds(Facts, st.sampled_from(SOURCES), st.sampled_from((None, *SIZES)), st.none() | st.integers(1, 36_500))


@pytest.mark.parametrize(("source", "size", "days", "retries"), EVERY)
def test_the_score_is_the_sum_of_what_each_fact_earns(source, size, days, retries):
    recent = 20 if days in (1, 7) else 0
    expected = POINTS.get(source, 0) + POINTS.get(size, 0) + recent + (0, 5, 10, 15, 15, 15)[retries]

    assert score(Facts(source, size, days), retries) == expected


@given(facts, st.integers(0, 10_000))
def test_the_score_is_between_0_and_105_and_never_falls_with_more_retries(facts, retries):
    assert 0 <= score(facts, retries) <= score(facts, retries + 1) <= 105


@pytest.mark.parametrize(("source", "size", "days"), list(itertools.product(SOURCES, (None, *SIZES), RANGES)))
def test_realtime_is_for_what_was_asked_by_hand_or_is_recent_and_not_large(source, size, days):
    realtime = source == "manual" or (days in (1, 7) and size != "large")

    assert processor_type(Facts(source, size, days)) == ("realtime" if realtime else "bulk")


@pytest.mark.parametrize(
    ("pull_requests", "size"), [(0, "small"), (999, "small"), (1000, "medium"), (9999, "medium"), (10_000, "large")]
)
def test_size_follows_from_the_number_of_pull_requests(pull_requests, size):
    assert size_of(pull_requests) == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"trigger_source": ""},
        {"trigger_source": "x" * 51},
        {"trigger_source": 7},
        {"repository_size": "huge"},
        {"repository_size": ""},
        {"time_range_days": 0},
        {"time_range_days": -1},
        {"time_range_days": 36_501},
        {"time_range_days": 1.5},
        {"time_range_days": True},
        {"time_range_days": "7"},
    ],
)
def test_facts_that_mean_nothing_are_refused_with_one_sentence(wrong):
    with pytest.raises(Refused) as refusal:
        Facts(**wrong)

    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)
