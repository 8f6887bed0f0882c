"""Records of client.scores: what counts of many, and what can never be used."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_api.projector.records import FeatureRow, Forgotten, read, reduce, score_of
from common.clock import date_of
from common.errors import PoisonMessage
from common.score.model import assess
from tests.scored import POLICY, TODAY, ledger, record, row, scored


@given(st.permutations([(v, o) for v, o in [(1, 1), (2, 2), (2, 3), (1, 4), (3, 5)]]))
def test_the_newest_record_counts_in_any_order(pairs: list[tuple[int, int]]) -> None:
    """Version first, then offset; the order of arrival does not matter."""
    rows = [row(scored(1, ledger([3]), version=v), o) for v, o in pairs]
    assert [found.guard for found in reduce(rows).rows] == [(1, 3, 5)]


def test_a_tombstone_beats_what_came_before_it_only() -> None:
    """In every order of arrival: gone up to its offset, there again after it."""
    items = [row(scored(1, ledger([3])), 1), Forgotten(1, 2), row(scored(1, ledger([2])), 3)]
    for order in itertools.permutations(items):
        batch = reduce(order)
        assert [found.record_offset for found in batch.rows] == [3]
        assert batch.forgotten == [Forgotten(1, 2)]
    assert reduce(items[:2]).rows == []


def test_rows_come_in_order_of_client() -> None:
    """So that all writers lock rows in the same order."""
    rows = [row(scored(i, ledger([3])), i) for i in (3, 1, 2)]
    assert [found.client_id for found in reduce(rows).rows] == [1, 2, 3]


@pytest.mark.parametrize("days", [[], [3], [9, 4], [200, 100], [400, 300, 200]])
@pytest.mark.parametrize("ahead", [0, 1, 30, 200])
def test_a_score_of_any_day_equals_the_direct_one(days: list[int], ahead: int) -> None:
    """What is stored is enough to recompute score and state on another day."""
    orders = ledger(days)
    stored = row(scored(1, orders), 1)
    score, state = score_of(stored, date_of(TODAY + ahead), {1: POLICY})
    expected = assess(orders, TODAY + ahead, POLICY)
    assert state == expected.state
    assert score == (expected.score and pytest.approx(expected.score, abs=1e-12))


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("client_id", 2, "wrong_key"),
        ("generation", 2**31, "out_of_range"),
        ("generation", 0, "out_of_range"),
        ("version", 2**63, "out_of_range"),
        ("version", -1, "out_of_range"),
        ("policy_version", 0, "out_of_range"),
        ("entry", float("nan"), "invalid"),
        ("exit", float("inf"), "not_finite"),
        ("crossing_day", 10**9, "out_of_range"),
        ("lapse_day", -(10**9), "out_of_range"),
        ("episode_id", "a\x00", "out_of_range"),
        ("merged", [["a\x00", 1]], "out_of_range"),
        ("features.n", 0, "out_of_range"),
        ("features.n", 2**31, "out_of_range"),
        ("features.frequency", 0.0, "out_of_range"),
        ("features.frequency", float("nan"), "not_finite"),
        ("features.value", float("-inf"), "not_finite"),
        ("features.first_day", 10**6, "out_of_range"),
        ("score", 7.0, "invalid"),
        ("state", "happy", "invalid"),
    ],
)
def test_a_record_from_which_no_row_follows_is_poison(path: str, value: Any, reason: str) -> None:
    """Figures that no column holds or no score follows from are parked, never written."""
    event = json.loads(record(scored(1, ledger([9, 4]))))
    target = event["data"]
    *parents, name = path.split(".")
    for parent in parents:
        target = target[parent]
    target[name] = value
    with pytest.raises(PoisonMessage) as caught:
        read(b"1", json.dumps(event).encode(), 1)
    assert caught.value.reason == reason


@pytest.mark.parametrize("key", [None, b"", b"x", b"0", b"-1", b"1.0", b"9" * 19, b"9" * 40])
def test_a_key_that_is_no_client_is_poison(key: bytes | None) -> None:
    """Also on tombstones, which have nothing but their key."""
    with pytest.raises(PoisonMessage):
        read(key, None, 1)


def test_a_good_record_is_a_row() -> None:
    """What the scorer writes, the projector reads."""
    found = read(b"1", record(scored(1, ledger([9, 4]), version=8)), 5)
    assert isinstance(found, FeatureRow)
    assert found.guard == (1, 8, 5)
    assert found.order_days == 2
    assert found.last_day == date_of(TODAY - 4)
    assert read(b"1", None, 6) == Forgotten(1, 6)
