"""The connector's configuration, and keeping it so, against a Connect made of answers."""

import json

import httpx
import pytest
import stamina
from pydantic import ValidationError

from cdc_relay import connector
from cdc_relay.connector import CONFIG, Connect, announce, config_of, keep
from cdc_relay.settings import ConnectorSettings
from common.errors import Misconfigured, Transient
from common.starting import patiently

PASSWORD = "a-secret-of-the-tests"
RUNNING = {"connector": {"state": "RUNNING"}, "tasks": [{"state": "RUNNING"}]}
TRACE = "org.x.ConnectException: outer\n\tat a\nCaused by: org.y.Inner: why\n\tat b"
FAILED = {"connector": {"state": "RUNNING"}, "tasks": [{"state": "FAILED", "trace": TRACE}]}


@pytest.fixture
def config(monkeypatch):
    """A whole configuration."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("CDC_DATABASE_HOST", "127.0.0.1")
    return config_of(ConnectorSettings())


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(connector, "STEP_S", 0.0)
    monkeypatch.setattr(connector, "GRACE_S", 0.05)
    monkeypatch.setattr(connector, "WAIT_S", 0.5)
    monkeypatch.setattr(connector, "STUCK_S", 0.1)


class FakeConnect:
    """Answers as a Connect worker does; remembers what was asked."""

    def __init__(
        self, present=None, statuses=(RUNNING,), put_status=201, unhealthy=0, restarted=()
    ):
        self.present = present
        self.statuses = list(statuses)
        self.put_status = put_status
        self.unhealthy = unhealthy
        self.restarted = list(restarted)
        self.asked: list[str] = []
        self.queries: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if request.url.path == "/health":
            self.unhealthy -= 1
            return httpx.Response(503 if self.unhealthy >= 0 else 200, json={})
        if request.method == "PUT":
            if self.put_status < 300:
                self.present = {**json.loads(request.content), "name": "engage"}
            return httpx.Response(self.put_status, json={"message": "it says\nwhy"})
        if request.method == "POST":
            self.queries.append(request.url.query.decode())
            self.statuses = self.restarted or self.statuses
            return httpx.Response(202, json={})
        if request.url.path.endswith("/config"):
            found = self.present is not None
            return httpx.Response(200 if found else 404, json=self.present or {})
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return httpx.Response(200, json=status)

    def keep(self, config):
        begun: list[str] = []
        with httpx.Client(transport=httpx.MockTransport(self), base_url="http://connect") as http:
            done = keep(Connect(http), config, lambda: begun.append(self.asked[-1]))
        return done, begun


def test_a_new_connector_is_made_after_scorers_were_warned(config):
    """The snapshot flag is raised before the PUT that starts a first snapshot."""
    fake = FakeConnect()
    assert fake.keep(config) == ("created", ["GET /connectors/engage/config"])
    assert fake.asked.index("PUT /connectors/engage/config") > 1


def test_the_same_configuration_is_left_alone(config):
    """Run twice, the command writes nothing the second time and raises no flag."""
    fake = FakeConnect(present={**config, "name": "engage"})
    assert fake.keep(config) == ("unchanged", [])
    assert not [asked for asked in fake.asked if asked.startswith(("PUT", "POST"))]


def test_another_configuration_is_brought_right(config):
    """A difference is mended without raising the flag: no snapshot follows."""
    fake = FakeConnect(present={**config, "name": "engage", "poll.interval.ms": "9"})
    assert fake.keep(config) == ("updated", [])
    assert fake.present == {**config, "name": "engage"}


def test_a_failed_task_is_started_again(config):
    """An unchanged connector whose task failed is restarted, once."""
    fake = FakeConnect({**config, "name": "engage"}, statuses=(FAILED, FAILED, RUNNING))
    assert fake.keep(config)[0] == "restarted"
    assert fake.asked.count("POST /connectors/engage/restart") == 1


def test_a_connector_that_neither_runs_nor_fails_is_started_again(config):
    """All of it, once: a restart of what failed would leave it as it is."""
    unassigned = {"connector": {"state": "UNASSIGNED"}, "tasks": [{"state": "RUNNING"}]}
    fake = FakeConnect({**config, "name": "engage"}, statuses=(unassigned,), restarted=(RUNNING,))
    assert fake.keep(config)[0] == "restarted"
    assert fake.queries == ["includeTasks=true&onlyFailed=false"]


def test_a_task_that_keeps_failing_is_told_with_its_innermost_cause(config):
    """The one line names the cause, not the wrapping."""
    fake = FakeConnect(statuses=(FAILED,))
    with pytest.raises(Misconfigured, match=r"org\.y\.Inner: why"):
        fake.keep(config)


def test_a_worker_that_has_not_started_is_waited_for(config):
    """Before it has started, a worker knows no connector: its 404 must not raise the flag."""
    fake = FakeConnect(present={**config, "name": "engage"}, unhealthy=3)
    assert fake.keep(config) == ("unchanged", [])
    assert fake.asked[:4] == ["GET /health"] * 4


def test_a_refused_configuration_is_one_line_without_the_password(config):
    """Connect's message comes on one line; the secret does not."""
    with pytest.raises(Misconfigured, match="it says why") as refused:
        FakeConnect(put_status=400).keep(config)
    assert PASSWORD not in str(refused.value)


