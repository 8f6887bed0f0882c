"""What more workers bring on one machine, what it costs when they come and go, and recovery.

Teams of 1, 2 and 4 workers get the same events in the same partitions, in turns; each is warmed
up, held still while the load is written, and let go, as in the race of the scorer
(``scorer_race``), and has to give every client the final score that the pure functions give.
Rebalances: ``rebalance``; recovery from the own disk and from nothing: ``growth``. What lies on
disk then is counted, and what the same clients take in Postgres.
"""

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench import api_fill, growth, rebalance
from bench.broker import Broker
from bench.finals import Judged, check_same, reference
from bench.scorer_race import Run, environment, policy, timed
from bench.shop import Shop, migrated
from bench.show import say
from bench.team import wait_shared, working
from bench.workload import Shape, Written, events, raws
from common.topics import CDC_ORDERS, CONTROL, LIVE, SCORES, changelog_of
from stack.kafka import Kafka
from stack.postgres import Postgres

TEAMS = (1, 2, 4)
"""Workers; the workload's four partitions are the most that can be at work."""
TEAM_SESSION_S = 10.0
"""A team begins when the broker has missed those of the one before; longer than it takes to
write the load, meanwhile its workers are held still."""


ON_DISK = {"cdc": CDC_ORDERS, "events": LIVE, "scores": SCORES, "changelog": changelog_of(1)}


class Size(NamedTuple):
    """How much is measured."""

    clients: int
    """Of the comparison of teams."""
    recovered_clients: int
    session_s: float
    """The workers' session timeout while they come and go; the system's own default is 30 s."""


def measure(folder: Path, size: Size, rounds: int) -> dict[str, float]:
    """Measure all of it, each on a broker that knows no group of before; return the figures."""
    with Kafka.start(folder / "teams/kafka") as kafka:
        found = teams(kafka, folder / "teams", size.clients, rounds)
    with Kafka.start(folder / "rebalance/kafka") as kafka:
        broker = Broker(kafka.bootstrap_servers)
        found |= rebalance.measure(broker, folder / "rebalance", size.session_s)
    return found | recovery(folder / "recovery", size.recovered_clients)


def teams(kafka: Kafka, folder: Path, clients: int, rounds: int) -> dict[str, float]:
    """Let teams work through the same load in turns; return medians and ratios."""
    shape = Shape(clients)
    say(f"scale: {shape.events:,} events of {clients:,} clients for {TEAMS} workers")
    load = list(events(shape))
    expected = reference(load)
    runs: dict[int, list[Run]] = {count: [] for count in TEAMS}
    for number in range(rounds):
        for count in TEAMS if number % 2 == 0 else TEAMS[::-1]:
            run = _once(kafka, folder / f"{count}-{number}", count, load, expected)
            runs[count].append(run)
            say(
                f"scale: round {number + 1} of {rounds}, {count} workers:"
                f" {len(load) / run.seconds:,.0f} events/s; processor: workers"
                f" {run.cpu_s / len(load) * 1e6:,.0f} us an event, broker"
                f" {run.beside_cpu_s / len(load) * 1e6:,.0f}; MB of each worker:"
                f" {', '.join(f'{peak:,.0f}' for peak in run.peaks_mb)}"
            )
    return figures(runs, len(load))


def _once(
    kafka: Kafka, folder: Path, count: int, load: list[Written], expected: Mapping[int, Judged]
) -> Run:
    broker = Broker(kafka.bootstrap_servers)
    broker.empty()
    broker.write(CONTROL, policy())
    env = environment(broker.servers, folder) | {"SESSION_TIMEOUT_S": str(TEAM_SESSION_S)}
    with ExitStack() as stack:
        team = [stack.enter_context(working(env, folder, number)) for number in range(count)]
        wait_shared(broker, team)
        versions = {client: judged.version for client, judged in expected.items()}
        processes = [worker.process for worker in team]
        run = timed(broker, processes, load, versions, beside=[kafka.process])
    check_same(f"a team of {count}", run.finals, expected)
    return run


def figures(runs: Mapping[int, Sequence[Run]], count: int) -> dict[str, float]:
    """Return each team's medians for a load of ``count`` events, and the ratios to one worker."""
    found: dict[str, float] = {}
    for team, each in runs.items():
        found |= {
            f"scale.events_per_s_{team}": count / statistics.median(run.seconds for run in each),
            f"scale.memory_mb_{team}": statistics.median(max(run.peaks_mb) for run in each),
            f"scale.worker_cpu_us_per_event_{team}": statistics.median(
                run.cpu_s / count * 1e6 for run in each
            ),
            f"scale.broker_cpu_us_per_event_{team}": statistics.median(
                run.beside_cpu_s / count * 1e6 for run in each
            ),
        }
    for team in runs:
        if team > 1:
            found[f"scale.ratio_{team}_to_1"] = (
                found[f"scale.events_per_s_{team}"] / found["scale.events_per_s_1"]
            )
    return found


def recovery(folder: Path, clients: int) -> dict[str, float]:
    """Let one worker recover; return how long it took, and what its clients take on disk."""
    with Kafka.start(folder / "kafka") as kafka:
        grown = growth.one_size(kafka, folder, clients)
        found = {name: value for name, value in grown.items() if name.startswith("recovery.")}
        broker = Broker(kafka.bootstrap_servers)
        found |= disk(broker, folder / "kafka/data", Shape(clients))
    found["disk.rows_bytes_per_client"] = _size(folder / "data", "**/*") / clients
    return found | database(folder, clients)


def disk(broker: Broker, topics: Path, shape: Shape) -> dict[str, float]:
    """Return the bytes that a record of each topic takes on disk, of a workload just done.

    Records are those of the present: what compaction takes away later is not in it. Row changes,
    which the scorer does not read, are written here, as Debezium writes them.
    """
    broker.load(CDC_ORDERS, raws(shape))
    reader = broker.reader()
    try:
        ends = {name: sum(broker.ends(reader, of).values()) for name, of in ON_DISK.items()}
    finally:
        reader.close()
    return {
        f"disk.{name}_bytes_per_record": _size(topics, f"{ON_DISK[name].name}-[0-9]*/*.log") / end
        for name, end in ends.items()
    }


def database(folder: Path, clients: int) -> dict[str, float]:
    """Return the bytes in Postgres of a client with ten orders, a score, and what follows."""
    say(f"scale: Postgres with {clients:,} clients")
    with Postgres.start(folder / "postgres", durable=False) as postgres:
        shop = migrated(postgres, folder)
        empty = asyncio.run(_database_bytes(shop))
        asyncio.run(api_fill.fill(shop.admin_url, clients))
        grown = asyncio.run(_database_bytes(shop)) - empty
    return {"disk.postgres_bytes_per_client": grown / clients}


async def _database_bytes(shop: Shop) -> int:
    db = await asyncpg.connect(shop.admin_url)
    try:
        return int(await db.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await db.close()


def _size(folder: Path, pattern: str) -> int:
    return sum(file.stat().st_size for file in folder.glob(pattern) if file.is_file())
