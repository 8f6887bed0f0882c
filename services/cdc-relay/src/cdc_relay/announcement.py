"""Tells the scorers that a first snapshot begins, before there is a connector that could say so."""

import time
import uuid

from cdc_relay.snapshot import SNAPSHOT_KEY, beginning, snapshot_state
from common import kafka
from common.cluster import Cluster
from common.errors import Misconfigured, Transient
from common.topics import CDC_NOTIFICATIONS, CONTROL, Topic


def tell(cluster: Cluster, partitions: int) -> None:
    """Warn the scorers in every partition; raises Transient unless all have it.

    First it is noted where Debezium notes its snapshots, so that a relay that hears of the end of
    a former one only now finds this beginning behind it, and does not pass the end on. Telling it
    again changes nothing.
    """
    producer = kafka.producer(cluster)
    failed: list[str] = []
    cause, ts_ms = f"connector-{uuid.uuid4()}", int(time.time() * 1000)

    def send(topic: Topic, partition: int, key: bytes, value: bytes) -> None:
        producer.produce(
            topic.name,
            value,
            key,
            partition,
            on_delivery=lambda error, _message: failed.append(str(error)) if error else None,
        )

    def all_told() -> None:
        if producer.flush(kafka.ADMIN_TIMEOUT_S) or failed:
            raise Transient(f"scorers could not be told of the snapshot: {failed[:1]}")

    send(CDC_NOTIFICATIONS, 0, cause.encode(), beginning(cause, ts_ms))
    all_told()
    state = snapshot_state(active=True, cause=cause, ts_ms=ts_ms)
    for partition in range(partitions):
        send(CONTROL, partition, SNAPSHOT_KEY, state)
    all_told()


def tell_when_there(cluster: Cluster, partitions: int) -> None:
    """Do the same where brokers and topics may still be on their way; raises Transient until then.

    Whatever is wrong with them counts as that: an operator may be making them right now.
    """
    try:
        kafka.verify(cluster, (CDC_NOTIFICATIONS, CONTROL), partitions)
    except Misconfigured as error:
        raise Transient(str(error)) from error
    tell(cluster, partitions)
