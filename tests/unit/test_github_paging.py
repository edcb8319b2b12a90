"""How large a page is asked for, and how often."""

import pytest

from capture.clock import SystemClock
from capture.errors import Permanent, Transient
from capture.github.caller import Answer
from capture.github.paging import PageSize, Patience
from capture.github.replies import TooHeavy


class TurnedClock(SystemClock):
    """Time passes only when somebody sleeps."""

    def __init__(self):
        self.time = 0.0
        self.waits = []

    def monotonic(self):
        return self.time

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.time += seconds


class Scripted:
    """A page that fails as told, then comes."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.sizes = []

    def __call__(self, size):
        self.sizes.append(size)
        if self.failures:
            raise self.failures.pop(0)
        return Answer("page", 1, 0.5)


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture
def patience(clock):
    return Patience(5, longest_seconds=120, clock=clock, uniform=lambda low, high: 1.0)


def test_three_clean_quick_pages_in_a_row_double_the_size_up_to_the_largest():
    size = PageSize(25)
    sizes = []
    for _ in range(9):
        sizes.append(size.size)
        size.delivered(1.0)

    assert sizes == [25, 25, 25, 50, 50, 50, 50, 50, 50]


def test_a_slow_or_failed_page_starts_the_count_anew():
    size = PageSize(20)
    for seconds in (1, 1, 3.0, 1, 1):
        size.delivered(seconds)
    assert size.size == 20

    size.shrink()
    for _ in range(2):
        size.delivered(1)
    assert size.size == 10


def test_a_size_begun_above_the_largest_stays():
    size = PageSize(80)
    for _ in range(4):
        size.delivered(1)

    assert size.size == 80


def test_a_page_too_heavy_is_halved_down_to_one_and_then_tried_five_times(patience):
    page = Scripted(*[TooHeavy()] * 99)

    with pytest.raises(TooHeavy):
        patience.ask(PageSize(25), page)

    assert page.sizes == [25, 12, 6, 3, 1, 1, 1, 1, 1]


def test_a_page_that_comes_in_the_end_is_given_and_the_size_kept(patience):
    size = PageSize(25)

    assert patience.ask(size, Scripted(TooHeavy(), TooHeavy())) == "page"
    assert size.size == 6


def test_plain_trouble_is_tried_five_times_at_the_same_size_with_growing_waits(patience, clock):
    page = Scripted(*[Transient()] * 99)

    with pytest.raises(Transient):
        patience.ask(PageSize(25), page)

    assert page.sizes == [25] * 5
    assert clock.waits == [0.2, 0.4, 0.8, 1.6]


def test_a_fixed_size_never_changes(patience):
    page = Scripted(*[TooHeavy()] * 99)

    with pytest.raises(TooHeavy):
        patience.ask(PageSize.fixed(100), page)

    assert page.sizes == [100] * 5


def test_what_is_not_transient_is_raised_at_once(patience):
    page = Scripted(Permanent("no"))

    with pytest.raises(Permanent):
        patience.ask(PageSize(25), page)

    assert page.sizes == [25]


def test_a_short_pause_that_the_server_wishes_is_kept_and_a_long_one_is_passed_on(patience, clock):
    assert patience.ask(PageSize(25), Scripted(Transient("busy", retry_after=3))) == "page"
    assert clock.waits == [3]

    with pytest.raises(Transient) as failure:
        patience.ask(PageSize(25), Scripted(Transient("busy", retry_after=90)))
    assert failure.value.retry_after == 90
    assert clock.waits == [3]


def test_no_try_begins_when_the_page_has_already_taken_too_long(patience, clock):
    sizes = []

    def hangs(size):
        sizes.append(size)
        clock.time += 60
        raise TooHeavy

    with pytest.raises(TooHeavy):
        patience.ask(PageSize(25), hangs)

    assert sizes == [25, 12]
