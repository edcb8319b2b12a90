"""A hint says which job to look at; whatever else lies in Redis is no hint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.ids import new_id
from ledger.hints import Hint, key_of

ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"


@given(st.uuids(), st.integers(0, 999_999_999), st.text(st.characters(codec="utf-8"), max_size=100))
def test_a_hint_comes_back_as_it_was_put(job_id, epoch, actor):
    hint = Hint(str(job_id), epoch, actor)

    assert Hint.decode(hint.encode()) == hint
    assert Hint.decode(hint.encode().decode()) == hint


@given(st.binary(max_size=400) | st.text(max_size=400))
def test_whatever_lies_in_redis_is_a_hint_or_nothing_and_never_an_error(member):
    hint = Hint.decode(member)

    assert hint is None or (len(hint.job_id) == 36 and 0 <= hint.epoch <= 999_999_999)


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b":",
        f"{ID}",
        f"{ID}:",
        f"{ID}::say",
        f"{ID}:-1:say",
        f"{ID}:1.5:say",
        f"{ID}:9999999999:say",
        f"{ID}:²:say",
        f"{ID.upper()}:1:say",
        f"{ID.replace('-', '')}----:1:say",
        f" {ID}:1:say",
        b"\xff" * 300,
    ],
)
def test_what_is_no_hint_is_left_out(member):
    assert Hint.decode(member) is None


def test_workers_that_know_other_things_have_sets_of_their_own():
    keys = {key_of(queue, knowledge) for queue in ("realtime", "bulk") for knowledge in ("a", "b")}

    assert len(keys) == 4


def test_a_fresh_id_makes_a_hint():
    job_id = new_id()

    assert Hint.decode(f"{job_id}:0:say") == Hint(job_id, 0, "say")
