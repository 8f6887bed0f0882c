"""The Debezium connector: its configuration as data, and Connect's REST interface to keep it so.

Protocol: Kafka Connect 4.3 REST, /health and /connectors.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

from cdc_relay.settings import ConnectorSettings
from common.errors import Misconfigured, Transient
from common.topics import CDC_NOTIFICATIONS

T = TypeVar("T")

NAME = "engage"
WAIT_S = 90.0
GRACE_S = 15.0
"""How long a failed task may stay so after an update or a restart before it counts as failed."""
STUCK_S = 45.0
"""A connector that neither runs nor fails for so long is started again: after its broker was killed
one was seen to wait for the end of the topic of offsets, and for nothing else (Kafka 4.3.1)."""
STEP_S = 0.25
HTTP_OK, HTTP_CREATED, HTTP_ACCEPTED, HTTP_NO_CONTENT = 200, 201, 202, 204
HTTP_NOT_FOUND, HTTP_CONFLICT = 404, 409

COLUMNS = {
    "clients": ("id", "version", "traceparent"),
    "orders": (
        *("id", "client_id", "ordered_at", "amount", "currency", "status"),
        *("version", "traceparent"),
    ),
    "policies": ("id", "document", "version"),
    "cdc_heartbeat": ("id", "beat_at"),
    "cdc_signals": ("id", "type", "data"),
}
"""What is captured, by table. Nothing personal: those columns never leave Postgres."""

JSON = "org.apache.kafka.connect.json.JsonConverter"
CONFIG: dict[str, str] = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "topic.prefix": "cdc",
    # The migrations make the publication; nothing is added to it on the quiet.
    "plugin.name": "pgoutput",
    "publication.name": NAME,
    "publication.autocreate.mode": "disabled",
    "slot.name": NAME,
    "slot.drop.on.stop": "false",
    "snapshot.mode": "initial",
    "exactly.once.support": "required",
    # By default a slot that is ahead of the stored offset is taken as it is: silent loss.
    "offset.mismatch.strategy": "trust_offset",
    "table.include.list": ",".join(f"public.{table}" for table in COLUMNS),
    "column.include.list": ",".join(
        f"public[.]{table}[.]({'|'.join(columns)})" for table, columns in COLUMNS.items()
    ),
    # Exact values: decimals and times as text.
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "tombstones.on.delete": "true",
    # As the publication: a truncation has no key, and compacted topics refuse what has none.
    "skipped.operations": "t",
    # Keeps the slot moving while only other tables are written.
    "heartbeat.interval.ms": "10000",
    "heartbeat.action.query": (
        "INSERT INTO cdc_heartbeat (id, beat_at) VALUES (1, clock_timestamp()) "
        "ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at"
    ),
    "notification.enabled.channels": "sink",
    "notification.sink.topic.name": CDC_NOTIFICATIONS.name,
    # Backfills are asked for by a row: it is read in its turn, by the thread that reads changes,
    # and is not lost. Signals by Kafka come on a thread of their own, which races with that one
    # and can end the connector. Between chunks live changes pass.
    "signal.enabled.channels": "source",
    "signal.data.collection": "public.cdc_signals",
    "incremental.snapshot.chunk.size": "2000",
    "incremental.snapshot.watermarking.strategy": "insert_delete",
    # These two set the latency from commit to topic.
    "poll.interval.ms": "50",
    "producer.override.linger.ms": "1",
    "producer.override.compression.type": "lz4",
    "key.converter": JSON,
    "key.converter.schemas.enable": "false",
    "value.converter": JSON,
    "value.converter.schemas.enable": "false",
}


def config_of(settings: ConnectorSettings) -> dict[str, str]:
    """Return the whole configuration, with the database's address."""
    return {
        **CONFIG,
        "database.hostname": settings.cdc_database_host,
        "database.port": str(settings.cdc_database_port),
        "database.dbname": settings.cdc_database_name,
        "database.user": settings.cdc_database_user,
        "database.password": settings.cdc_password_reference,
    }


