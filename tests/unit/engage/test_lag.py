"""How far readers are behind: whom that is asked of, and what is said when something fails."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from common.errors import Transient
from engage.broker import Broker, Group, Offsets
from engage.gatherer import Gatherer
from engage.lag import COUNTED_MAX, Lag, measure, measure_all

NOW = 1_700_000_000.0
SCORES = ("client.scores", 0)


class Record:
    """A record of Kafka, as far as lag is concerned."""

    def __init__(self, topic: str, second: float) -> None:
        self._topic, self._ms = topic, int(second * 1000)

    def topic(self) -> str:
        return self._topic

    def timestamp(self) -> tuple[int, int]:
        return (1, self._ms)


class Told:
    """A broker of topics with one partition each: what lies on them, and what was committed."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}
        self.markers: dict[str, int] = {}
        """So many offsets at the end of a topic hold no record."""
        self.commits: dict[str, Offsets] = {}
        self.broken: set[str] = set()
        """Groups of which nothing can be asked."""

    def begins(self, topics: tuple[str, ...]) -> Offsets:
        return {(topic, 0): 0 for topic in topics}

    def ends(self, topics: tuple[str, ...]) -> Offsets:
        return {
            (topic, 0): len(self.records.get(topic, ())) + self.markers.get(topic, 0)
            for topic in topics
        }

    def committed(self, group: str) -> Offsets:
        if group in self.broken:
            raise Transient(f"the offsets of {group} could not be read")
        return self.commits.get(group, {})

    def read(
        self, starts: Mapping[tuple[str, int], int], ends: Offsets, *, first: bool = False
    ) -> Iterator[Record]:
        for (topic, partition), start in starts.items():
            found = self.records.get(topic, [])[start : ends[topic, partition]]
            yield from found[:1] if first else found


@pytest.fixture
def told() -> Told:
    """A broker with nothing on it."""
    return Told()


def measured(
    told: Told, members: dict[str, int], speaking: int | None = 1, found: Gatherer | None = None
) -> dict[str, Lag]:
    """Return what is found of each group, where these have members."""
    groups = {name: Group(name, "stable", number) for name, number in members.items()}
    lags = measure_all(cast("Broker", told), groups, speaking, found or Gatherer())
    return {lag.group: lag for lag in lags}


def of_scores(told: Told) -> Lag:
    """Return how far the projector is behind."""
    broker: Any = told
    return measure(broker, "-", "projector", [SCORES[0]], members=1, now=NOW)


@pytest.mark.parametrize(
    ("speaking", "members", "scorers"),
    [
        (1, {}, {"scorer": 0}),
        (2, {}, {"scorer-v2": 0}),
        (2, {"scorer-v2": 0}, {"scorer-v2": 0}),
        (2, {"scorer": 3, "scorer-v2": 0}, {"scorer-v2": 0}),
        (1, {"scorer": 3, "scorer-v2": 2}, {"scorer": 3, "scorer-v2": 2}),
        (1, {"scorer": 0, "scorer-v2": 2}, {"scorer": 0, "scorer-v2": 2}),
        (None, {"scorer-v2": 2}, {"scorer-v2": 2}),
        (None, {}, {}),
    ],
    ids=[
        "nothing was announced",
        "nobody is left",
        "all are down",
        "only a superseded one works",
        "the next one is built",
        "only the next one works",
        "nobody knows, one works",
        "nobody knows",
    ],
)
def test_the_generation_that_speaks_is_measured_whether_or_not_it_works(
    told: Told, speaking: int | None, members: dict[str, int], scorers: dict[str, int]
):
    """And those that are to follow it; never one that is dead for good."""
    lags = measured(told, members, speaking)

    assert {g: lag.members for g, lag in lags.items() if g.startswith("scorer")} == scorers
    assert {"cdc-relay", "projector", "mailer"} <= lags.keys()


def test_a_reader_that_cannot_be_asked_of_hides_no_other(told: Told):
    """It is left out, and named."""
    told.broken.add("projector")
    found = Gatherer()

    lags = measured(told, {"mailer": 1}, found=found)

    assert lags.keys() == {"cdc-relay", "scorer", "mailer"}
    assert len(found.problems) == 1
    assert found.problems[0].startswith("lag of projector: ")


def test_the_oldest_record_says_how_late_a_reader_is(told: Told):
    """By its own time, whether few records wait or many."""
    told.records[SCORES[0]] = [Record(SCORES[0], NOW - 60), Record(SCORES[0], NOW - 30)]
    few = of_scores(told)
    assert (few.records, few.exact, few.seconds) == (2, True, 60.0)

    told.markers[SCORES[0]] = COUNTED_MAX
    told.commits["projector"] = {SCORES: 1}
    many = of_scores(told)
    assert (many.records, many.exact, many.seconds) == (COUNTED_MAX + 1, False, 30.0)


def test_where_no_record_tells_its_time_nobody_claims_to_be_on_time(told: Told):
    """Offsets wait, which may all be markers: their age is not known. Where none does, it is 0."""
    assert of_scores(told).seconds == 0.0

    told.markers[SCORES[0]] = COUNTED_MAX + 1
    assert of_scores(told).seconds is None


def test_many_records_are_not_read_one_by_one(told: Told, monkeypatch: pytest.MonkeyPatch):
    """Of each partition the first is looked at, all in one go."""
    topic = SCORES[0]
    told.records[topic] = [Record(topic, NOW - 9)] * (COUNTED_MAX + 1)
    looked_at: list[Record] = []
    read = told.read

    def counting(*places: Any, **how: Any) -> Iterator[Record]:
        for record in read(*places, **how):
            looked_at.append(record)
            yield record

    monkeypatch.setattr(told, "read", counting)

    assert of_scores(told).seconds == 9.0
    assert len(looked_at) == 1
