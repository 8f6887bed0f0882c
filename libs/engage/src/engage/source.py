"""The first hop, from Postgres into Kafka: its slot, its connector, its last sign of life."""

import json
from datetime import datetime
from typing import Any

import httpx

from common.errors import Misconfigured, Transient
from common.topics import CDC_HEARTBEAT
from engage.broker import Broker
from engage.postgres import Database

CONNECTOR = "engage"
"""The connector, its publication and its slot bear one name."""
ENDANGERED = ("unreserved", "lost")
"""Of the log that the slot needs some may go with the next checkpoint, or is gone."""
WAL_STATUSES = ("reserved", "extended", *ENDANGERED)
"""What Postgres says of that log, from the usual to the worst."""
LIMIT_S = 10.0
HTTP_OK, HTTP_NOT_FOUND = 200, 404

SLOT = """
    SELECT active, wal_status, safe_wal_size,
           pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint AS behind_bytes,
           pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint AS kept_bytes
    FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()
"""


def slot(database: Database) -> dict[str, Any]:
    """Return how far the slot is behind and how much log it keeps, in bytes. Raises Transient."""
    found = database.row(SLOT, CONNECTOR)
    if found is None:
        raise Transient(f"Postgres has no replication slot {CONNECTOR}")
    return dict(found)


def slot_problem(told: dict[str, Any]) -> str | None:
    """Say what a person must look at, if anything."""
    if told["wal_status"] in ENDANGERED:
        return f"the slot is {told['wal_status']}: changes are lost unless rows are read again"
    return None if told["active"] else "the slot is read by nobody"


def beat_age(broker: Broker, database: Database) -> float:
    """Return how old the newest heartbeat row is that came through, in seconds.

    Whatever was committed before it came through, too. The connector writes it every ten seconds,
    so that is how big it may be when all is well. Raises Transient.
    """
    ends = broker.ends([CDC_HEARTBEAT.name])
    starts = {place: max(0, end - 20) for place, end in ends.items()}
    newest: datetime | None = None
    for message in broker.read(starts, ends):
        row = json.loads(message.value() or b"null")
        if row and row.get("after"):
            newest = datetime.fromisoformat(row["after"]["beat_at"])
    if newest is None:
        raise Transient("no heartbeat of the connector came through yet")
    now: datetime = database.value("SELECT clock_timestamp()")
    return round(max(0.0, (now - newest).total_seconds()), 3)


def connector(url: str) -> dict[str, Any]:
    """Return the states of connector and task, and why one failed.

    Raises Misconfigured when nobody or something else answers there, Transient.
    """
    answer = ask(url, "GET", f"/connectors/{CONNECTOR}/status")
    if answer.status_code == HTTP_NOT_FOUND:
        return {"state": "absent", "task": "absent", "failure": "the connector is not registered"}
    if answer.status_code != HTTP_OK:
        raise Transient(f"Connect answers {answer.status_code}")
    try:
        told = answer.json()
        own, tasks = told["connector"], told["tasks"]
        failed = [part for part in (own, *tasks) if part["state"] == "FAILED"]
        return {
            "state": own["state"].lower(),
            "task": tasks[0]["state"].lower() if tasks else "absent",
            "failure": _cause(str(failed[0].get("trace", ""))) if failed else None,
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Misconfigured(f"{url} is no Kafka Connect") from None


def connector_problem(told: dict[str, Any]) -> str | None:
    """Say what a person must look at, if anything."""
    if told["failure"]:
        return f"connector: {told['failure']}"
    if (told["state"], told["task"]) != ("running", "running"):
        return f"connector: {told['state']}, its task: {told['task']}"
    return None


def health(url: str) -> dict[str, Any]:
    """Return what a service says of its own readiness. Raises Misconfigured, Transient."""
    try:
        told = ask(url, "GET", "/readyz").json()
    except ValueError:
        told = None
    if not isinstance(told, dict) or "checks" not in told:
        raise Transient(f"{url}/readyz tells no health of ours")
    return told


def ask(url: str, verb: str, path: str, token: str | None = None) -> httpx.Response:
    """Ask a service on our own network; raises Misconfigured when nobody answers."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(base_url=url, timeout=LIMIT_S, trust_env=False) as client:
            return client.request(verb, path, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Misconfigured(f"nobody answers at {url}: {type(error).__name__}") from error


def _cause(trace: str) -> str:
    """Return the line of a Java trace that says most: the innermost cause."""
    lines = trace.splitlines() or ["no reason given"]
    causes = [line for line in lines if line.startswith("Caused by")]
    return (causes or lines[:1])[-1][:300]
