"""Adapter: a partition's rows, written to the changelog first and acknowledged, then to RocksDB."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from scorer.outbox import Letter, Outbox


class Store(Protocol):
    """Where rows lie on this machine."""

    def read(self, partition: int, key: bytes) -> bytes | None: ...
    def write(self, partition: int, rows: Mapping[bytes, bytes], offset: int) -> None: ...
    def scan(self, partition: int, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]: ...


class Rows:
    """The ledger table of this worker's partitions."""

    def __init__(self, store: Store, outbox: Outbox, changelog: str) -> None:
        """Keep rows in ``store``; ``changelog`` is the topic from which they can be recovered."""
        self._store = store
        self._outbox = outbox
        self._changelog = changelog

    def read(self, partition: int, key: bytes) -> bytes | None:
        """Return a row's bytes."""
        return self._store.read(partition, key)

    def scan(self, partition: int, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Iterate over a partition's rows from ``start`` on, in the order of their keys."""
        return self._store.scan(partition, start)

    async def write(self, rows: Mapping[int, Mapping[bytes, bytes]]) -> None:
        """Write rows by partition. The local store never knows what the changelog does not.

        Raises Transient when the changelog did not take them; then nothing was stored here.
        """
        offsets = await self._outbox.send(
            Letter(self._changelog, partition, key, value)
            for partition, found in rows.items()
            for key, value in found.items()
        )
        for partition, found in rows.items():
            if found:
                self._store.write(partition, found, offsets[self._changelog, partition])
