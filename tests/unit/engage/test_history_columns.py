"""The history in columns says of every client what its ledger says, one by one."""

import math
import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.score.ledger import Ledger, counts, entry_of_order, entry_of_removal
from common.score.model import assess
from common.score.policy import Policy, Weights
from common.score.sweep import NO_DAY, STATES
from engage import history_columns
from engage.history_columns import Journal, join
from engage.history_scores import assess_all, counted_between

TODAY = 20_000


@dataclass(frozen=True)
class Image:
    """One event of a lane: of an order, of its removal, of the client, of the client's erasure."""

    what: str
    client: int
    version: int
    order: int = 0
    day: int = 0
    cents: int = 0
    status: str = "paid"


def into_ledger(ledger: Ledger, image: Image) -> None:
    match image.what:
        case "order":
            entry = entry_of_order(image.version, image.day, image.cents, image.status)
            ledger.merge_order(image.order, entry)
        case "removal":
            ledger.merge_order(image.order, entry_of_removal(image.version))
        case "client":
            ledger.merge_client(image.version)
        case "erasure":
            ledger.erase(image.version)


def into_journal(journal: Journal, image: Image) -> None:
    match image.what:
        case "order":
            journal.order(
                image.client,
                image.order,
                image.version,
                day=image.day,
                cents=image.cents,
                counts=counts(image.status, image.cents),
            )
        case "removal":
            journal.removal(image.client, image.order, image.version)
        case "client":
            journal.client(image.client, image.version)
        case "erasure":
            journal.erasure(image.client, image.version)


def ledgers_of(images: list[Image]) -> dict[int, Ledger]:
    found: dict[int, Ledger] = {}
    for image in images:
        into_ledger(found.setdefault(image.client, Ledger()), image)
    return {client: ledger for client, ledger in found.items() if not ledger.erased}


def history_of(images: list[Image]):
    journal = Journal()
    for image in images:
        into_journal(journal, image)
        journal.fold_when_long()
    return journal.history()


@st.composite
def lanes(draw: st.DrawFn) -> list[Image]:
    """Images of a few clients, shuffled and repeated; each (order, version) has one content."""
    count = draw(st.integers(0, 40))
    images = []
    for version in draw(st.lists(st.integers(1, 99), min_size=count, max_size=count, unique=True)):
        what = draw(st.sampled_from(["order", "order", "order", "removal", "client", "erasure"]))
        image = Image(
            what,
            draw(st.integers(1, 4)),
            version,
            draw(st.integers(1, 6)),
            TODAY + draw(st.integers(-400, 10)),
            draw(st.sampled_from([500, 3_000, 12_050, 0, -800, 10**14])),
            draw(st.sampled_from(["placed", "paid", "cancelled", "refunded"])),
        )
        images.append(image)
        if what == "order" and draw(st.booleans()):
            # A delete carries the version of the row image that it deletes.
            images.append(Image("removal", image.client, version, image.order))
    images += draw(st.lists(st.sampled_from(images), max_size=10)) if images else []
    return draw(st.permutations(images))


policies = st.builds(
    Policy,
    weights=st.builds(
        Weights,
        intercept=st.floats(-4, 1),
        frequency=st.floats(0, 3),
        value=st.floats(0, 1),
        recency=st.floats(0, 3),
    ),
    half_life_days=st.floats(5, 400),
    gap_prior_days=st.floats(1, 200),
    theta=st.floats(0.05, 0.95),
    rho=st.floats(0.1, 0.95),
    silence_max_days=st.integers(1, 150),
    lapse_days=st.integers(151, 400),
    ahead_days=st.integers(0, 5),
)


@settings(max_examples=150)
@given(images=lanes(), policy=policies)
def test_columns_agree_with_the_ledger_one_by_one(images: list[Image], policy: Policy):
    """Clients, scores, states, entries and crossings are those of common.score.model."""
    ledgers = ledgers_of(images)
    history = history_of(images)
    assert history.clients.tolist() == sorted(ledgers)
    found = assess_all(history, TODAY, policy)
    for i, client in enumerate(history.clients.tolist()):
        want = assess(ledgers[client], TODAY, policy)
        assert STATES[found.state[i]] == want.state
        if want.score is None:
            assert math.isnan(found.score[i])
        else:
            assert found.score[i] == pytest.approx(want.score, rel=1e-9)
        if want.crossing_day is None:
            assert found.crossing_day[i] == NO_DAY
            assert math.isnan(found.entry[i])
        else:
            assert found.crossing_day[i] == want.crossing_day
            assert found.entry[i] == pytest.approx(want.entry, rel=1e-9)


@given(images=lanes(), seed=st.integers())
def test_the_order_of_arrival_does_not_matter(images: list[Image], seed: int):
    """Shuffled, folded after every image, or split by client and joined: the same history."""
    want = history_of(images)
    shuffled = list(images)
    random.Random(seed).shuffle(shuffled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_columns, "FOLD_EVERY", 1)
        assert same(history_of(shuffled), want)
    odd = history_of([image for image in images if image.client % 2])
    even = history_of([image for image in images if not image.client % 2])
    assert same(join([odd, even]), want)
    assert same(join([even, odd]), want)


def same(one, other) -> bool:
    return np.array_equal(one.clients, other.clients) and all(
        np.array_equal(a, b) for a, b in zip(one.days, other.days, strict=True)
    )


def test_nothing_is_a_history_of_nobody():
    """No events give no clients, and an assessment of nobody."""
    history = join([Journal().history(), Journal().history()])
    assert history.clients.size == 0
    assert assess_all(history, TODAY, Policy()).score.size == 0


def test_ordered_between_two_days():
    """The first day is outside, the last one inside."""
    journal = Journal()
    for client, day in ((1, 10), (2, 11), (3, 20), (4, 21)):
        journal.order(client, client, 1, day=day, cents=500, counts=True)
    journal.client(5, 1)
    assert counted_between(journal.history(), 10, 20).tolist() == [False, True, True, False, False]


def test_clients_left_out_are_gone():
    """A client that is left out is neither counted nor assessed."""
    journal = Journal()
    for client in (1, 2, 3):
        journal.order(client, client, 1, day=10, cents=500, counts=True)
    assert journal.clients().tolist() == [1, 2, 3]
    assert journal.history(without=[2]).clients.tolist() == [1, 3]
