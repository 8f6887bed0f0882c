"""What the scorer's pure work costs: microseconds an event, by the size of the ledger.

``python -m bench.ledger_work`` needs no server. Clients come in runs as in the service: an event
each, then one assessment of the whole run. The figures are the best of several rounds.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from common.codec import decode, encode
from common.events import OrderChanged, Origin
from common.partition import murmur2
from common.score.policy import Policy
from common.wire import LaneImage, OrderImage, read_lane
from scorer.engine import Outcome, Rules, merge, moment, reassess_many
from scorer.letters import letter
from scorer.rows import Row, dump, head_key, load

RUN = 500
ROUNDS = 15
SIZES = (1, 10, 100, 5_000)
RUN_SIZE_MAX = 100
FEW = 8
"""Clients in a run of the longest ledgers."""
BEGIN = datetime(2025, 1, 1, 9, tzinfo=UTC)
NOW = BEGIN + timedelta(days=500)
ZONE = ZoneInfo("Europe/Berlin")
RULES = Rules(Policy(), 1)

Stored = dict[bytes, bytes]


def event(client: int, number: int, version: int, moment_: datetime) -> bytes:
    """Return the bytes of one order event, as the relay writes them."""
    data = OrderChanged.model_validate(
        {
            "client_id": client,
            "order_id": number,
            "version": version,
            "ordered_at": moment_,
            "amount": f"{5 + number % 90}.{number % 100:02}",
            "currency": "EUR",
            "status": "paid",
            "origin": Origin(topic="cdc.public.orders", partition=1, offset=version, lsn=version),
        }
    )
    name = f"orders:{number}:{version}:{client}:order.changed.v1"
    return encode(data, id=name, source="cdc-relay", subject=str(client), time=moment_)


def histories(size: int, clients: int) -> tuple[dict[int, Stored], list[bytes]]:
    """Return stored rows of ``size`` - 1 orders a client, and one event more for each."""
    rng = random.Random(size)
    stored, events = {}, []
    for client in range(1, clients + 1):
        row = Row()
        days = sorted(rng.randrange(0, 480) for _ in range(size))
        for i, day in enumerate(days):
            number = client * 10_000 + i
            raw = event(client, number, number, BEGIN + timedelta(days=day, minutes=i % 600))
            if i < size - 1:
                merge(row, read_lane(raw), ZONE)
            else:
                events.append(raw)
        reassess_many([(client, row)], moment(NOW, ZONE), RULES)
        stored[client] = {k: v for k, v in dump(client, row).items() if v is not None}
    return stored, events


def timed(times: dict[str, float], name: str, work: Callable[[], object], per: int) -> None:
    """Note the time of some work, in microseconds per event, if it is the best so far."""
    begin = process_time()
    work()
    spent = (process_time() - begin) / per * 1e6
    times[name] = min(spent, times.get(name, spent))


class Round:
    """One run of clients through all of the work."""

    def __init__(self, stored: dict[int, Stored], events: list[bytes]) -> None:
        """Begin with stored rows and one event for each of their clients."""
        self.stored, self.events = stored, events
        self.at = moment(NOW, ZONE)
        self.images: list[LaneImage] = []
        self.rows: dict[int, Row] = {}
        self.told: list[Outcome] = []
        self.written: list[dict[bytes, bytes | None]] = []
        self.turn = 0

    def decode(self) -> None:
        """Read the events."""
        self.images = [read_lane(raw) for raw in self.events]

    def load(self) -> None:
        """Decode the rows."""
        self.rows = {
            client: load(client, one[head_key(client)], one.get)
            for client, one in self.stored.items()
        }

    def merge(self) -> None:
        """Merge each event into its row."""
        for image in self.images:
            merge(self.rows[image.client_id], image, ZONE)

    def reassess(self) -> None:
        """Assess the run."""
        self.told = reassess_many(list(self.rows.items()), self.at, RULES)

    def encode(self) -> None:
        """Write what is told."""
        for one in self.told:
            letter(one, 3, NOW)

    def dump(self) -> None:
        """Encode the rows."""
        self.written = [dump(client, row) for client, row in self.rows.items()]

    def again(self) -> None:
        """Do it all with the next image of the same orders, the rows still being at hand."""
        self.turn += 10**9
        for image in self.images:
            if isinstance(image, OrderImage):
                newer = replace(image, version=image.version + self.turn, cents=image.cents + 1)
                merge(self.rows[image.client_id], newer, ZONE)
        self.reassess()
        self.encode()
        self.dump()


def measure(size: int) -> dict[str, float]:
    """Return microseconds an event by kind of work, for ledgers of ``size`` orders."""
    clients = RUN if size <= RUN_SIZE_MAX else FEW
    stored, events = histories(size, clients)
    times: dict[str, float] = {}
    for _ in range(ROUNDS):
        one = Round(stored, events)
        steps = (one.decode, one.load, one.merge, one.reassess, one.encode, one.dump)
        for step in steps:
            timed(times, step.__name__, step, clients)
    times["all"] = sum(times.values())
    written = sum(len(value or b"") for row in one.written for value in row.values())
    for _ in range(ROUNDS):
        timed(times, "the next event, row at hand", one.again, clients)
    for _ in range(ROUNDS):
        timed(times, "decode by pydantic", lambda: [decode(raw) for raw in events], clients)
    times["bytes written"] = written / clients
    times["partition_of a new client"] = min(_murmur() for _ in range(ROUNDS))
    return times


def _murmur() -> float:
    begin = process_time()
    for client in range(1_000_000, 1_002_000):
        murmur2(b"%d" % client)
    return (process_time() - begin) / 2_000 * 1e6


def main() -> None:
    """Print one line for each kind of work."""
    columns = {size: measure(size) for size in SIZES}
    print("us an event, orders a client:" + "".join(f"{size:>10,}" for size in SIZES))
    for name in columns[SIZES[0]]:
        print(f"{name:<29}" + "".join(f"{columns[size][name]:>10,.2f}" for size in SIZES))


if __name__ == "__main__":
    main()
