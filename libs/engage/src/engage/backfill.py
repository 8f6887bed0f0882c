"""Backfill: Debezium reads chosen rows again, in chunks, while live changes go on.

Protocol: Debezium 3.7, incremental snapshots asked for by a row in the signal table and told by the
notification channel. A signal may be refused in silence: nothing counts as done that was not told.
"""

import json
import time
from typing import Any
from uuid import uuid4

from common.errors import Misconfigured, Transient
from common.topics import BACKFILL
from engage import condition, source
from engage.broker import Broker
from engage.frame import BadInput, Failed
from engage.lag import RELAY
from engage.notices import Notice, Notices
from engage.postgres import Database, connect
from engage.progress import Watcher
from engage.settings import Settings
from engage.waiting import scorers, until_passed

PREFIX = "cdc"
"""The connector's topic prefix."""
BEGIN_LIMIT_S = 120.0
"""The signal waits for its turn behind all changes that were committed before it."""
SIGNAL = "INSERT INTO cdc_signals (id, type, data) VALUES ($1, 'execute-snapshot', $2)"
ATTEMPTS = 3
ONE_AT_A_TIME = 7406
"""Advisory: held in Postgres by the one backfill that is going on."""
STALL_LIMIT_S = 180.0
STEP_S = 1.0
READ = b'"op":"r"'
"""In the raw record of a row that was read; Debezium writes JSON without spaces."""
FINE = frozenset({"SUCCEEDED", "EMPTY"})


def plan(settings: Settings, table: str, where: str | None) -> tuple[str, str | None, int]:
    """Check what is asked for; return table, condition and how many rows match now.

    Raises BadInput, Misconfigured, Transient. Nothing is changed.
    """
    name = condition.table_of(table)
    clause = None if where is None else condition.checked(where)
    with connect(settings.database) as database:
        rows = condition.count(database, name, clause)
    return name, clause, rows


def backfill(
    settings: Settings, table: str, where: str | None, watcher: Watcher, *, wait: bool = True
) -> dict[str, Any]:
    """Have the rows of a table that match read again; return how many were.

    With ``wait`` it lasts until relay and scorer have taken them. Raises BadInput and Misconfigured
    before anything is asked for; Transient, Failed.
    """
    name, clause, expected = plan(settings, table, where)
    outcome: dict[str, Any] = {"table": name, "where": where, "matched": expected}
    if not expected:
        return {**outcome, "rows": 0, "scored": True}
    state = source.connector(settings.connect)
    if problem := source.connector_problem(state):
        raise Misconfigured(problem)
    broker = Broker(settings.kafka)
    with connect(settings.database) as database:
        # Debezium would queue a second one behind the first, and tell it under the first one's id.
        if not database.value("SELECT pg_try_advisory_lock($1)", ONE_AT_A_TIME):
            raise BadInput("another backfill is going on; nothing was asked for")
        run = _Run(broker, database, name, clause, expected=expected, watcher=watcher)
        run.complete()
        rows = run.count()
    if wait:
        until_passed(broker, RELAY, broker.ends([run.raw]), watcher)
        lane = broker.ends([BACKFILL.name])
        for group in scorers(broker):
            until_passed(broker, group, lane, watcher)
    return {**outcome, "rows": rows, "scored": wait}


class _BrokenOff(Transient):
    """Debezium broke off: asking again reads all of it anew."""


