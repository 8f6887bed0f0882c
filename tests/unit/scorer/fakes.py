"""Stand-ins for the outbox and the table, which keep the order in which things were done."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.codec import decode
from scorer.outbox import Letter


@dataclass
class Diary:
    """What was sent and stored, in order; may be told to fail at the n-th send."""

    fail_at: int | None = None
    sends: list[list[Letter]] = field(default_factory=list)
    rows: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    acts: list[str] = field(default_factory=list)

    async def send(self, letters: Iterable[Letter]) -> dict[tuple[str, int], int]:
        """Note a send; acknowledge it or fail."""
        sent = list(letters)
        if self.fail_at is not None and len(self.sends) + 1 >= self.fail_at:
            raise ConnectionError("the broker is away")
        self.sends.append(sent)
        self.acts.append("send:" + ",".join(sorted({letter.topic for letter in sent})))
        return {(letter.topic, letter.partition): 1 for letter in sent}

    def read(self, partition: int, key: bytes) -> bytes | None:
        """Return a stored row."""
        return self.rows.get(partition, {}).get(key)

    def write(self, partition: int, rows: Mapping[bytes, bytes], offset: int) -> None:
        """Store rows."""
        self.rows.setdefault(partition, {}).update(rows)
        self.acts.append("store")

    def scan(self, partition: int, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Iterate in the order of the keys."""
        yield from sorted(i for i in self.rows.get(partition, {}).items() if i[0] >= start)

    def told(self, topic: str) -> list[Any]:
        """Return the data of all events sent to a topic; None for tombstones."""
        return [
            None if letter.value is None else decode(letter.value).data
            for sent in self.sends
            for letter in sent
            if letter.topic == topic
        ]


@dataclass
class FakeRecord:
    """A Kafka record."""

    value: bytes | None
    key: bytes | None = b"k"
    offset: int = 0
    timestamp: int = 0
    timestamp_type: int = 1
