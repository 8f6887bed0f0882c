"""Scale: medians of teams, progress in every partition, the wait of events, bytes on disk."""

from typing import cast

import pytest

from bench.broker import Broker
from bench.growth import name_of
from bench.rebalance import progress, waits
from bench.scale import disk, figures
from bench.scorer_race import Run
from bench.steady import Sent
from bench.workload import PARTITIONS, Shape


def run(seconds: float, *peaks: float, cpu_s: float = 1.0, broker_s: float = 0.5) -> Run:
    return Run(seconds, {}, peaks, cpu_s, broker_s)


def sent(number: int, at: float) -> Sent:
    return Sent(("order/1", number), number % PARTITIONS, at)


def test_teams_are_compared_by_the_medians_of_their_rates():
    """One bad round moves no ratio; memory is that of the largest worker of a team."""
    found = figures(
        {
            1: [run(10.0, 100.0), run(11.0, 120.0), run(99.0, 900.0)],
            2: [run(5.0, 90.0, 95.0), run(5.5, 99.0, 80.0), run(1.0, 80.0, 97.0)],
        },
        1_000_000,
    )
    assert found["scale.events_per_s_1"] == pytest.approx(1_000_000 / 11)
    assert found["scale.events_per_s_2"] == 200_000
    assert found["scale.ratio_2_to_1"] == pytest.approx(2.2)
    assert (found["scale.memory_mb_1"], found["scale.memory_mb_2"]) == (120.0, 97.0)
    assert found["scale.worker_cpu_us_per_event_1"] == 1.0
    assert found["scale.broker_cpu_us_per_event_1"] == 0.5


def test_every_partition_makes_progress_when_its_last_one_does():
    """Events of before do not count, and one partition without a score is none at all."""
    events = [sent(n, 10.0 + n) for n in range(2 * PARTITIONS)]
    since = events[PARTITIONS - 1].at
    seen = {one.image: one.at + 0.5 for one in events}
    assert progress(events, seen, since) == events[-1].at + 0.5
    del seen[events[-1].image]
    assert progress(events, seen, since) is None


def test_a_partition_makes_progress_with_the_first_score_of_a_later_event():
    """What comes after the first one does not put it off, in whatever order it was told."""
    events = [sent(n, float(n)) for n in range(3 * PARTITIONS)]
    seen = {one.image: 100.0 - one.at for one in events}
    last = 100.0 - (3 * PARTITIONS - PARTITIONS)
    assert progress(events, seen, -1.0) == last


def test_the_longest_wait_is_that_of_each_partition():
    """An event waits from its writing to its score."""
    events = [sent(0, 1.0), sent(1, 1.0), sent(PARTITIONS, 2.0)]
    seen = {events[0].image: 31.0, events[1].image: 1.25, events[2].image: 31.0}
    assert waits(events, seen) == {0: 30.0, 1: 0.25}


class Ended:
    """A broker on whose topics ten records lie."""

    def load(self, topic, records):
        """Take what is written."""

    def reader(self):
        """Be a reader, too."""
        return self

    def ends(self, reader, topic):
        """Tell where each partition ends."""
        return {0: 4, 1: 6}

    def close(self):
        """Have nothing to close."""


def test_disk_counts_the_records_of_a_topic_alone(tmp_path):
    """Indexes are preallocated, and other topics begin with the same name: neither counts."""
    for name, size in {
        "client.events-0/1.log": 800,
        "client.events-1/1.log": 200,
        "client.events-1/1.index": 10_000,
        "client.events.backfill-0/1.log": 5_000,
        "client.scores-3/1.log": 400,
        "scorer-ledgers-changelog-0/1.log": 300,
        "cdc.public.orders-0/1.log": 3_000,
        "cdc.public.orders.dlq-0/1.log": 7_000,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
    assert disk(cast(Broker, Ended()), tmp_path, Shape(clients=2, orders=5)) == {
        "disk.cdc_bytes_per_record": 300.0,
        "disk.events_bytes_per_record": 100.0,
        "disk.scores_bytes_per_record": 40.0,
        "disk.changelog_bytes_per_record": 30.0,
    }


@pytest.mark.parametrize(
    ("clients", "name"), [(20_000, "20k"), (1_000_000, "1m"), (1_500_000, "1500k"), (7, "7")]
)
def test_sizes_are_named_by_their_largest_unit(clients, name):
    """So the figures of older runs keep their names."""
    assert name_of(clients) == name
