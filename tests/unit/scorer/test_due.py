"""The due-index agrees with a plain dict, whatever is put and taken."""

from hypothesis import given
from hypothesis import strategies as st

from scorer.due import STALE_MIN, DueIndex

PUTS = st.lists(st.tuples(st.integers(1, 20), st.none() | st.integers(0, 12)), max_size=80)


@given(PUTS, st.integers(0, 12), st.integers(1, 25))
def test_it_agrees_with_a_dict(puts, day, limit):
    """Those due until a day are exactly the clients whose newest day is not after it."""
    index, plain = DueIndex(), {}
    for client, when in puts:
        index.put(client, when)
        plain[client] = when
        if client % 5 == 0:
            index.until(when or 0, 3)
    due = {client: when for client, when in plain.items() if when is not None and when <= day}
    found = index.until(day, limit)
    assert len(found) == min(limit, len(due))
    assert set(found) <= set(due)
    days = [due[client] for client in found]
    assert days == sorted(days)
    assert days == sorted(due.values())[: len(days)]
    assert len(index) == sum(when is not None for when in plain.values())


@given(PUTS)
def test_working_off_reaches_everybody_once(puts):
    """Taking chunks and moving each client on visits every due client exactly once."""
    index, plain = DueIndex(), {}
    for client, when in puts:
        index.put(client, when)
        plain[client] = when
    seen = []
    while chunk := index.until(12, 3):
        seen += chunk
        for client in chunk:
            index.put(client, None if client % 2 else 99)
    assert sorted(seen) == sorted(client for client, when in plain.items() if when is not None)


def test_outdated_entries_do_not_pile_up():
    """A client that is put off again and again takes no more room than one entry's."""
    index = DueIndex()
    for day in range(50 * STALE_MIN):
        index.put(1, day % 977 + 1)
    assert sum(len(clients) for clients in index._clients_on.values()) <= 2 * STALE_MIN
    assert index.until(1_000, 5) == [1]


def test_a_large_day_is_worked_off_in_linear_time():
    """Chunks of one large day do not look at the whole day each time."""
    index = DueIndex()
    for client in range(100_000):
        index.put(client, 5)
    chunks = 0
    while chunk := index.until(5, 500):
        chunks += 1
        for client in chunk:
            index.put(client, None)
    assert chunks == 200
