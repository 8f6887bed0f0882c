"""From a row to its score: orders changed in Postgres at a steady rate, until the score that names
the very version can be read; alone, and while a backfill runs at full speed.

Quiet and busy phases take turns, so that both see the same machine.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import asyncpg
import msgspec
from confluent_kafka import TopicPartition

from bench.broker import Broker, wait_for
from bench.errors import BenchFailed
from bench.figures import percentiles
from bench.runner import Contender, running
from bench.show import say
from bench.workload import SEED
from common.topics import BACKFILL, SCORES
from stack.launcher import Stack

ROWS_PER_S = 100
WARM_S = 3
CONNECTIONS = 8
SEEN_LIMIT_S = 120.0
DRAIN_LIMIT_S = 300.0
FLOOD_CLIENTS_FROM = 500_000_001
CLIENTS_A_PHASE = 10_000_000
MARKERS = 8
"""What a lag may still count when all is settled: the markers of the last transactions."""

INSERT = """
    INSERT INTO orders (client_id, ordered_at, amount)
    VALUES ($1, clock_timestamp(), 12.50) RETURNING id, version
"""
UPDATE = "UPDATE orders SET amount = amount + 0.01 WHERE id = $1 RETURNING id, version"

Image = tuple[str, int]
"""An entity and its version, as scores name what they have merged."""


class _Score(msgspec.Struct):
    merged: list[Image]


class _Event(msgspec.Struct):
    data: _Score


_read = msgspec.json.Decoder(_Event).decode


class Watcher:
    """Reads the scores as they become readable, and notes when each version was first named."""

    def __init__(self, broker: Broker) -> None:
        """Begin where the scores end now."""
        self.seen: dict[Image, float] = {}
        self._reader = broker.reader()
        ends = broker.ends(self._reader, SCORES)
        self._reader.assign([TopicPartition(SCORES.name, p, at) for p, at in ends.items()])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()
        self._reader.close()

    def _watch(self) -> None:
        while not self._stop.is_set():
            found = self._reader.consume(1, 0.1)
            found += self._reader.consume(2_000, 0)
            now = time.time()
            for message in found:
                value = message.value()
                if message.error() is None and value is not None:
                    for image in _read(value).data.merged:
                        self.seen.setdefault(image, now)


def measure(stack: Stack, folder: Path, seconds: int, phases: int) -> dict[str, float]:
    """Change rows for ``phases`` times ``seconds``, quiet and busy in turn; milliseconds."""
    broker = Broker(stack.place.bootstrap_servers)
    say(f"rows: {ROWS_PER_S} a second, {phases} times {seconds} s quiet and busy in turn")
    _phase(stack, broker, WARM_S, lambda: None)
    quiet: list[float] = []
    busy: list[float] = []
    rates: list[float] = []
    for number in range(phases):
        quiet += _phase(stack, broker, seconds, stack.parts.check)
        say(f"rows: quiet phase {number + 1}: p95 {percentiles(quiet, 95)[0]:.0f} ms so far")
        found, rate = _flooded(stack, broker, folder / f"flood-{number}", seconds, number)
        busy += found
        rates.append(rate)
        say(
            f"rows: busy phase {number + 1}: p95 {percentiles(busy, 95)[0]:.0f} ms so far,"
            f" {rate:,.0f} events/s of backfill meanwhile"
        )
    figures = {
        f"row_to_score_ms.p{p}": value
        for p, value in zip((50, 95, 99), percentiles(quiet, 50, 95, 99), strict=True)
    } | {
        f"row_to_score_ms_during_backfill.p{p}": value
        for p, value in zip((50, 95), percentiles(busy, 50, 95), strict=True)
    }
    figures["two_lanes.ratio_p95"] = (
        figures["row_to_score_ms_during_backfill.p95"] / figures["row_to_score_ms.p95"]
    )
    figures["two_lanes.backfill_events_per_s"] = sum(rates) / len(rates)
    return figures


def _flooded(
    stack: Stack, broker: Broker, folder: Path, seconds: int, number: int
) -> tuple[list[float], float]:
    """Measure while the other lane is full; return it, and the backfill's events a second."""
    first = FLOOD_CLIENTS_FROM + number * CLIENTS_A_PHASE
    flood = Contender("flood", "bench.contenders.flood", {"FIRST_CLIENT": str(first)})
    env = {"KAFKA_BOOTSTRAP_SERVERS": broker.servers}
    with running(flood, folder, env) as process:

        def check() -> None:
            stack.parts.check()
            if failure := process.died():
                raise failure

        def full() -> bool:
            check()
            return broker.lag("scorer", BACKFILL) > MARKERS

        wait_for("the backfill runs", full, SEEN_LIMIT_S)
        before, began = _settled(broker), time.monotonic()
        took = _phase(stack, broker, seconds, check)
        rate = (_settled(broker) - before) / (time.monotonic() - began)
        if not full():
            raise BenchFailed("the backfill was over before the rows were: it was no flood")
    wait_for(
        "the backfill is worked off",
        lambda: broker.lag("scorer", BACKFILL) <= MARKERS,
        DRAIN_LIMIT_S,
        0.5,
    )
    return took, rate


def _settled(broker: Broker) -> int:
    """Return how many records of the backfill lane have been settled."""
    reader = broker.reader()
    try:
        return sum(broker.ends(reader, BACKFILL).values()) - broker.lag("scorer", BACKFILL)
    finally:
        reader.close()


def _phase(stack: Stack, broker: Broker, seconds: int, check: Callable[[], None]) -> list[float]:
    """Change rows for a while; return how long each took to its score, in milliseconds."""
    with Watcher(broker) as watcher:
        sent = asyncio.run(_change(stack.place.admin_url, seconds))

        def all_seen() -> bool:
            check()
            return sent.keys() <= watcher.seen.keys()

        wait_for("every changed row has a score that names it", all_seen, SEEN_LIMIT_S)
        return latencies(sent, watcher.seen)


def latencies(sent: Mapping[Image, float], seen: Mapping[Image, float]) -> list[float]:
    """Return the milliseconds from the sending of each row to its score."""
    return [(seen[image] - when) * 1000 for image, when in sent.items()]


async def _change(url: str, seconds: int) -> dict[Image, float]:
    """Insert and update orders at the rate; return when each statement was sent, by its image.

    Rows go out on time even when one of them takes long, so a hold-up shows in every row of it.
    """
    chance = random.Random(SEED)
    sent: dict[Image, float] = {}
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        clients = [row["id"] for row in await pool.fetch("SELECT id FROM clients LIMIT 5000")]
        orders = [row["id"] for row in await pool.fetch("SELECT id FROM orders LIMIT 50000")]

        async def change(number: int) -> None:
            inserts = number % 2 == 0
            target = chance.choice(clients if inserts else orders)
            async with pool.acquire() as connection:
                when = time.time()
                row = await connection.fetchrow(INSERT if inserts else UPDATE, target)
            if row is None:
                raise BenchFailed(f"order {target} is gone")
            sent[f"order/{row['id']}", row["version"]] = when

        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(seconds * ROWS_PER_S):
                await asyncio.sleep(began + number / ROWS_PER_S - time.monotonic())
                tasks.create_task(change(number))
    return sent
