"""Consumer groups as tests look at them: committed offsets, once their coordinator knows them."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

LIMIT_S = 30.0
LOADING = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
"""What a broker answers that has not read its groups yet, as after its start."""


def committed(reader: Consumer, places: list[TopicPartition]) -> list[TopicPartition]:
    """Return the committed offsets of the reader's group; waits while the broker loads groups."""
    end = time.monotonic() + LIMIT_S
    while True:
        try:
            return reader.committed(places, timeout=15)
        except KafkaException as error:
            if error.args[0].code() not in LOADING or time.monotonic() > end:
                raise
        time.sleep(0.05)
