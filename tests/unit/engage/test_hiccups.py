"""What others answer wrongly or not at all: no second question, no trace, and nothing lost."""

import asyncio
from collections import deque
from typing import Any, cast

import asyncpg
import httpx
import pytest

from common.errors import Misconfigured, Transient
from engage import backfill, broker, source
from engage.broker import Broker
from engage.frame import BadInput
from engage.letters import letter_of
from engage.notices import Notices
from engage.postgres import READING_LIMIT, Database
from engage.progress import Silent

TOPIC = ("cdc.notifications", 0)


class Record:
    """A record of Kafka, as far as our readers look at it."""

    def __init__(self, value: bytes, headers: list[tuple[str, bytes]] | None = None) -> None:
        self._value, self._headers = value, headers

    def value(self) -> bytes:
        return self._value

    def key(self) -> bytes | None:
        return None

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self._headers

    def offset(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return (1, 0)


def told(signal: str, state: str, status: str = "SUCCEEDED") -> Record:
    """Return a notification in Debezium's form."""
    return Record(
        b'{"aggregate_type":"Incremental Snapshot","id":"%s","type":"%s",'
        b'"additional_data":{"status":"%s"}}' % (signal.encode(), state.encode(), status.encode())
    )


class Flaky:
    """A broker whose questions fail when the script says so; records stay where they lie."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failures: deque[str] = deque()
        """What fails next: ``ends``, or ``read`` in the middle of its records."""

    def _fails(self, what: str) -> bool:
        if self.failures and self.failures[0] == what:
            self.failures.popleft()
            return True
        return False

    def ends(self, topics: list[str]) -> dict[tuple[str, int], int]:
        if self._fails("ends"):
            raise Transient("the ends of topics could not be read")
        return {(topic, 0): len(self.records) for topic in topics}

    def read(self, starts: dict[tuple[str, int], int], ends: dict[tuple[str, int], int]) -> Any:
        ((place, start),) = starts.items()
        for record in self.records[start : ends[place]]:
            yield record
            if self._fails("read"):
                raise Transient("a partition could not be read")


class Asked:
    """A database that takes signals, to which Debezium answers by a script."""

    def __init__(self, broker: Flaky, *answers: list[str]) -> None:
        self.signals: list[str] = []
        self._broker, self._answers = broker, deque(answers)

    def value(self, sql: str, *values: str) -> None:
        if not sql.startswith("INSERT"):
            return
        self.signals.append(values[0])
        for answer in self._answers.popleft():
            state, _, status = answer.partition(" ")
            self._broker.records.append(told(values[0], state, status or "SUCCEEDED"))


def a_run(broker: Flaky, database: Asked) -> backfill._Run:
    """Return a backfill of one expected row."""
    return backfill._Run(
        cast("Broker", broker),
        cast("Database", database),
        "orders",
        None,
        expected=1,
        watcher=Silent(),
    )


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backfill, "STEP_S", 0.01)
    monkeypatch.setattr("engage.notices.POLL_S", 0.001)


def test_a_reading_that_broke_off_loses_no_notice():
    """The same records are read again, whole."""
    broker = Flaky()
    notices = Notices(cast("Broker", broker))
    broker.records += [told("a", "STARTED"), told("a", "COMPLETED")]
    broker.failures.append("read")
    with pytest.raises(Transient):
        notices.next(0)
    heard = [notices.next(0), notices.next(0), notices.next(0)]
    assert [notice and notice.state for notice in heard] == ["STARTED", "COMPLETED", None]


def test_a_hiccup_of_the_brokers_is_no_second_backfill():
    """Debezium goes on meanwhile: it is asked once, and its end is heard whatever failed."""
    broker = Flaky()
    database = Asked(broker, ["STARTED", "TABLE_SCAN_COMPLETED", "COMPLETED"])
    run = a_run(broker, database)
    broker.failures += ["ends", "read", "ends", "ends"]
    run.complete()
    assert len(database.signals) == 1
    assert not broker.failures


def test_what_debezium_broke_off_is_asked_for_again():
    """A table that it could not read is no end."""
    broker = Flaky()
    database = Asked(
        broker,
        ["STARTED", "TABLE_SCAN_COMPLETED SQL_EXCEPTION", "COMPLETED"],
        ["STARTED", "TABLE_SCAN_COMPLETED", "COMPLETED"],
    )
    a_run(broker, database).complete()
    assert len(database.signals) == 2


@pytest.mark.parametrize(
    ("header", "attempt"),
    [("²", 1), ("9" * 5_000, 1), ("-1", 1), ("3", 3)],
    ids=lambda v: str(v)[:5],
)
def test_an_attempt_that_is_no_number_of_ours_counts_as_the_first(header: str, attempt: int):
    """Anybody may write a header."""
    record: Any = Record(b"{}", [("attempt", header.encode())])
    assert letter_of("cdc.orders", record).attempt == attempt


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"connector": 1, "tasks": []}'])
def test_what_is_no_kafka_connect_is_said_to_be_none(body: str, monkeypatch: pytest.MonkeyPatch):
    """Some other server answers 200 at that address."""
    monkeypatch.setattr(source, "ask", lambda *_: httpx.Response(200, text=body))
    with pytest.raises(Misconfigured, match="http://there is no Kafka Connect"):
        source.connector("http://there")


class Connection:
    """A connection that asyncpg refuses to use as it is asked to."""

    def __init__(self, *, closed: bool) -> None:
        self.closed = closed
        self.executed: list[str] = []

    def is_closed(self) -> bool:
        return self.closed

    def transaction(self, *, readonly: bool) -> "Connection":
        assert readonly
        return self

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass

    async def execute(self, sql: str) -> None:
        self.executed.append(sql)

    async def fetchval(self, _sql: str, *_values: object) -> None:
        raise asyncpg.InterfaceError("the server expects 1 argument for this query, 0 were passed")


@pytest.mark.parametrize(
    ("closed", "reading", "value"),
    [(False, BadInput, asyncpg.InterfaceError), (True, Transient, Transient)],
)
def test_a_wrong_parameter_is_not_a_postgres_that_does_not_answer(
    *, closed: bool, reading: type[Exception], value: type[Exception]
):
    """In a foreign statement it is bad input, in ours a bug; only a closed connection passes."""
    connection: Any = Connection(closed=closed)
    with asyncio.Runner() as runner:
        database = Database(runner, connection)
        with pytest.raises(reading):
            database.reading("SELECT count(*) FROM orders WHERE (id = $1)")
        with pytest.raises(value):
            database.value("SELECT $1")
    assert connection.executed == [READING_LIMIT]


def test_a_broker_that_says_nothing_in_time_is_asked_again_later():
    """The limit of the future may be up before the library says that the request's is."""

    def ask() -> None:
        raise TimeoutError

    with pytest.raises(Transient, match="the groups could not be read within 20 s"):
        broker._patiently("the groups", ask)
