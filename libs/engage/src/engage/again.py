"""Episodes back to their topic as they came: the mailer knows each by its id, and writes once."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, Message

from common import kafka
from common.errors import Transient
from common.partition import partition_of_key
from common.topics import AT_RISK
from engage.broker import Broker
from engage.letters import Letter

FLUSH_LIMIT_S = 30.0


class Again:
    """Writes letters back to ``client.at-risk``; a context manager that ends with all delivered."""

    def __init__(self, broker: Broker) -> None:
        """Look at the topic; raises Misconfigured when it is not there."""
        self._partitions = broker.partitions(AT_RISK.name)
        self._producer = kafka.producer(broker.cluster)
        self._failed: list[str] = []

    def __enter__(self) -> Self:
        """Write for a while."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Deliver; raises Transient when the broker took not all of it."""
        left = self._producer.flush(FLUSH_LIMIT_S)
        if left or self._failed:
            raise Transient(f"{left + len(self._failed)} episodes were not delivered")

    def send(self, letter: Letter, headers: Mapping[str, str]) -> None:
        """Write one letter to its client's partition."""
        target = partition_of_key(letter.key or b"", self._partitions)
        self._producer.produce(
            AT_RISK.name,
            letter.value,
            letter.key,
            target,
            headers=[(name, text.encode()) for name, text in headers.items()],
            on_delivery=self._delivered,
        )
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(error.str())
