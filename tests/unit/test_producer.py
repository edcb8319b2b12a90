"""What is taken at the door, and what makes two jobs the same."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import Refused
from capture.ids import new_id
from capture.job_types import JOB_TYPES, JobType
from capture.new_job import MAX_PAYLOAD_BYTES, NewJob, canonical, checked
from capture.priority import Facts

ANY = JobType()
UNIQUE = JobType(unique=True)
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=20)
json_values = st.recursive(
    plain.filter(lambda value: not (isinstance(value, str) and "\x00" in value)),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


def a_job(*args: Any, job_type: JobType = ANY, actor: str = "say", **more: Any) -> NewJob:
    return checked(actor, args, more.pop("kwargs", {}), job_type=job_type, facts=Facts(), **more)


@given(st.lists(json_values, max_size=4))
def test_arguments_that_are_json_are_taken_as_they_are(arguments):
    assert list(a_job(*arguments).args) == arguments


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, (1, 2), [(1, 2)], {"a": (1,)}, {1: "a"}, {None: 1}, math.nan, math.inf, [-math.inf], b"x", 1j],
    ids=lambda value: "object" if type(value) is object else repr(value),
)
def test_arguments_that_json_does_not_hold_are_refused(value):
    with pytest.raises(Refused, match="say"):
        a_job(value)


def test_arguments_nested_beyond_measure_are_refused():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(Refused):
        a_job(deep)


@pytest.mark.parametrize("value", ["a\x00b", ["\x00"], {"\x00": 1}, {"a": {"b": "\x00"}}], ids=repr)
def test_a_nul_character_is_refused(value):
    with pytest.raises(Refused, match="NUL"):
        a_job(value)


def test_a_backslash_before_u0000_is_no_nul_character():
    assert a_job("\\u0000").args == ("\\u0000",)


@pytest.mark.parametrize("value", ["\ud800", ["\udfff"]], ids=ascii)
def test_a_lone_surrogate_which_postgresql_does_not_store_is_refused(value):
    with pytest.raises(Refused):
        a_job(value)


def test_64_kb_of_arguments_are_taken_and_a_byte_more_is_not():
    room = MAX_PAYLOAD_BYTES - len(canonical("say", [""], {}))

    assert a_job("x" * room)
    with pytest.raises(Refused, match="64 kB"):
        a_job("x" * (room + 1))


@pytest.mark.parametrize("delay", [-1, -0.001, math.nan, math.inf, 367 * 86_400])
def test_a_delay_that_is_negative_or_absurd_is_refused(delay):
    with pytest.raises(Refused, match="delay"):
        a_job(delay_seconds=delay)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("Octo/Hello",), {}),
        (("OCTO/hello", None), {}),
        ((), {"repository": "octo/HELLO"}),
        ((), {"since_days": None, "repository": "octo/hello"}),
    ],
)
def test_every_spelling_of_one_request_has_one_fingerprint(args, kwargs):
    usual = a_job("octo/hello", actor="fetch_prs", job_type=JOB_TYPES["fetch_prs"])
    other = a_job(*args, kwargs=kwargs, actor="fetch_prs", job_type=JOB_TYPES["fetch_prs"])

    assert usual.unique_key == other.unique_key is not None


def test_another_actor_other_arguments_or_another_capture_run_is_another_job():
    keys = {
        a_job("octo/hello", actor=actor, job_type=JOB_TYPES[actor], kwargs=kwargs, capture_run_id=run).unique_key
        for actor in ("fetch_prs", "fetch_reviews")
        for kwargs in ({}, {"since_days": 7}, {"since_days": 8})
        for run in (None, "0192f3a4-5b6c-7d8e-9f00-112233445566")
    }

    assert len(keys) == 12


def test_a_type_that_is_not_unique_has_no_fingerprint():
    assert a_job("x").unique_key is None
    assert a_job("x", job_type=UNIQUE).unique_key is not None


def test_the_repository_is_kept_as_it_was_written():
    assert a_job("Octo/Hello", actor="fetch_prs", job_type=JOB_TYPES["fetch_prs"]).repository == "Octo/Hello"


def test_the_queue_follows_the_facts_unless_it_is_named():
    manual = Facts(trigger_source="manual")

    assert checked("say", (), {}, job_type=ANY, facts=manual).processor_type == "realtime"
    assert checked("say", (), {}, job_type=ANY, facts=manual, queue="own").processor_type == "own"
    assert a_job().processor_type == "bulk"


def test_a_delay_and_blockers_together_are_refused():
    with pytest.raises(Refused, match="do not go together"):
        a_job("x", delay_seconds=1, blocked_by=[new_id()])
