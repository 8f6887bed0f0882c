"""Measuring how records flow: bounded, each part by itself, and by connections that are kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from common.errors import Misconfigured, Transient
from common.topics import SCORES, dead_letters_of
from engage import flow
from engage.flow import LETTERS_MAX, OTHER, FlowMeter, Slot
from engage.letters import Letter
from engage.settings import Settings

HEALTHY = {"active": True, "wal_status": "reserved", "kept_bytes": 16, "safe_wal_size": 4096}
LOST = {"active": False, "wal_status": "lost", "kept_bytes": None, "safe_wal_size": None}


class World:
    """What Kafka and Postgres say, and who asked."""

    def __init__(self) -> None:
        self.connected = 0
        self.looked_again = 0
        self.closed = 0
        self.slot: dict[str, Any] = HEALTHY
        self.reasons: list[str] = []
        self.fails: dict[str, Exception] = {}
        """What is raised by whoever is asked for that."""

    def asked(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]


class Kafka:
    """A broker of that world."""

    def __init__(self, world: World, *, keep: bool) -> None:
        world.asked("Kafka")
        assert keep
        self.topics = {dead_letters_of(SCORES).name: 1}
        self._world = world
        world.connected += 1

    def look_again(self) -> None:
        self._world.asked("topics")
        self._world.looked_again += 1

    def groups(self) -> dict[str, Any]:
        self._world.asked("groups")
        return {}

    def close(self) -> None:
        self._world.closed += 1


class Postgres:
    """A database of that world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def rows(self, _sql: str, _oldest: int) -> list[dict[str, int]]:
        self._world.asked("erasures")
        return [{"late": 2, "oldest": 7}]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A system that answers as this says."""
    world = World()

    @contextmanager
    def connect(_url: str) -> Iterator[Postgres]:
        world.asked("Postgres")
        yield Postgres(world)

    def letters(_broker: object, topic: str, _start: int) -> Iterator[Letter]:
        for offset, reason in enumerate(world.reasons):
            yield Letter(topic, offset, None, None, {"reason": reason}, 0)

    def handled(_broker: object) -> dict[str, int]:
        world.asked("letters")
        return {SCORES.name: 0}

    def slot(_database: object) -> dict[str, Any]:
        world.asked("slot")
        return world.slot

    monkeypatch.setattr(flow, "Broker", lambda _, *, keep: Kafka(world, keep=keep))
    monkeypatch.setattr(flow, "connect", connect)
    monkeypatch.setattr(flow, "measure_all", lambda *_: [])
    monkeypatch.setattr(flow.Announced, "latest", lambda *_: 1)
    monkeypatch.setattr(flow.letters, "handled", handled)
    monkeypatch.setattr(flow.letters, "letters", letters)
    monkeypatch.setattr(flow.source, "slot", slot)
    monkeypatch.setattr(flow.source, "beat_age", lambda *_: 3.0)
    return world


@pytest.fixture
def meter() -> FlowMeter:
    """A meter of that system."""
    return FlowMeter(
        Settings(
            kafka_bootstrap_servers="nowhere:1",
            engage_database_url="postgresql://engage@nowhere/none",  # type: ignore[arg-type]
        )
    )


def test_letters_are_counted_up_to_a_limit(world: World, meter: FlowMeter):
    """A million of them is no more to look at than a thousand."""
    world.reasons = ["invalid"] * (LETTERS_MAX + 1)

    assert meter.measure().waiting == {(SCORES.name, "invalid"): LETTERS_MAX}


def test_letters_that_somebody_else_wrote_make_no_reasons_of_their_own(
    world: World, meter: FlowMeter
):
    """Each reason is a series of Prometheus."""
    world.reasons = ["invalid", *(f"made up {number}" for number in range(5))]

    assert meter.measure().waiting == {(SCORES.name, "invalid"): 1, (SCORES.name, OTHER): 5}


@pytest.mark.parametrize(
    ("told", "slot"),
    [
        (HEALTHY, Slot(True, "reserved", 16, 4096, 3.0)),
        (LOST, Slot(False, "lost", None, None, 3.0)),
    ],
    ids=["healthy", "lost"],
)
def test_a_slot_is_told_as_postgres_says(
    world: World, meter: FlowMeter, told: dict[str, Any], slot: Slot
):
    """A lost one keeps no number of bytes, not none."""
    world.slot = told

    assert meter.measure().slot == slot


@pytest.mark.parametrize(
    ("fails", "unknown"),
    [
        ("groups", {"lags"}),
        ("letters", {"waiting"}),
        ("slot", {"slot"}),
        ("erasures", {"late_erasures"}),
        ("Kafka", {"lags", "waiting"}),
        ("Postgres", {"slot", "late_erasures"}),
    ],
)
def test_what_cannot_be_asked_hides_nothing_else(
    world: World, meter: FlowMeter, fails: str, unknown: set[str]
):
    """It is named, once."""
    world.fails[fails] = Transient("not now")

    told = meter.measure()

    parts = {name: getattr(told, name) for name in ("lags", "waiting", "slot", "late_erasures")}
    assert {name for name, part in parts.items() if part is None} == unknown
    assert len(told.problems) == 1


def test_connections_to_kafka_are_kept_from_one_measuring_to_the_next(
    world: World, meter: FlowMeter
):
    """Whatever Postgres says; topics that came meanwhile are learned."""
    world.fails["Postgres"] = Misconfigured("refused")
    for _ in range(3):
        meter.measure()

    assert (world.connected, world.looked_again, world.closed) == (1, 2, 0)


@pytest.mark.parametrize("fails", ["topics", "groups", "letters"])
def test_after_a_problem_kafka_is_connected_to_anew(world: World, meter: FlowMeter, fails: str):
    """What was kept may be the reason."""
    meter.measure()
    world.fails[fails] = Transient("not now")
    assert meter.measure().problems
    world.fails.clear()

    assert not meter.measure().problems
    assert (world.connected, world.closed) == (2, 1)


def test_a_bug_leaves_nothing_connected(world: World, meter: FlowMeter):
    """It is no problem of the system, so it is not swallowed."""
    world.fails["groups"] = KeyError("a bug")

    with pytest.raises(KeyError):
        meter.measure()
    assert (world.connected, world.closed) == (1, 1)