class _Run:
    """One backfill: asked for until Debezium says that it has read the table to its end."""

    def __init__(
        self,
        broker: Broker,
        database: Database,
        table: str,
        clause: str | None,
        *,
        expected: int,
        watcher: Watcher,
    ) -> None:
        self.raw = f"{PREFIX}.public.{table}"
        self._broker, self._database = broker, database
        self._table, self._clause = table, clause
        self._expected, self._watcher = expected, watcher
        self._notices = Notices(broker)
        self._begin = broker.ends([self.raw])
        self._told = 0

    def complete(self) -> None:
        """Ask, and follow to the end; again when Debezium broke off. Raises Failed, Transient."""
        self._watcher.step(f"rows of {self._table} read", self._expected)
        for attempt in range(1, ATTEMPTS + 1):
            signal = self._asked()
            try:
                self._follow(signal)
            except _BrokenOff as error:
                if attempt == ATTEMPTS:
                    raise
                self._watcher.say(f"{error}: asking again")
            else:
                self._progress(self._expected)
                return

    def count(self) -> int:
        """Return how many rows came over the raw topic since the beginning: what is there counts.

        A row that changed in the very moment comes as that change alone.
        """
        records = self._broker.read(self._begin, self._broker.ends([self.raw]))
        keys = {message.key() for message in records if READ in (message.value() or b"")}
        return len(keys)

    def _asked(self) -> str:
        """Ask, and wait until Debezium says that it begins; return the id of the signal."""
        signal = str(uuid4())
        _signal(self._database, signal, self._table, self._clause)
        until = time.monotonic() + BEGIN_LIMIT_S
        while (left := until - time.monotonic()) > 0:
            self._watcher.advance(0)  # it may break the waiting off
            notice = self._next(min(left, STEP_S))
            if notice is not None and notice.id == signal and notice.state == "STARTED":
                self._database.value("DELETE FROM cdc_signals WHERE id = $1", signal)
                return signal
        self._database.value("DELETE FROM cdc_signals WHERE id = $1", signal)
        raise Failed(
            f"Debezium has not begun within {BEGIN_LIMIT_S:.0f} s; is the connector running, and "
            "registered by this version? (python -m cdc_relay connector)"
        )

    def _follow(self, signal: str) -> None:
        """Follow a snapshot to its end. Raises _BrokenOff, Failed."""
        heard = time.monotonic()
        broken: str | None = None
        while time.monotonic() - heard < STALL_LIMIT_S:
            notice = self._next(STEP_S)
            if self._progress(min(self._grown(), self._expected)):
                heard = time.monotonic()
            if notice is None or notice.id != signal:
                continue
            heard = time.monotonic()
            if notice.state == "ABORTED":
                raise Failed(f"somebody stopped the backfill, after {self._told:,} rows")
            if notice.state == "TABLE_SCAN_COMPLETED" and notice.status not in FINE:
                broken = f"Debezium could not read the table ({notice.status})"
            if notice.state == "COMPLETED":
                if broken is not None:
                    raise _BrokenOff(broken)
                return
        raise Failed(f"Debezium tells nothing for {STALL_LIMIT_S:.0f} s, after {self._told:,} rows")

    def _next(self, seconds: float) -> Notice | None:
        """Return the next notice, or None when none comes, or the brokers do not answer just now.

        Debezium goes on without us: a second signal would only have it read everything twice.
        """
        try:
            return self._notices.next(seconds)
        except Transient as error:
            self._watcher.say(f"{error}: still waiting")
            time.sleep(seconds)
            return None

    def _grown(self) -> int:
        """Return by how many records the raw topic grew; what was told last, if nobody answers."""
        try:
            ends = self._broker.ends([self.raw])
        except Transient as error:
            self._watcher.say(f"{error}: still waiting")
            return self._told
        return sum(ends.values()) - sum(self._begin.values())

    def _progress(self, rows: int) -> bool:
        """Tell how many rows came so far; return whether that is more than before."""
        more = max(0, rows - self._told)
        self._watcher.advance(more)
        self._told += more
        return more > 0


def _signal(database: Database, signal: str, table: str, clause: str | None) -> None:
    """Ask for a snapshot of a table, by a row in Debezium's own form."""
    collection = f"public.{table}"
    data: dict[str, Any] = {"data-collections": [collection], "type": "INCREMENTAL"}
    if clause is not None:
        data["additional-conditions"] = [{"data-collection": collection, "filter": clause}]
    database.value(SIGNAL, signal, json.dumps(data, ensure_ascii=False))
