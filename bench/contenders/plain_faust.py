"""Plain Faust, as its guide would have it: one agent, one table, nothing of our shims.

Raw codecs and a producer that lingers, which are its two known gains; ``take`` brings none, and
with a table it loses batches.
"""

import os
import sys

import faust

from bench.work import Work, clock, key_of, packed, read, unpacked
from common.cluster import Cluster
from common.kafka import create_topics
from common.topics import LIVE, SCORES, Topic

LINGER_S = 0.05
CHANGELOG = Topic(
    name="plain-faust-ledgers-changelog",
    holds="the rows of the plain agent",
    key="client id",
    written_by="bench",
    read_by="bench",
    cleanup="compact",
)


def main() -> None:
    """Run the plain worker."""
    servers, partitions = os.environ["KAFKA_BOOTSTRAP_SERVERS"], int(os.environ["TOPIC_PARTITIONS"])
    create_topics(Cluster(servers), [CHANGELOG], partitions, 1)
    app = faust.App(
        "plain-faust",
        broker=f"kafka://{servers}",
        store=os.environ["STORE"],
        datadir=os.environ["DATA_DIR"],
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        producer_linger=LINGER_S,
        web_enabled=False,
    )
    rows = app.Table("ledgers", key_type=bytes, value_type=bytes)
    scores = app.topic(SCORES.name, key_type=bytes, value_type=bytes)
    events = app.topic(LIVE.name, key_type=bytes, value_type=bytes, internal=False)
    work = Work(clock())

    async def score(stream: faust.StreamT[bytes]) -> None:
        async for value in stream:
            image = read(value)
            client_id = image.client_id
            row = unpacked(client_id, rows.get(key_of(client_id)))
            if work.merge(row, image):
                for name, told in work.assess([(client_id, row)]):
                    await scores.send(key=name, value=told)
                rows[key_of(client_id)] = packed(client_id, row)

    app.agent(events, name="plain")(score)
    app.Worker(loglevel="WARN", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    sys.argv = ["plain", "worker"]
    main()
