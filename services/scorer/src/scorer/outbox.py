"""Adapter: what the scorer tells the world, acknowledged by the broker or the process ends.

Faust's own producer buffers, gives up flushing after 0.1 s and only logs a failed send, so nothing
goes through it.
"""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from common.errors import Transient

DELIVERY_LIMIT_MS = 40_000
"""aiokafka retries within it: about as long as a broker takes to come back."""

BATCH_BYTES_MAX = 256 * 1024
REQUEST_BYTES_MAX = 4 * 1024 * 1024


class Letter(NamedTuple):
    """One record to be sent."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Outbox:
    """An idempotent producer whose every send is awaited."""

    def __init__(self, servers: str) -> None:
        """Make the producer inside the running loop; ``start`` connects it."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=servers,
            client_id="scorer",
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=0,
            max_batch_size=BATCH_BYTES_MAX,
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=DELIVERY_LIMIT_MS,
        )

    async def start(self) -> None:
        """Connect to the broker."""
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        await self._producer.stop()

    async def send(self, letters: Iterable[Letter]) -> dict[tuple[str, int], int]:
        """Send records and wait for every acknowledgement.

        Returns the highest offset given per topic and partition. Raises Transient when one could
        not be delivered: some of the others may have been.
        """
        sent = []
        try:
            for topic, partition, key, value, headers in letters:
                sent.append(
                    await self._producer.send(
                        topic, value, key=key, partition=partition, headers=list(headers)
                    )
                )
            acknowledged = await asyncio.gather(*sent)
        except KafkaError as error:
            raise Transient(f"a record could not be delivered: {error!r}") from error
        highest: dict[tuple[str, int], int] = {}
        for record in acknowledged:
            place = (record.topic, record.partition)
            highest[place] = max(record.offset, highest.get(place, -1))
        return highest
