"""The due-index agrees with a plain dict, whatever is put and taken."""

import subprocess
import sys

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


MEASURE = """
import gc
from pathlib import Path
import msgspec
from scorer.rows import Row
from scorer.shard import Shard

def resident(field):
    status = Path("/proc/self/status").read_text()
    return next(int(x.split()[1]) for x in status.splitlines() if x.startswith(field)) // 1000

encode = msgspec.msgpack.Encoder().encode
heads = [encode(Row(due=20_000 + day, policy=1)) for day in range(400)]
gc.collect()
before = resident("VmRSS:")
shard = Shard.rebuilt(0, ((b"%d" % (n * 7 + 3), heads[n * 31 % 400]) for n in range(1_000_000)))
for n in range(0, 1_000_000, 2):
    shard.due.put(n * 7 + 3, 20_500 + n % 50)
assert len(shard.due) == 1_000_000
print(resident("VmHWM:") - before)
"""


def test_a_million_entries_cost_less_than_300_mb():
    """Rebuilt from a million rows, and half of them moved on: the memory of it all, at its peak."""
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=False, timeout=200
    )
    assert ran.returncode == 0, ran.stderr
    print(f"a million due clients take {ran.stdout.strip()} MB")
    assert 10 < int(ran.stdout) < 300
