"""The front door: the loop, and the one-shot commands that prepare what it reads."""

import argparse
import gc
import os
import signal
import sys
import threading

import httpx

from cdc_relay import announcement, connector
from cdc_relay.chatter import Seldom
from cdc_relay.metrics import Metrics
from cdc_relay.pace import TokenBucket
from cdc_relay.relay import Relay
from cdc_relay.settings import ConnectorSettings, RelaySettings, TopicsSettings
from cdc_relay.source import SOURCES, Source
from cdc_relay.transactions import TRANSACTION_TIMEOUT_MS, Broken, Fenced, Transactions
from common import health, kafka, logs, tracing
from common.errors import Misconfigured, Transient
from common.metrics import pages
from common.settings import EXIT_MISCONFIGURED, load
from common.starting import leave_on_sigterm, patiently
from common.topics import (
    BACKFILL,
    CONTROL,
    LIVE,
    READ_BY_US,
    TOPICS,
    dead_letters_of,
)

NAME = "cdc-relay"
GC_THRESHOLD = 100_000
SWITCH_INTERVAL_S = 0.001
"""The thread that commits needs little, and that at once; Python's default is 5 ms."""
LIVE_LIMIT_S = 40.0
"""The longest a step of the loop may last is its client's timeout; beyond this the loop hangs."""
SESSION_TIMEOUT_MS = 10_000
ANNOUNCED_LIMIT_S = 600.0
"""Others may still be setting up Connect and Kafka."""
ANNOUNCE = """\
For platforms that make the connector themselves, from a document. Where it is not there yet, the
scorers are told that its first snapshot begins, so that none opens episodes on half of the rows;
where it is, nothing is done. Waits up to ten minutes for Connect, Kafka and the topics, and exits
with 1 if they do not come. Takes the settings of `connector`.
"""


def main() -> None:
    """Run one command; exit with 2 when the set-up is wrong and 1 when it broke."""
    parser = argparse.ArgumentParser(
        prog="python -m cdc_relay",
        description="Turns raw row changes into domain events, re-keyed by client.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("topics", help="create every topic of the system that is missing")
    commands.add_parser("connector", help="make the Debezium connector exist, right and running")
    commands.add_parser(
        "announce",
        help="tell the scorers of a first snapshot while the connector is still to be made",
        description=ANNOUNCE,
    )
    command = {
        "topics": _topics,
        "connector": _connector,
        "announce": _announce,
        None: _relay,
    }[parser.parse_args().command]
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
        settings.kafka,
        TOPICS,
        settings.topic_partitions,
        settings.replication_factor,
    )
    mended = kafka.align_topics(settings.kafka, TOPICS)
    were = f"{len(TOPICS) - made} were there"
    print(f"topics: {made} created, {were}" + (f", {mended} take larger records" if mended else ""))


def _connector() -> None:
    settings = load(ConnectorSettings)
    cluster = settings.kafka
    logs.configure(NAME, "WARNING")  # httpx tells of each request; only the outcome matters here
    with httpx.Client(base_url=settings.connect_url, timeout=30.0) as client:
        done = connector.keep(
            connector.Connect(client),
            connector.config_of(settings),
            lambda: announcement.tell(cluster, settings.topic_partitions),
        )
    print(f"connector {connector.NAME}: {done}, running")


def _announce() -> None:
    settings = load(ConnectorSettings)
    logs.configure(NAME, "WARNING")
    cluster, partitions = settings.kafka, settings.topic_partitions
    leave_on_sigterm()
    with httpx.Client(base_url=settings.connect_url, timeout=30.0) as client:
        told = patiently(ANNOUNCED_LIMIT_S)(
            lambda: connector.announce(
                connector.Connect(client),
                lambda: announcement.tell_when_there(cluster, partitions),
            )
        )
    done = "is not there yet: the scorers were told" if told else "is there: nothing to announce"
    print(f"connector {connector.NAME} {done}")


def _relay() -> None:
    settings = load(RelaySettings)
    log = logs.configure(NAME, settings.log_level)
    tracing.start(NAME, settings.otel_exporter_otlp_endpoint)
    cluster = settings.kafka
    sources = [topic for topic in READ_BY_US if topic.name in SOURCES]
    used = [*sources, *map(dead_letters_of, sources), LIVE, BACKFILL, CONTROL]
    leave_on_sigterm()
    patiently(settings.start_wait_s)(lambda: kafka.verify(cluster, used, settings.topic_partitions))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    heartbeat = health.Heartbeat(LIVE_LIMIT_S)
    kafka.LIBRDKAFKA.addFilter(Seldom())
    done = threading.Event()
    threading.Thread(target=_watch, args=(heartbeat, done, log), daemon=True).start()
    transactions = Transactions(
        lambda complain: kafka.producer(
            cluster,
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
            cluster,
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
    metrics = Metrics()
    relay = Relay(
        source,
        transactions,
        lambda: kafka.high_watermarks(cluster, SOURCES),
        partitions=settings.topic_partitions,
        batch_max=settings.relay_batch_max,
        batch_s=settings.relay_batch_ms / 1000,
        bucket=TokenBucket(settings.relay_records_per_s),
        heartbeat=heartbeat,
        metrics=metrics,
        log=log,
    )
    server = health.serve(
        settings.health_port,
        {"loop": heartbeat.check},
        {"assigned": source.assigned, "broker": source.broker},
        pages(metrics.registry),
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
        tracing.stop()
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
