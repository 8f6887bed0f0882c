"""A relay as a process of its own, and a reader of what it wrote."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from tests.groups import NOT_YET, ends
from tests.servers import PARTITIONS

LIMIT_S = 60.0
POLL_S = 0.01

LIVE, BACKFILL, CONTROL = "client.events", "client.events.backfill", "scorer.control"
CLIENTS, ORDERS, POLICIES = "cdc.public.clients", "cdc.public.orders", "cdc.public.policies"
NOTIFICATIONS = "cdc.notifications"


def wait_for(what: str, found: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
    """Return what ``found`` returns once that is true; fail after ``limit_s`` seconds."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(POLL_S)
    raise AssertionError(f"not within {limit_s} s: {what}")


def environment(servers: str, **settings: object) -> dict[str, str]:
    """Return a relay's environment with some settings changed."""
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "TOPIC_PARTITIONS": str(PARTITIONS),
        **{name: str(value) for name, value in settings.items()},
    }


def command(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run one of the one-shot commands to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cdc_relay", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


class RelayProcess:
    """A relay that runs; made by ``relay``."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def log(self) -> list[dict[str, Any]]:
        """Return what it has logged so far."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def logged(self, event: str, **fields: object) -> bool:
        """Tell whether it has logged an event with these fields."""
        wanted = {"event": event, **fields}.items()
        return any(wanted <= entry.items() for entry in self.log())

    def text(self) -> str:
        """Return all that it has written to its log."""
        return self._log.read_text()

    def health(self, path: str) -> int:
        """Return the status that a probe gets; 0 when nobody answers."""
        started = [entry for entry in self.log() if entry["event"] == "started"]
        if not started:
            assert self.process.poll() is None, self.text()
            return 0
        url = f"http://127.0.0.1:{started[0]['health_at']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except urllib.error.URLError:
            return 0

    def ready(self) -> None:
        """Wait until it is ready."""
        wait_for("the relay is ready", lambda: self.health("/readyz") == 200)

    def kill(self) -> None:
        """Kill it without a word of warning."""
        self.process.kill()
        self.process.wait(LIMIT_S)

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        self.process.terminate()
        return self.process.wait(LIMIT_S)


@contextlib.contextmanager
def relay(servers: str, folder: Path, **settings: object) -> Iterator[RelayProcess]:
    """Run a relay; whatever happens, it is gone afterwards."""
    log = folder / f"relay-{uuid4().hex[:8]}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cdc_relay"],
            env=environment(servers, **settings),
            stdout=out,
            stderr=out,
        )
    try:
        yield RelayProcess(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(LIMIT_S)


@dataclass(frozen=True)
class Read:
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: str
    value: Any
    """The JSON value; None for a tombstone."""
    raw: bytes | None
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        """The event's data."""
        return self.value["data"]


class Reader:
    """Reads topics from where they end now, or from their start, at read_committed."""

    def __init__(self, servers: str, *topics: str, from_start: bool = False) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": f"reader-{uuid4()}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
            }
        )
        self.records: list[Read] = []
        known = self._consumer.list_topics(timeout=10).topics
        places = [TopicPartition(t, p) for t in topics for p in known[t].partitions]
        for place in places:
            first, end = ends(self._consumer, place)
            place.offset = first if from_start else end
        self._consumer.assign(places)
        self._places = places
        self._at = {(place.topic, place.partition): place.offset for place in places}

    def until(self, done: Callable[[list[Read]], object], limit_s: float = LIMIT_S) -> list[Read]:
        """Read on until ``done`` says so of all records so far; return them."""
        until = time.monotonic() + limit_s
        while not done(self.records):
            self._take(0.05)
            if time.monotonic() > until:
                raise AssertionError(f"not within {limit_s} s; {len(self.records)} records came")
        return self.records

    def count(self, count: int, limit_s: float = LIMIT_S) -> list[Read]:
        """Read on until there are ``count`` records."""
        return self.until(lambda records: len(records) >= count, limit_s)

    def to_the_end(self) -> list[Read]:
        """Read on to where the topics end now, as far as what is committed goes."""
        goals = {
            (place.topic, place.partition): ends(self._consumer, place)[1] for place in self._places
        }
        self.until(lambda _: all(self._at.get(place, 0) >= end for place, end in goals.items()))
        return self.records

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _take(self, seconds: float) -> None:
        for message in self._consumer.consume(5000, seconds):
            error = message.error()
            offset = message.offset() or 0
            if error is None:
                self.records.append(_read(message))
                offset += 1
            elif error.code() in NOT_YET:
                continue
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
            self._at[message.topic() or "", message.partition() or 0] = offset


def _read(message: Message) -> Read:
    raw = message.value()
    try:
        value = None if raw is None else json.loads(raw)
    except ValueError:
        value = None
    headers = message.headers() or []
    assert isinstance(headers, list)
    return Read(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        (message.key() or b"").decode(),
        value,
        raw,
        {name: text.decode() for name, text in headers if isinstance(text, bytes)},
    )


@contextlib.contextmanager
def reading(servers: str, *topics: str, from_start: bool = False) -> Iterator[Reader]:
    """Read topics; see Reader."""
    reader = Reader(servers, *topics, from_start=from_start)
    try:
        yield reader
    finally:
        reader.close()


def write(servers: str, *records: tuple[str, bytes | None, bytes | None]) -> None:
    """Write raw (topic, key, value) to partition 0 and wait until the broker has them."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
            "enable.idempotence": True,
        }
    )
    failed: list[object] = []
    for topic, key, value in records:
        producer.produce(
            topic, value, key, 0, on_delivery=lambda e, _m: failed.append(e) if e else None
        )
    assert producer.flush(LIMIT_S) == 0
    assert not failed


def order(
    op: str, order_id: int, client_id: int, version: int, before: dict[str, Any] | None = None
) -> tuple[str, bytes, bytes]:
    """Make a raw record of an order, in the form that Debezium writes."""
    row = {
        "id": order_id,
        "client_id": client_id,
        "ordered_at": "2024-03-01T10:00:00.500000Z",
        "amount": "12.50",
        "currency": "USD",
        "status": "paid",
        "version": version,
    }
    return change(ORDERS, op, order_id, row if op == "d" else before, None if op == "d" else row)


def change(
    topic: str, op: str, row_id: int, before: object, after: object
) -> tuple[str, bytes, bytes]:
    """Make a raw record of any row."""
    source = {"ts_ms": int(time.time() * 1000), "lsn": 1, "snapshot": "false"}
    value = {"before": before, "after": after, "source": source, "transaction": None, "op": op}
    return topic, json.dumps({"id": row_id}).encode(), json.dumps(value).encode()


def notification(state: str, kind: str = "Initial Snapshot") -> tuple[str, bytes, bytes]:
    """Make a notification of Debezium's."""
    value = {
        "id": str(uuid4()),
        "type": state,
        "aggregate_type": kind,
        "additional_data": {"connector_name": "cdc"},
        "timestamp": int(time.time() * 1000),
    }
    return NOTIFICATIONS, json.dumps({"id": value["id"]}).encode(), json.dumps(value).encode()
