"""The relay beside a raw transactional copy: the same raw bytes, the same bounds of a batch.

The relay's rate limit is lifted; all else is as it runs. A rate is records over the seconds from
the moment at which all lay there to the moment at which the last event could be read.
"""

import statistics
import time
from pathlib import Path

from bench.broker import Broker
from bench.errors import BenchFailed
from bench.readable import Readable
from bench.runner import Contender, cpu_s, frozen, running
from bench.scorer_race import environment
from bench.show import say
from bench.workload import WARM_CLIENTS_FROM, Shape, Written, raws
from common.topics import CDC_ORDERS, LIVE

RELAY = Contender("relay", "cdc_relay", {"RELAY_RECORDS_PER_S": "100000000"})
RAW_COPY = Contender("raw-copy", "bench.contenders.raw_copy", {})
WARM = Shape(clients=200, orders=2, first_client=WARM_CLIENTS_FROM)
LIMIT_S = 120.0
QUIET_S = 0.5


def race_once(
    broker: Broker, contender: Contender, folder: Path, load: list[Written]
) -> tuple[float, float]:
    """Let one of the two work through the load; return its seconds by the clock and of CPU."""
    broker.empty()
    with running(contender, folder, environment(broker.servers, folder)) as process:
        written = Readable(broker, LIVE, process)
        try:
            broker.load(CDC_ORDERS, raws(WARM))
            begin = written.settle(WARM.events, QUIET_S, LIMIT_S)
            with frozen(process):
                broker.load(CDC_ORDERS, load)
                used = cpu_s(process)
                released = time.time()
            written.settle(sum(begin.values()) + len(load), QUIET_S, LIMIT_S)
            count, last = 0, {}
            for message in broker.read(LIVE, begin):
                count += 1
                last[message.partition() or 0] = message.offset() or 0
            if count != len(load):
                raise BenchFailed(f"{contender.name} made {count:,} records of {len(load):,}")
            return written.since(last) - released, cpu_s(process) - used
        finally:
            written.close()


def race(servers: str, folder: Path, clients: int, rounds: int) -> dict[str, float]:
    """Race both ``rounds`` times in alternating order; return medians and their ratio."""
    shape = Shape(clients)
    say(f"relay: {shape.events:,} raw row changes, seed {shape.seed}")
    load, broker = list(raws(shape)), Broker(servers)
    rates: dict[str, list[float]] = {RELAY.name: [], RAW_COPY.name: []}
    for number in range(rounds):
        pair = (RELAY, RAW_COPY)
        for contender in pair if number % 2 == 0 else pair[::-1]:
            took, cpu = race_once(broker, contender, folder / f"{contender.name}-{number}", load)
            rates[contender.name].append(len(load) / took)
            say(
                f"relay: round {number + 1} of {rounds}, {contender.name}:"
                f" {rates[contender.name][-1]:,.0f} records/s,"
                f" {cpu / len(load) * 1e6:,.0f} us of CPU each"
            )
    ours, raw = (statistics.median(rates[c.name]) for c in (RELAY, RAW_COPY))
    return {
        "relay.records_per_s": ours,
        "raw_copy.records_per_s": raw,
        "relay.ratio_to_raw_copy": ours / raw,
    }
