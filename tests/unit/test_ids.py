"""Ids are UUIDs of version 7 that sort by the time they were made."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

from capture.ids import new_id


def test_an_id_is_a_uuid_of_version_7():
    one = UUID(new_id())

    assert (one.version, one.variant) == (7, RFC_4122)


def test_an_id_holds_the_millisecond_it_was_made_in():
    before = time.time_ns() // 1_000_000
    made = UUID(new_id()).int >> 80

    assert before <= made <= time.time_ns() // 1_000_000


def test_ids_of_a_later_millisecond_sort_later():
    first = new_id()
    began = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= began:
        pass

    assert first < new_id()


def test_ids_do_not_repeat():
    assert len({new_id() for _ in range(20_000)}) == 20_000
