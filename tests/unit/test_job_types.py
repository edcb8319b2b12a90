"""The job types' table, and what their signatures take."""

from __future__ import annotations

import inspect

import pytest

from capture.errors import Refused
from capture.job_types import JOB_TYPES, JobType


def a_function(word: str, times: int = 1) -> None:
    """A signature."""


def test_the_capture_types_are_configured_as_asked():
    table = {name: (one.timeout_minutes, one.max_items, one.retryable, one.priority) for name, one in JOB_TYPES.items()}

    assert table == {
        "capture_repository": (5, None, True, "normal"),
        "fetch_prs": (5, 100, True, "normal"),
        "fetch_reviews": (10, 500, True, "low"),
        "fetch_comments": (10, 500, True, "low"),
        "analyze_commits": (15, 1000, False, "low"),
    }
    assert all(one.unique for one in JOB_TYPES.values())


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [(("octo/hello",), {}), ((), {"repository": "octo/hello"}), (("octo/hello", None), {})],
)
def test_every_way_of_saying_the_same_arguments_binds_alike(args, kwargs):
    bound = JOB_TYPES["fetch_prs"].bind("fetch_prs", args, kwargs)

    assert bound == {"repository": "octo/hello", "since_days": None}


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        (("octo/hello", 7, 8), {}),
        (("octo/hello",), {"repository": "octo/hello"}),
        (("octo/hello",), {"since": 7}),
    ],
)
def test_a_wrong_signature_is_refused_naming_the_actor(args, kwargs):
    with pytest.raises(Refused, match="fetch_prs"):
        JOB_TYPES["fetch_prs"].bind("fetch_prs", args, kwargs)


@pytest.mark.parametrize("days", [0, -1, 36_501, 10**30, 1.0, True, "7", [7]])
def test_days_that_are_negative_or_absurd_are_refused(days):
    with pytest.raises(Refused, match="since_days"):
        JOB_TYPES["fetch_prs"].bind("fetch_prs", ("octo/hello", days), {})


@pytest.mark.parametrize(
    "name", ["octo/hello\n", "a/../b", "a/b.git", "a b/c", "octo", "", "-a/b", "a/b/c", "https://x/y", None, 7, ["a/b"]]
)
def test_a_repository_outside_the_grammar_is_refused(name):
    with pytest.raises(Refused):
        JOB_TYPES["fetch_prs"].bind("fetch_prs", (name,), {})


def test_a_type_without_a_signature_takes_anything():
    assert JobType().bind("any", (1, 2), {"x": 3}) == {}


def test_a_type_of_a_plain_function_checks_its_signature():
    job_type = JobType(signature=inspect.signature(a_function))

    assert job_type.bind("a", ("x",), {}) == {"word": "x", "times": 1}
    with pytest.raises(Refused, match="do not fit"):
        job_type.bind("a", (), {})
