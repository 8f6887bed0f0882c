"""The front door: the loop, and the one-shot commands that prepare what it reads."""

import argparse
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
from cdc_relay.snapshot import SNAPSHOT_KEY, snapshot_state
from cdc_relay.source import SOURCES, TABLES, Source
from cdc_relay.transactions import TRANSACTION_TIMEOUT_MS, Broken, Fenced, Transactions
from common import health, kafka, logs
from common.errors import Misconfigured, Transient
from common.settings import EXIT_MISCONFIGURED, load
from common.topics import BACKFILL, CONTROL, LIVE, READ_BY_US, TOPICS, dead_letters_of

NAME = "cdc-relay"
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
    print(f"topics: {made} created, {len(TOPICS) - made} were there")


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
    """Warn the scorers in every partition; raises Transient unless all have it."""
    producer = kafka.producer(settings.kafka_bootstrap_servers)
    failed: list[str] = []
    state = snapshot_state(
        active=True, cause=f"connector-{uuid.uuid4()}", ts_ms=int(time.time() * 1000)
    )
    for partition in range(settings.topic_partitions):
        producer.produce(
            CONTROL.name,
            state,
            SNAPSHOT_KEY,
            partition,
            on_delivery=lambda error, _message: failed.append(str(error)) if error else None,
        )
    if producer.flush(kafka.ADMIN_TIMEOUT_S) or failed:
        raise Transient(f"scorers could not be told of the snapshot: {failed[:1]}")


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
        lambda: kafka.high_watermarks(servers, TABLES),
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
