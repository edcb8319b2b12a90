"""Whose turn it is, who rests, and that nobody asks twice at once."""

import threading
from itertools import pairwise

import pytest

from capture.clock import SystemClock
from capture.errors import RateLimited, Refused, SystemFault
from capture.github.budget import LocalBudget, Standing, identity_of
from capture.github.identities import Identities


class TurnedClock(SystemClock):
    time = 1000.0

    def monotonic(self):
        return self.time


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture
def budget(clock):
    return LocalBudget(clock)


def names(identities, resource, count):
    taken = []
    for _ in range(count):
        with identities.hold(resource, 1) as identity:
            taken.append(identity.name)
    return taken


def test_an_identity_has_a_short_stable_name_that_is_not_its_token():
    assert identity_of("ghp_secret") == "token-" + identity_of("ghp_secret")[-8:]
    assert len(identity_of("x")) == 14
    assert identity_of("a") != identity_of("b")


def test_a_rest_ends_by_the_clock_and_is_never_shortened(budget, clock):
    budget.block("one", 60, "spent", resource="graphql")
    budget.block("one", 5, "spent", resource="graphql")

    assert budget.blocked("one", resource="graphql") == 60
    assert budget.blocked("one", resource="core") is None
    clock.time += 60
    assert budget.blocked("one", resource="graphql") is None


def test_a_secondary_limit_rests_both_resources(budget):
    budget.block("one", 60, "secondary")

    assert budget.blocked("one", resource="graphql") == budget.blocked("one", resource="core") == 60


def test_the_budget_records_what_was_reserved_and_what_github_said(budget):
    budget.reserve("one", 2, resource="graphql")
    budget.reserve("one", 3, resource="graphql")
    budget.settle("one", 5000, 4990, 1800.0, resource="graphql")

    assert budget.reserved("one", resource="graphql") == 5
    assert budget.standing("one", resource="graphql") == Standing(5000, 4990, 1800.0)
    assert budget.standing("one", resource="core") is None


def test_identities_take_turns_and_a_token_given_twice_counts_once(budget):
    identities = Identities(["a", "b", "a"], budget, patience=1)

    taken = names(identities, "graphql", 6)

    assert sorted(set(taken)) == sorted(map(identity_of, "ab"))
    assert all(one != two for one, two in pairwise(taken))


def test_a_resting_identity_is_passed_over_and_when_all_rest_the_soonest_is_named(budget):
    identities = Identities(["a", "b"], budget, patience=1)
    budget.block(identity_of("a"), 30, "spent", resource="graphql")
    assert set(names(identities, "graphql", 4)) == {identity_of("b")}

    budget.block(identity_of("b"), 20, "spent", resource="graphql")
    with pytest.raises(RateLimited) as limit:
        names(identities, "graphql", 1)
    assert (limit.value.seconds, limit.value.identity) == (20, identity_of("b"))
    assert set(names(identities, "core", 2)) == {identity_of("a"), identity_of("b")}


def test_a_budget_that_refuses_a_reservation_gives_the_identity_back(budget):
    class Poor(LocalBudget):
        refuses = True

        def reserve(self, identity, points, *, resource):
            if self.refuses:
                raise RateLimited(seconds=9, identity=identity)

    poor = Poor()
    identities = Identities(["a"], poor, patience=0.01)

    with pytest.raises(RateLimited):
        names(identities, "graphql", 1)
    poor.refuses = False
    assert names(identities, "graphql", 1) == [identity_of("a")]


def test_one_identity_has_one_graphql_query_in_flight_however_many_threads_ask(budget):
    identities = Identities(["a", "b"], budget, patience=30)
    flying: dict[str, int] = {}
    worst, lock = [], threading.Lock()

    def work():
        for _ in range(50):
            with identities.hold("graphql", 1) as identity:
                with lock:
                    flying[identity.name] = flying.get(identity.name, 0) + 1
                    worst.append(flying[identity.name])
                with lock:
                    flying[identity.name] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(worst) == 1
    assert len(worst) == 400


def test_who_waited_for_an_identity_does_not_ask_when_it_was_told_to_rest_meanwhile(budget):
    identities = Identities(["a"], budget, patience=30)
    waiting, outcome = threading.Event(), []

    def wait():
        waiting.set()
        try:
            names(identities, "graphql", 1)
        except RateLimited as limit:
            outcome.append(limit.seconds)

    with identities.hold("graphql", 1):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        budget.block(identity_of("a"), 60, "secondary")
    thread.join()

    assert outcome == [60]


def test_who_waits_too_long_for_a_busy_identity_is_put_off(budget):
    identities = Identities(["a"], budget, patience=0.01)

    with identities.hold("graphql", 1), pytest.raises(RateLimited, match="in flight"):
        names(identities, "graphql", 1)


def test_rest_may_be_asked_by_many_at_once_and_without_a_token(budget):
    identities = Identities([], budget, patience=0.01)
    with identities.hold("core", 1) as one, identities.hold("core", 1) as two:
        assert (one.name, two.token) == ("anonymous", None)

    with pytest.raises(SystemFault, match="GITHUB_TOKEN is not set"):
        names(identities, "graphql", 1)


@pytest.mark.parametrize("token", ["", "a b", "a\n", "ü", "a\x00"])
def test_a_token_that_cannot_be_one_is_refused_without_being_shown(token, budget):
    with pytest.raises(Refused) as refusal:
        Identities([f"SECRET{token}" if token else ""], budget, patience=1)

    assert "SECRET" not in str(refusal.value)


def test_an_identity_does_not_show_its_token(budget):
    identities = Identities(["ghp_secret"], budget, patience=1)

    with identities.hold("core", 1) as identity:
        assert "ghp_secret" not in repr(identity)
