"""A Kafka record, as the scorer needs it."""

from collections.abc import Sequence
from typing import Protocol


class Record(Protocol):
    """What is needed of a record."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
