"""Lanes against Postgres: any order and repetition of images amounts to the same difference."""

from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.wire import ClientImage, ErasureImage, OrderImage, RemovalImage
from engage.drift import CLIENT, ERASURE, Drift, Image, Present, Seen

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def order(client: int, number: int, version: int) -> OrderImage:
    """Return an order's image."""
    return OrderImage(client, number, version, WHEN, 1000, counts=True)


def seen(images: list[Image]) -> Seen:
    """Return what some images amount to."""
    found = Seen()
    for image in images:
        found.take(image)
    return found


small = st.integers(1, 4)
any_image = st.one_of(
    st.builds(order, small, small, st.integers(1, 9)),
    st.builds(RemovalImage, small, small, st.integers(1, 9)),
    st.builds(ClientImage, small, st.integers(1, 9)),
    st.builds(ErasureImage, small, st.integers(1, 9)),
)


def simply(images: list[Image]) -> Present:
    """Compute the same the slow way, rule by rule."""
    erased: dict[int, int] = {}
    clients: dict[int, int] = {}
    orders: dict[tuple[int, int], tuple[int, bool]] = {}
    for image in images:
        if isinstance(image, ErasureImage):
            erased[image.client_id] = max(erased.get(image.client_id, 0), image.version)
        elif isinstance(image, ClientImage):
            clients[image.client_id] = max(clients.get(image.client_id, 0), image.version)
        else:
            pair = (image.client_id, image.order_id)
            gone = isinstance(image, RemovalImage)
            orders[pair] = max(orders.get(pair, (0, False)), (image.version, gone))
    return Present(
        {c: v for c, v in clients.items() if v > erased.get(c, 0)},
        {p: v for p, (v, gone) in orders.items() if not gone and v > erased.get(p[0], 0)},
        {(c, CLIENT): 2 * v for c, v in clients.items()}
        | {(c, ERASURE): 2 * v + 1 for c, v in erased.items()}
        | {p: 2 * v + gone for p, (v, gone) in orders.items()},
    )


@given(st.lists(any_image, max_size=30), st.randoms())
def test_any_order_and_repetition_amounts_to_the_same(images: list[Image], random: Random):
    """Newest wins, a removal wins a tie, an erasure voids all up to its version."""
    shuffled = [*images, *random.sample(images, len(images) // 2)]
    random.shuffle(shuffled)
    assert seen(shuffled).of(np.arange(1, 5)) == simply(images)


def test_both_directions_of_a_difference_are_found():
    """Gone from Postgres; missing on the lanes; older there; and what is on its way is not."""
    lanes = seen([ClientImage(1, 5), ClientImage(2, 6), order(1, 10, 7), order(1, 11, 8)])
    rows = Present({1: 5, 3: 9}, {(1, 11): 12, (3, 30): 13, (3, 31): 99})
    drift = Drift()
    drift.compare(lanes.of(np.array([1, 2, 3])), rows, younger_than=50)
    assert (drift.gone_clients, drift.gone_orders) == ({2}, {(1, 10)})
    assert drift.missing_clients == {3: 9}
    assert drift.missing_orders == {(1, 11): 12, (3, 30): 13}
    assert (drift.gone, drift.missing) == (2, 3)


@pytest.mark.parametrize(
    ("images", "rows", "outranked"),
    [
        pytest.param([ClientImage(1, 7)], Present({1: 7}, {}), 0, id="same"),
        pytest.param([ClientImage(1, 7)], Present({1: 8}, {}), 0, id="newer"),
        pytest.param([ClientImage(1, 7)], Present({1: 6}, {}), 1, id="older client"),
        pytest.param([order(1, 10, 7)], Present({}, {(1, 10): 6}), 1, id="older order"),
        pytest.param([RemovalImage(1, 10, 7)], Present({}, {(1, 10): 7}), 1, id="removed order"),
        pytest.param([RemovalImage(2, 10, 7)], Present({}, {(1, 10): 7}), 0, id="moved order"),
        pytest.param([ErasureImage(1, 7)], Present({1: 7}, {(1, 10): 6}), 2, id="erased client"),
        pytest.param(
            [ErasureImage(1, 7), ClientImage(1, 20)],
            Present({1: 20}, {(1, 10): 6, (1, 11): 8}),
            1,
            id="erased client that came again",
        ),
    ],
)
def test_living_rows_that_lose_against_the_lanes_prove_a_restore(
    images: list[Image], rows: Present, outranked: int
):
    """Even when new rows have long been given higher versions than all that the lanes hold."""
    drift = Drift()
    drift.compare(seen(images).of(np.array([1, 2])), rows, younger_than=99)
    assert drift.outranked == outranked


def test_what_came_meanwhile_is_no_difference():
    """The tail of the lanes, read after Postgres, takes back what it explains."""
    drift = Drift({2}, {(1, 10)}, {3: 9}, {(3, 30): 13, (1, 11): 12})
    drift.forget(
        [
            ErasureImage(2, 60),
            RemovalImage(1, 10, 61),
            ClientImage(3, 9),
            order(3, 30, 13),
            order(1, 11, 11),
        ]
    )
    assert (drift.gone, drift.missing_clients, drift.missing_orders) == (0, {}, {(1, 11): 12})
