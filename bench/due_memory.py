"""What a due-index of a million clients costs: prints the MB by which the process has grown.

``python -m bench.due_memory``: the days of clients move as their orders come in random order, so
outdated entries count as they do in the service.
"""

import random
from pathlib import Path

from bench.workload import PARTITIONS, SEED
from scorer.due import DueIndex

CLIENTS = 1_000_000
MOVES = 3
"""Outdated entries are cleaned away when they outnumber the clients, so more moves cost no more."""
DAYS = 700


def held_mb() -> float:
    """Return the memory that this process holds at its peak, in MB of 10^6 bytes (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith("VmHWM:")) * 1024 / 1e6


def main() -> None:
    """Fill one index a partition, as a worker that owns them all."""
    chance = random.Random(SEED)
    before = held_mb()
    shards = [DueIndex() for _ in range(PARTITIONS)]
    for _ in range(CLIENTS * MOVES):
        client = chance.randrange(CLIENTS) + 1
        shards[client % PARTITIONS].put(client, 20_000 + chance.randrange(DAYS))
    print(f"{held_mb() - before:.1f}")


if __name__ == "__main__":
    main()
