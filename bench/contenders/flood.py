"""A backfill at full speed: new orders of clients unknown to Postgres, without end.

It keeps no more than a window ahead of the scorer, so that the lane is never empty and what is
left when it is stopped can be worked off soon.
"""

import os
import signal
import threading
from datetime import UTC, datetime

from bench.broker import Broker
from bench.workload import Shape, events
from common.topics import BACKFILL

CLIENTS_AT_ONCE = 1_000
AHEAD_MAX = 100_000
RECENT_DAYS = 3
"""Nobody in the flood is at risk: a backfill opens no episodes while it runs."""


def main() -> None:
    """Write until told to stop."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    broker = Broker(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    first, now = int(os.environ["FIRST_CLIENT"]), datetime.now(UTC)
    while not stop.is_set():
        if broker.lag("scorer", BACKFILL) > AHEAD_MAX:
            stop.wait(0.1)
            continue
        shape = Shape(CLIENTS_AT_ONCE, first_client=first, until=now, days=RECENT_DAYS)
        broker.load(BACKFILL, events(shape))
        first += CLIENTS_AT_ONCE


if __name__ == "__main__":
    main()