class Connect:
    """Kafka Connect's REST interface. Errors: Transient (not there yet), Misconfigured (refused).

    No error repeats the configuration, which holds a password.
    """

    def __init__(self, client: httpx.Client) -> None:
        """Take a client whose base_url is Connect's address."""
        self._client = client

    def config(self) -> dict[str, str] | None:
        """Return the connector's present configuration, or None when there is no connector."""
        answer = self._ask("GET", f"/connectors/{NAME}/config")
        if answer.status_code == HTTP_NOT_FOUND:
            return None
        _expect(answer, HTTP_OK)
        config: dict[str, str] = answer.json()
        return config

    def put(self, config: dict[str, str]) -> None:
        """Create or update the connector."""
        answer = self._ask("PUT", f"/connectors/{NAME}/config", config)
        _expect(answer, HTTP_OK, HTTP_CREATED)

    def restart(self, *, only_failed: bool = True) -> None:
        """Start again whatever failed, or connector and task whatever they do."""
        query = f"includeTasks=true&onlyFailed={str(only_failed).lower()}"
        answer = self._ask("POST", f"/connectors/{NAME}/restart?{query}")
        _expect(answer, HTTP_OK, HTTP_ACCEPTED, HTTP_NO_CONTENT)

    def healthy(self) -> None:
        """Check that the worker has started: before, it knows no connector and says 404."""
        answer = self._ask("GET", "/health")
        if answer.status_code != HTTP_OK:
            raise Transient(f"Connect is not up yet (status {answer.status_code})")

    def failure(self) -> str | None:
        """Return why the connector or its one task failed; None when both run.

        Raises Transient while they neither run nor failed.
        """
        answer = self._ask("GET", f"/connectors/{NAME}/status")
        if answer.status_code == HTTP_NOT_FOUND:
            raise Transient("the connector has no status yet")
        _expect(answer, HTTP_OK)
        status = answer.json()
        parts = [status["connector"], *status["tasks"]]
        for part in parts:
            if part["state"] == "FAILED":
                return _cause(str(part.get("trace", "")))
        states = [part["state"] for part in parts]
        if len(states) < 2 or set(states) != {"RUNNING"}:  # noqa: PLR2004 - connector and task
            raise Transient(f"the connector is not running yet: {', '.join(states)}")
        return None

    def _ask(self, verb: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
        try:
            return self._client.request(verb, path, json=body)
        except httpx.TransportError as error:
            raise Transient(f"Connect does not answer: {type(error).__name__}") from error


def announce(connect: Connect, snapshot_begins: Callable[[], None]) -> bool:
    """Have the scorers warned where somebody else will make the connector, and has not yet.

    Return whether they were. Raises Transient where Connect, or whoever warns them, is not there.
    """
    connect.healthy()
    if connect.config() is not None:
        return False
    snapshot_begins()
    return True


def keep(connect: Connect, config: dict[str, str], snapshot_begins: Callable[[], None]) -> str:
    """Make the connector exist, be configured so, and run. Return what was done, in one word.

    ``snapshot_begins`` is called before a connector is made that was not there: its first snapshot
    must find the scorers warned. Raises Misconfigured, or Transient after ``WAIT_S``.
    """
    _polled(connect.healthy)
    present = _polled(connect.config)
    if present is None:
        snapshot_begins()
        _polled(lambda: connect.put(config))
        done = "created"
    elif present != {**config, "name": NAME}:
        _polled(lambda: connect.put(config))
        done = "updated"
    else:
        try:
            failed = _polled(connect.failure, STUCK_S) is not None
        except Transient:
            _polled(lambda: connect.restart(only_failed=False))
        else:
            if not failed:
                return "unchanged"
            _polled(connect.restart)
        done = "restarted"
    grace = time.monotonic() + GRACE_S
    while (failure := _polled(connect.failure)) is not None:
        if time.monotonic() >= grace:
            raise Misconfigured(f"the connector failed: {failure}")
        time.sleep(STEP_S)
    return done


def _polled(step: Callable[[], T], limit_s: float | None = None) -> T:
    """Repeat a step while it raises Transient, up to ``WAIT_S`` seconds; then raise that."""
    until = time.monotonic() + (WAIT_S if limit_s is None else limit_s)
    while True:
        try:
            return step()
        except Transient:
            if time.monotonic() >= until:
                raise
            time.sleep(STEP_S)


def _expect(answer: httpx.Response, *codes: int) -> None:
    """Sort the answers by what to do: later, or never like this."""
    if answer.status_code in codes:
        return
    if answer.status_code == HTTP_CONFLICT or answer.is_server_error:
        raise Transient(f"Connect answers {answer.status_code}: {_message(answer)}")
    raise Misconfigured(f"Connect refuses ({answer.status_code}): {_message(answer)}")


def _message(answer: httpx.Response) -> str:
    try:
        text = str(answer.json().get("message", ""))
    except ValueError:
        text = answer.text
    return " ".join(text.split())[:300]


def _cause(trace: str) -> str:
    """Return the line of a Java trace that says most: the innermost cause."""
    lines = trace.splitlines() or ["no reason given"]
    causes = [line for line in lines if line.startswith("Caused by")]
    return (causes or lines[:1])[-1][:300]
