"""The same work on plain Faust 0.15.3, as its guide would have it: no shim, nothing of ours.

It exists to show what the shims are for. FAULT=commit stops the commits; FAULT=seek lets a moment
pass in recovery, between the seek and the resuming of the flow; ISOLATION=read_committed
gives it the one-line override that is usually recommended; STORE=memory:// and SCAN=1 give it a
timer that looks through the table for clients at risk; HANDLER_MS makes each event take longer.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from common.clock import BusinessClock
from common.cluster import Cluster
from common.codec import decode
from common.events import GenerationAnnounced, PolicyPublished, SnapshotState, Tick
from common.kafka import create_topics
from common.score.policy import Policy
from common.told import Opened
from common.topics import AT_RISK, BACKFILL, CONTROL, LIVE, SCORES, changelog_of
from common.wire import image_of
from scorer.engine import Moment, Rules, merge, moment, reassess_many
from scorer.letters import letter
from scorer.rows import Row, dump, head_key, load
from tests.integration.scorer.faulty import linger_after_seek, sleep_when_told

E = os.environ


def main() -> None:  # noqa: C901 - one plain worker, written as Faust's guide writes them
    """Run the plain worker."""
    partitions = int(E["TOPIC_PARTITIONS"])
    generation = int(E["GENERATION"])
    create_topics(Cluster(E["KAFKA_BOOTSTRAP_SERVERS"]), [changelog_of(generation)], partitions, 1)
    bend()
    app = make_app(partitions, generation)
    rows = app.Table("ledgers", key_type=bytes, value_type=bytes)
    scores = app.topic(SCORES.name, key_type=bytes, value_type=bytes)
    at_risk = app.topic(AT_RISK.name, key_type=bytes, value_type=bytes)
    sources = app.topic(
        LIVE.name, BACKFILL.name, CONTROL.name, key_type=bytes, value_type=bytes, internal=False
    )
    rules = Rules(Policy(), generation)

    async def tell(outcome: Any, partition: int) -> None:
        told = letter(outcome, partition, datetime.now(UTC))
        to = scores if told.topic == SCORES.name else at_risk
        await to.send(key=told.key, value=told.value, partition=partition)

    def row_of(client_id: int) -> Row:
        return load(client_id, rows.get(head_key(client_id)), rows.get)

    async def score(stream: Any) -> None:
        async for event in stream.events():
            data = decode(event.value).data
            if isinstance(data, GenerationAnnounced | PolicyPublished | SnapshotState | Tick):
                continue
            await asyncio.sleep(float(E.get("HANDLER_MS", "0")) / 1000)
            row = row_of(data.client_id)
            merge(row, image_of(data), UTC)
            if "SLEEP" in E:
                sleep_when_told()
            told = reassess_many([(data.client_id, row)], now(), rules)
            for key, value in dump(data.client_id, row).items():
                rows[key] = value
            for outcome in told:
                await tell(outcome, event.message.partition)

    said: set[bytes] = set()

    async def scan() -> None:
        for key in list(rows.keys()):
            row = row_of(int(key))
            if row.due is None or row.due > now().day or key in said:
                continue
            said.add(key)
            for outcome in reassess_many([(int(key), row)], now(), rules, opens=True):
                if isinstance(outcome, Opened):
                    await tell(outcome, 0)

    app.agent(sources, name="plain")(score)
    if E.get("SCAN") == "1":
        app.timer(0.5)(scan)
    app.Worker(loglevel="INFO", quiet=True).execute_from_commandline()


def now() -> Moment:
    """Return the moment of business time."""
    return moment(BusinessClock(Path(E["CLOCK_FILE"]) if "CLOCK_FILE" in E else None).now(), UTC)


def bend() -> None:
    """Build in what the environment asks for."""
    if E.get("ISOLATION") == "read_committed":
        make = driver.AIOKafkaConsumerThread._create_worker_consumer

        def committed_only(self: Any, transport: Any) -> Any:
            consumer = make(self, transport)
            consumer._isolation_level = "read_committed"
            return consumer

        driver.AIOKafkaConsumerThread._create_worker_consumer = committed_only
    if E.get("FAULT") == "seek":
        linger_after_seek()
    if E.get("FAULT") == "commit":

        async def never_commit(*_: Any, **__: Any) -> bool:
            return False

        driver.Consumer.force_commit = never_commit


def make_app(partitions: int, generation: int) -> faust.App:
    """Build the app with the settings that a careful reader of Faust's guide would choose."""
    return faust.App(
        "scorer",
        version=generation,
        broker=f"kafka://{E['KAFKA_BOOTSTRAP_SERVERS']}",
        store=E.get("STORE", "rocksdb://"),
        datadir=E["SCORER_DATA_DIR"],
        processing_guarantee="at_least_once",
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=E["SCORER_INSTANCE_ID"],
        broker_commit_interval=1.0,
        broker_session_timeout=float(E.get("SESSION_TIMEOUT_S", "30")),
        broker_heartbeat_interval=float(E.get("SESSION_TIMEOUT_S", "30")) / 10,
        producer_linger=0.02,
        web_enabled=False,
    )


if __name__ == "__main__":
    sys.argv = ["plain", "worker"]
    main()
