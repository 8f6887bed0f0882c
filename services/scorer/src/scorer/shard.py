"""What a worker keeps in memory of one partition, and the rows from which it is rebuilt."""

from collections.abc import Iterable
from datetime import datetime

from common.score.policy import Policy
from scorer.due import DueIndex
from scorer.rows import decode_head, is_head
from scorer.ticks import Gate

POLICY_KEY = b"!policy"
SNAPSHOT_KEY = b"!snapshot"
TICK_KEY = b"!tick"
RESERVED = b"!"
"""Keys of clients are digits; what begins with this is the partition's own."""

FIRST_CLIENT = b"0"


class Shard:
    """One partition: its policy, its clock gate, and which of its clients are due when."""

    def __init__(self, partition: int) -> None:
        """Begin empty; ``rebuilt`` makes one from a table."""
        self.partition = partition
        self.policy: Policy | None = None
        self.importing = False
        """Whether a snapshot is being read: ledgers are half built and ticks open nothing."""
        self.snapshot_known = False
        """Whether a snapshot was ever announced, as far as the rows tell."""
        self.gate = Gate()
        self.tick_stored: datetime | None = None
        self.due = DueIndex()
        self.recross_from: bytes | None = None
        """Where the walk under a new policy goes on; None when every row has been assessed."""

    def adopt(self, policy: Policy) -> bool:
        """Take over a policy if it is newer than the known one; then all rows are to be walked."""
        if self.policy is not None and policy.version <= self.policy.version:
            return False
        self.policy = policy
        self.recross_from = FIRST_CLIENT
        return True

    @classmethod
    def rebuilt(cls, partition: int, rows: Iterable[tuple[bytes, bytes]]) -> "Shard":
        """Rebuild a partition's memory from all of its rows: after a restart or a rebalance."""
        shard = cls(partition)
        policies: set[int] = set()
        for key, value in rows:
            if key.startswith(RESERVED):
                shard._restore(key, value)
                continue
            if not is_head(key):
                continue
            head = decode_head(value)
            policies.add(head.policy)
            if head.due is not None:
                shard.due.put(int(key), head.due)
        if shard.snapshot_known:
            # The next tick may have been written before the last events of a snapshot.
            shard.gate.restart()
        if shard.policy is not None and policies - {shard.policy.version}:
            shard.recross_from = FIRST_CLIENT
        return shard

    def _restore(self, key: bytes, value: bytes) -> None:
        if key == POLICY_KEY:
            self.policy = Policy.model_validate_json(value)
        elif key == SNAPSHOT_KEY:
            self.importing = value == b"1"
            self.snapshot_known = True
        elif key == TICK_KEY:
            self.tick_stored = datetime.fromisoformat(value.decode())
            self.gate = Gate(self.tick_stored)
        else:
            raise ValueError(f"the row {key!r} is nobody's")
