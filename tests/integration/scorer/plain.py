"""The same work on plain Faust 0.15.3, as its guide would have it: no shim, nothing of ours.

It exists to show what the shims are for. FAULT=commit stops the commits; ISOLATION=read_committed
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
from common.codec import decode, encode
from common.events import PolicyPublished, SnapshotState, Tick
from common.kafka import create_topics
from common.score.policy import Policy
from common.topics import AT_RISK, BACKFILL, CONTROL, LIVE, SCORES
from scorer.app import changelog_of
from scorer.engine import Moment, Row, Rules, merge, moment, reassess
from scorer.shard import decode_row, encode_row, key_of

E = os.environ


def main() -> None:  # noqa: C901 - one plain worker, written as Faust's guide writes them
    """Run the plain worker."""
    partitions = int(E["TOPIC_PARTITIONS"])
    generation = int(E["GENERATION"])
    create_topics(E["KAFKA_BOOTSTRAP_SERVERS"], [changelog_of(generation)], partitions, 1)
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
        to = scores if hasattr(outcome, "merged") else at_risk
        client = str(outcome.client_id)
        value = encode(outcome, id="p", source="plain", subject=client, time=datetime.now(UTC))
        await to.send(key=key_of(outcome.client_id), value=value, partition=partition)

    async def score(stream: Any) -> None:
        async for event in stream.events():
            data = decode(event.value).data
            if isinstance(data, PolicyPublished | SnapshotState | Tick):
                continue
            await asyncio.sleep(float(E.get("HANDLER_MS", "0")) / 1000)
            key = key_of(data.client_id)
            stored = rows.get(key)
            row = Row() if stored is None else decode_row(stored)
            merge(row, data, UTC)
            told = reassess(data.client_id, row, now(), rules)
            rows[key] = encode_row(row)
            for outcome in told:
                await tell(outcome, event.message.partition)

    said: set[bytes] = set()

    async def scan() -> None:
        for key, value in list(rows.items()):
            row = decode_row(value)
            if row.due is None or row.due > now().day or key in said:
                continue
            said.add(key)
            for outcome in reassess(int(key), row, now(), rules, opens=True):
                if not hasattr(outcome, "merged"):
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
        broker_session_timeout=30.0,
        producer_linger=0.02,
        web_enabled=False,
    )


if __name__ == "__main__":
    sys.argv = ["plain", "worker"]
    main()
