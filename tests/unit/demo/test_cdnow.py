"""The demo's histories are the real ones, shifted to end today."""

import json
from datetime import UTC, datetime

import pytest

from demo.cdnow import client_rows, order_rows, purchases

TODAY = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("which", "clients", "orders"), [("sample", 2357, 6919), ("all", 23570, 69659)]
)
def test_every_client_and_order_is_read(which, clients, orders):
    """The sample and the whole file have the sizes that are published for them."""
    history = purchases(which)
    assert len(list(client_rows(history))) == clients
    assert len(history) == orders


def test_the_last_order_is_today_and_none_is_later():
    """Dates keep their distances and end today, not in the future."""
    rows = [json.loads(line) for line in order_rows(purchases("sample"), TODAY)]
    times = [datetime.fromisoformat(row["ordered_at"]) for row in rows]
    assert max(times).date() == TODAY.date()
    assert max(times) <= TODAY


def test_the_people_are_made_up_and_say_so():
    """Each client is labelled synthetic, and two readings make up the same people."""
    history = purchases("sample")
    first, second = (list(client_rows(history)) for _ in range(2))
    assert first == second
    people = [json.loads(line) for line in first]
    assert all(person["synthetic"] for person in people)
    assert all(person["email"].endswith("@example.com") for person in people)
