"""The front door: the loop, and the one-shot commands that prepare what it reads."""

import argparse
import gc
import os
import signal
import sys
import threading
import time
import uuid

import httpx

from cdc_relay import connector
from cdc_relay.chatter import Seldom
from cdc_relay.pace import TokenBucket
from cdc_relay.relay import Relay
from cdc_relay.settings import ConnectorSettings, RelaySettings, TopicsSettings
from cdc_relay.snapshot import SNAPSHOT_KEY, beginning, snapshot_state
from cdc_relay.source import SOURCES, Source
from cdc_relay.transactions import TRANSACTION_TIMEOUT_MS, Broken, Fenced, Transactions
from common import health, kafka, logs
from common.errors import Misconfigured, Transient
from common.settings import EXIT_MISCONFIGURED, load
from common.topics import (
    BACKFILL,
    CDC_NOTIFICATIONS,
    CONTROL,
    LIVE,
    READ_BY_US,
    TOPICS,
    Topic,
    dead_letters_of,
)

NAME = "cdc-relay"
GC_THRESHOLD = 100_000
SWITCH_INTERVAL_S = 0.001
"""The thread that commits needs little, and that at once; Python's default is 5 ms."""
LIVE_LIMIT_S = 40.0
"""The longest a step of the loop may last is its client's timeout; beyond this the loop hangs."""
SESSION_TIMEOUT_MS = 10_000


def main() -> None:
    """Run one command; exit with 2 when the set-up is wrong and 1 when it broke."""
    parser = argparse.ArgumentParser(
        prog="python -m cdc_relay",
        description="Turns raw row changes into domain events, re-keyed by client.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("topics", help="create every topic of the system that is missing")
    commands.add_parser("connector", help="make the Debezium connector exist, right and running")
    command = {"topics": _topics, "connector": _connector, None: _relay}[
        parser.parse_args().command
    ]
    try:
        command()
    except Misconfigured as error:
        _say_and_exit(error, EXIT_MISCONFIGURED)
    except (Transient, Broken, Fenced) as error:
        _say_and_exit(error, 1)


def _say_and_exit(error: Exception, code: int) -> None:
    sys.stderr.write(f"{NAME} stops: {error}\n")
    raise SystemExit(code)


def _topics() -> None:
    settings = load(TopicsSettings)
    made = kafka.create_topics(
        settings.kafka_bootstrap_servers,
        TOPICS,
        settings.topic_partitions,
        settings.replication_factor,
    )
    mended = kafka.align_topics(settings.kafka_bootstrap_servers, TOPICS)
    were = f"{len(TOPICS) - made} were there"
    print(f"topics: {made} created, {were}" + (f", {mended} take larger records" if mended else ""))


def _connector() -> None:
    settings = load(ConnectorSettings)
    logs.configure(NAME, "WARNING")  # httpx tells of each request; only the outcome matters here
    with httpx.Client(base_url=settings.connect_url, timeout=30.0) as client:
        done = connector.keep(
            connector.Connect(client),
            connector.config_of(settings),
            lambda: _snapshot_begins(settings),
        )
    print(f"connector {connector.NAME}: {done}, running")


def _snapshot_begins(settings: ConnectorSettings) -> None:
    """Warn the scorers in every partition; raises Transient unless all have it.

    First it is noted where Debezium notes its snapshots, so that a relay that hears of the end of
    a former one only now finds this beginning behind it, and does not pass the end on.
    """
    producer = kafka.producer(settings.kafka_bootstrap_servers)
    failed: list[str] = []
    cause, ts_ms = f"connector-{uuid.uuid4()}", int(time.time() * 1000)

    def tell(topic: Topic, partition: int, key: bytes, value: bytes) -> None:
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

    tell(CDC_NOTIFICATIONS, 0, cause.encode(), beginning(cause, ts_ms))
    all_told()
    state = snapshot_state(active=True, cause=cause, ts_ms=ts_ms)
    for partition in range(settings.topic_partitions):
        tell(CONTROL, partition, SNAPSHOT_KEY, state)
    all_told()


def _relay() -> None:
    settings = load(RelaySettings)
    log = logs.configure(NAME, settings.log_level)
    servers = settings.kafka_bootstrap_servers
    sources = [topic for topic in READ_BY_US if topic.name in SOURCES]
    used = [*sources, *map(dead_letters_of, sources), LIVE, BACKFILL, CONTROL]
    kafka.verify(servers, used, settings.topic_partitions)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    heartbeat = health.Heartbeat(LIVE_LIMIT_S)
    kafka.LIBRDKAFKA.addFilter(Seldom())
    done = threading.Event()
    threading.Thread(target=_watch, args=(heartbeat, done, log), daemon=True).start()
    transactions = Transactions(
        lambda complain: kafka.producer(
            servers,
            {
                "transactional.id": settings.relay_transactional_id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "delivery.report.only.error": True,
                "error_cb": complain,
            },
        ),
        heartbeat.beat,
    )
    source = Source(
        kafka.consumer(
            servers,
            NAME,
            {
                # A static member: after a crash the next process has its partitions at once.
                "group.instance.id": settings.relay_transactional_id,
                "session.timeout.ms": SESSION_TIMEOUT_MS,
                "enable.partition.eof": True,
            },
        ),
        log,
    )
    relay = Relay(
        source,
        transactions,
        lambda: kafka.high_watermarks(servers, SOURCES),
        partitions=settings.topic_partitions,
        batch_max=settings.relay_batch_max,
        batch_s=settings.relay_batch_ms / 1000,
        bucket=TokenBucket(settings.relay_records_per_s),
        heartbeat=heartbeat,
        log=log,
    )
    server = health.serve(
        settings.health_port,
        {"loop": heartbeat.check},
        {"assigned": source.assigned, "broker": source.broker},
    )
    log.info("started", health_at=server.server_address[1], **settings.model_dump(mode="json"))
    try:
        # A batch is thousands of small objects, none in a cycle: looking through them for cycles
        # every 700 of them took a fifth of the loop's time.
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        relay.run(stop)
    finally:
        done.set()
        source.close()
        server.shutdown()
    log.info("stopped")


def _watch(heartbeat: health.Heartbeat, done: threading.Event, log: logs.Logger) -> None:
    """End the process when the loop hangs: some calls of the client never return.

    A new process takes over the name and goes on from what was committed.
    """
    while not done.wait(1.0):
        problem = heartbeat.check()
        if problem is not None:
            log.error("the loop hangs", reason=problem)
            os._exit(1)


if __name__ == "__main__":
    main()
