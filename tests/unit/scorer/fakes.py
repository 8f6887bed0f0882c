"""Stand-ins for the outbox and the store, which keep the order in which things were done."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.codec import decode
from scorer.writer import Letter, Rows

CHANGELOG = "changelog"


@dataclass
class Diary:
    """What was settled and stored, in order; may be told to fail at the n-th settle."""

    fail_at: int | None = None
    sends: list[list[Letter]] = field(default_factory=list)
    """The letters and rows of each transaction."""
    rows: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    acts: list[str] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    """How many keys each read asked for."""

    async def settle(self, partition: int, letters: Iterable[Letter], rows: Rows) -> int:
        """Note a transaction; commit it or fail."""
        sent = [*letters, *(Letter(CHANGELOG, partition, *row) for row in rows.items())]
        if self.fail_at is not None and len(self.sends) + 1 >= self.fail_at:
            raise ConnectionError("the broker is away")
        self.sends.append(sent)
        self.acts.append("settle:" + ",".join(sorted({letter.topic for letter in sent})))
        return 1

    async def thread(self, work: Callable[..., Any], *args: Any) -> Any:
        """Work at once."""
        return work(*args)

    def read(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return stored rows."""
        self.reads.append(len(keys))
        return [self.rows.get(partition, {}).get(key) for key in keys]

    def write(self, partition: int, rows: Mapping[bytes, bytes | None], offset: int) -> None:
        """Store rows."""
        stored = self.rows.setdefault(partition, {})
        for key, value in rows.items():
            if value is None:
                stored.pop(key, None)
            else:
                stored[key] = value
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
    headers: tuple[tuple[str, bytes], ...] = ()