def test_a_connect_that_stays_away_is_transient(config):
    """Nobody there: bounded patience, then an error that says so."""

    def nobody(_request):
        raise httpx.ConnectError("refused")

    with (
        httpx.Client(transport=httpx.MockTransport(nobody), base_url="http://connect") as http,
        pytest.raises(Transient, match="does not answer"),
    ):
        keep(Connect(http), config, lambda: None)


def announced(fake, told):
    """Announce as the command does, but for its pauses; return whether the scorers were told."""
    with (
        stamina.set_testing(True, attempts=10),
        httpx.Client(transport=httpx.MockTransport(fake), base_url="http://connect") as http,
    ):
        return patiently(60)(lambda: announce(Connect(http), told))


def test_where_the_connector_is_missing_scorers_are_told_and_nothing_is_made():
    """Whoever makes it from a document does so after them."""
    fake, told = FakeConnect(), []
    assert announced(fake, lambda: told.append("told"))
    assert told == ["told"]
    assert fake.asked == ["GET /health", "GET /connectors/engage/config"]


def test_where_the_connector_is_there_nothing_is_announced(config):
    """No snapshot follows: scorers that were told of one would wait for its end in vain."""
    told = []
    assert not announced(FakeConnect(present=config), lambda: told.append("told"))
    assert told == []


def test_connect_and_kafka_are_waited_for():
    """Whichever comes last."""
    refusals = ["no Kafka broker answers"] * 3

    def tell():
        if refusals:
            raise Transient(refusals.pop())

    fake = FakeConnect(unhealthy=2)
    assert announced(fake, tell)
    assert not refusals
    assert fake.asked.count("GET /health") == 6


def test_a_connector_that_comes_while_kafka_is_awaited_needs_no_announcement(config):
    """Connect is asked anew each time: the answer of a minute ago may be wrong."""
    fake = FakeConnect()

    def tell():
        fake.present = config
        raise Transient("no Kafka broker answers")

    assert not announced(fake, tell)


def test_patience_ends():
    """Bounded, and then the last reason is what ends the command."""
    with pytest.raises(Transient, match="status 503"):
        announced(FakeConnect(unhealthy=1_000_000), lambda: None)


def test_no_personal_column_is_captured():
    """Only ids, versions and what scoring needs leave Postgres."""
    captured = CONFIG["column.include.list"]
    for personal in ("first_name", "surname", "email", "phone", "address", "style_tags", "note"):
        assert personal not in captured


def test_the_configuration_names_the_password_and_does_not_hold_it(config):
    """Connect keeps the configuration on a topic, and shows it to whoever asks."""
    assert config["database.password"] == "${env:CDC_DATABASE_PASSWORD}"


def test_a_password_in_clear_is_refused(monkeypatch):
    """Where a reference to the password is expected, the password itself is a mistake."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("CDC_DATABASE_HOST", "127.0.0.1")
    monkeypatch.setenv("CDC_PASSWORD_REFERENCE", PASSWORD)
    with pytest.raises(ValidationError):
        ConnectorSettings()
