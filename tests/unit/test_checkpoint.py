"""The step that an actor holds, over a storage in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.checkpoint import Checkpoint, PageCommit, Step
from capture.errors import Interrupted, Refused


class Shelf:
    """A storage without a database: what the block raises leaves nothing."""

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}
        self.pages: list[PageCommit] = []
        self.stop: str | None = None

    def step(self, name: str) -> Step:
        return self.steps.get(name, Step())

    @contextmanager
    def page(self, name: str) -> Iterator[list[PageCommit]]:
        commits: list[PageCommit] = []
        yield commits
        (commit,) = commits
        self.pages.append(commit)
        self.steps[name] = commit.step

    def distinct_ids(self, name: str, walk: int, ids: Iterable[str]) -> int:
        before = {one for page in self.pages if (page.step_name, page.walk) == (name, walk) for one in page.ids}
        return len(before | set(ids))

    def stop_reason(self) -> str | None:
        return self.stop


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5)), min_size=1, max_size=10))
def test_counts_are_absolute_and_the_cursor_is_that_of_the_last_page(pages):
    shelf = Shelf()
    for number, (items, failed) in enumerate(pages, 1):
        # A fresh checkpoint each time: every page might be another run.
        with Checkpoint("pages", shelf).commit(str(number), items=items, failed=failed):
            pass

    step = shelf.step("pages")
    assert (step.items, step.failed) == (sum(one for one, _ in pages), sum(one for _, one in pages))
    assert (step.cursor, step.page) == (str(len(pages)), len(pages))
    assert [page.page for page in shelf.pages] == list(range(1, len(pages) + 1))


def test_an_error_inside_the_block_leaves_the_step_as_it_was():
    shelf = Shelf()
    step = Checkpoint("pages", shelf)

    with pytest.raises(RuntimeError), step.commit("a", items=1):
        raise RuntimeError("broken")

    assert step.state == Step() == shelf.step("pages")
    assert shelf.pages == []


def test_a_stop_is_told_after_the_commit_and_not_before():
    shelf = Shelf()
    shelf.stop = "shutdown"
    written = []

    with pytest.raises(Interrupted, match="shutdown"), Checkpoint("pages", shelf).commit("a", items=1):
        written.append("row")

    assert (written, shelf.step("pages").cursor) == (["row"], "a")


def test_the_last_page_never_interrupts_and_marks_the_step_done():
    shelf = Shelf()
    shelf.stop = "shutdown"

    with Checkpoint("pages", shelf).commit(None, items=1, last=True):
        pass

    assert Checkpoint("pages", shelf).done


def test_ids_that_add_up_prove_the_step():
    shelf = Shelf()
    step = Checkpoint("pages", shelf)
    with step.commit("a", items=2, total=3, ids=[1, 2]):
        pass
    with step.commit("b", items=2, total=3, ids=[2, 3], last=True):
        pass

    assert (step.done, step.state.seen, step.state.total, step.state.walk) == (True, 3, 3, 1)


def test_ids_that_do_not_add_up_are_walked_once_more_from_the_beginning_and_only_once():
    shelf = Shelf()
    step = Checkpoint("pages", shelf)
    for walk in (1, 2):
        assert (step.cursor, step.state.walk) == (None, walk)
        with step.commit("a", items=1, total=2, ids=[1], last=True):
            pass

    assert (step.done, step.state.seen, step.state.total) == (True, 1, 2)


def test_a_second_walk_counts_its_own_ids_only():
    shelf = Shelf()
    step = Checkpoint("pages", shelf)
    with step.commit("a", items=1, total=2, ids=[1], last=True):
        pass
    with step.commit("a", items=1, total=2, ids=[2], last=True):
        pass

    assert step.state.seen == 1


def test_without_a_declared_total_nothing_is_to_be_proved():
    shelf = Shelf()
    step = Checkpoint("pages", shelf)
    with step.commit(None, items=5, last=True):
        pass

    assert (step.done, step.state.total) == (True, None)


@pytest.mark.parametrize("counts", [{"items": -1}, {"items": 0, "failed": -1}, {"items": 0, "total": -1}])
def test_counts_below_zero_are_refused(counts):
    with pytest.raises(Refused), Checkpoint("pages", Shelf()).commit("a", **counts):
        pass


def test_a_step_comes_back_from_json_and_leaves_out_what_a_newer_version_wrote():
    step = Step("a", 1, 2, 3, 4, 5, 2, True)

    assert Step.from_json(step.to_json() | {"newer": 1}) == step
