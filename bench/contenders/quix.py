"""Quix Streams with state in RocksDB and its changelog, at least once.

Keys of the events name more than the client, so the key is cut to the client as it is read: state
is kept by key, and no repartitioning hop is paid for. Bytes are stored as bytes.
"""

import os
from pathlib import Path
from typing import Any

# Quix Streams lies in an environment of its own, which mypy does not see.
from quixstreams import Application, State  # type: ignore[import-not-found]
from quixstreams.models import (  # type: ignore[import-not-found]
    BytesSerializer,
    Deserializer,
    SerializationContext,
)

from bench.work import Work, clock, packed, read, unpacked
from common.topics import LIVE, SCORES

COMMIT_EVERY = 20_000


class ClientOfKey(Deserializer):  # type: ignore[misc] # its base is Any where it is not installed
    """Reads the client out of a key such as ``42/order/7``."""

    def __call__(self, value: bytes, ctx: SerializationContext) -> bytes:  # noqa: ARG002
        """Return the client's id as it stands in the key."""
        return value.partition(b"/")[0]


def main() -> None:
    """Work until told to stop."""
    app = Application(
        broker_address=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        consumer_group="quix",
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY,
        commit_interval=1.0,
        state_dir=Path(os.environ["DATA_DIR"]),
        auto_create_topics=True,
        consumer_extra_config={"fetch.wait.max.ms": 20, "isolation.level": "read_committed"},
        producer_extra_config={"linger.ms": 5, "compression.type": "lz4"},
        loglevel="WARNING",
    )
    events = app.topic(LIVE.name, key_deserializer=ClientOfKey(), value_deserializer="bytes")
    scores = app.topic(SCORES.name, key_serializer=BytesSerializer(), value_serializer="bytes")
    work = Work(clock())

    def score(value: bytes, state: State) -> Any:
        image = read(value)
        row = unpacked(image.client_id, state.get_bytes("row"))
        if not work.merge(row, image):
            return []
        told = [value for _, value in work.assess([(image.client_id, row)])]
        state.set_bytes("row", packed(image.client_id, row))
        return told

    app.dataframe(events).apply(score, stateful=True, expand=True).to_topic(scores)
    app.run()


if __name__ == "__main__":
    main()
