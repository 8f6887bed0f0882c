"""What is asked of the place where rows lie on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol


class Store(Protocol):
    """The rows of this worker's partitions; a row of another one raises."""

    def read(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return stored values in the order of their keys."""
        ...

    def write(self, partition: int, rows: Mapping[bytes, bytes | None], offset: int) -> None:
        """Store rows and the changelog offset up to which they stand; None deletes."""
        ...

    def scan(self, partition: int, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Iterate over a partition's rows from ``start`` on, in the order of their keys."""
        ...
