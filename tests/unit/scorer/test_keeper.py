"""The keeper: told before written, parked when poison, silent without a policy, in chunks."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import structlog

from common.clock import Anchor, BusinessClock, write_anchor
from common.codec import encode
from common.errors import Misconfigured
from common.events import (
    ClientChanged,
    ClientErased,
    Data,
    EpisodeOpened,
    GenerationAnnounced,
    OrderChanged,
    PolicyPublished,
    SnapshotState,
    Tick,
)
from common.partition import partition_of
from common.score.policy import Policy
from common.topics import AT_RISK, CONTROL, LIVE, SCORES
from common.tracing import sampled
from scorer import chores as chores_module
from scorer.chores import Chores
from scorer.keeper import Keeper
from scorer.metrics import Metrics
from scorer.pipeline import Pipeline
from scorer.readiness import TICK_LIMIT_S, Readiness
from scorer.rows import decode_head
from scorer.ticks import Reach
from tests.spans import SAMPLED, SPAN, TRACE, parent_of, record, trace_of
from tests.unit.scorer.fakes import CHANGELOG, Diary, FakeRecord

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class World:
    """A keeper of one partition on stand-ins, at a clock that the test moves."""

    def __init__(self, folder, diary=None) -> None:
        self.diary = diary or Diary()
        self.file = folder / "clock.json"
        self.set_clock(NOW)
        self.reach = Reach(10**9, None)
        self.open_again()

    def set_clock(self, business: datetime) -> None:
        wall = datetime.now(UTC)
        write_anchor(self.file, Anchor(wall, business, 0.0))
        self.business = business

    def open_again(self, generation=1) -> None:
        """Restart: a new keeper on the rows that were stored."""
        log = structlog.get_logger("test")
        self.failed = []
        self.acked = []
        self.metrics = Metrics()
        pipeline = Pipeline(self.diary, self.diary, self.failed.append, self.metrics)
        self.pipeline = pipeline
        self.retired = False
        clock = BusinessClock(self.file)
        self.keeper = Keeper(
            store=self.diary,
            pipeline=pipeline,
            generation=generation,
            clock=clock,
            zone=ZoneInfo("UTC"),
            partitions=1,
            log=log,
            retire=self.retire,
        )
        self.chores = Chores(
            self.keeper, self.diary, pipeline, lambda topic, partition: self.reach, log
        )
        self.readiness = Readiness(self.keeper, clock, lambda: 0)

    def retire(self) -> None:
        self.retired = True

    async def settle(self) -> None:
        """Hand on what is at hand, and wait until it is durable; raises what went wrong."""
        await self.keeper.settle()
        await self.pipeline.drained()
        if self.failed:
            raise self.failed[0]

    async def hear(self, *data: Data) -> None:
        self.keeper.lane(LIVE.name, 0, [FakeRecord(wire(d)) for d in data])
        await self.settle()

    async def control(self, data: Data, **kwargs) -> None:
        self.keeper.control(0, FakeRecord(wire(data), **kwargs))
        await self.settle()

    async def work(self, turns=100) -> int:
        """Let the chores have up to so many turns; return how many they used."""
        for turn in range(turns):
            if not await self.chores.turn(0):
                return turn
            await self.settle()
        return turns

    async def tick(self, business: datetime | None = None) -> None:
        if business is not None:
            self.set_clock(business)
        tick = Tick(partition=0, as_of=self.business, live_end=0, backfill_end=0)
        await self.control(tick)
        await self.work()

    def opened(self) -> list[str]:
        return [d.episode_id for d in self.diary.told(AT_RISK.name) if isinstance(d, EpisodeOpened)]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def wire(data: Data) -> bytes:
    return encode(data, id="i", source="test", subject="s", time=NOW)


def order(client: int, number: int, days_ago: int) -> OrderChanged:
    return OrderChanged(
        client_id=client,
        order_id=client * 100 + number,
        version=client * 100 + number,
        ordered_at=NOW - timedelta(days=days_ago),
        amount=Decimal("30.00"),
        currency="USD",
        status="paid",
    )


POLICY = PolicyPublished(policy=Policy())


async def test_told_and_acknowledged_before_written(world):
    """Scores and rows go out in one transaction, and the local store comes last."""
    await world.control(POLICY)
    world.diary.acts.clear()
    await world.hear(order(1, 1, 3), order(1, 2, 1))
    assert world.diary.acts == ["settle:changelog,client.scores", "store"]


async def test_what_is_not_committed_is_not_stored(world):
    """A settle that fails leaves the old rows, and the event coming again tells it again."""
    await world.control(POLICY)
    stored = dict(world.diary.rows[0])
    world.diary.fail_at = len(world.diary.sends) + 1
    with pytest.raises(ConnectionError):
        await world.hear(order(1, 1, 3))
    assert world.diary.rows[0] == stored
    world.diary.fail_at = None
    before = len(world.diary.told(SCORES.name))
    world.open_again()
    await world.hear(order(1, 1, 3))
    assert len(world.diary.told(SCORES.name)) == before + 1
    assert b"1" in world.diary.rows[0]


async def test_without_a_policy_nothing_is_scored_and_everything_is_kept(world):
    """No default score: ledgers are kept, and the coming of the policy scores them at a tick."""
    await world.hear(order(1, 1, 3), order(2, 1, 3))
    await world.tick()
    assert world.diary.told(SCORES.name) == []
    assert set(world.diary.rows[0]) == {b"1", b"2"}
    await world.control(POLICY)
    await world.tick(NOW + timedelta(seconds=1))
    assert {s.client_id for s in world.diary.told(SCORES.name)} == {1, 2}
    assert {s.policy_version for s in world.diary.told(SCORES.name)} == {1}


async def test_a_duplicate_is_neither_told_nor_written(world):
    """What was merged already is no news."""
    await world.control(POLICY)
    await world.hear(order(1, 1, 3))
    world.diary.acts.clear()
    await world.hear(order(1, 1, 3))
    assert world.diary.acts == []


async def test_one_batch_tells_a_client_once_but_names_every_version(world):
    """However many events a batch has of a client, no merged version goes by unnamed."""
    await world.control(POLICY)
    await world.hear(*(order(1, number, 3) for number in range(1, 81)))
    scores = world.diary.told(SCORES.name)
    assert len(scores) == 3
    named = {version for score in scores for _, version in score.merged}
    assert named == {100 + number for number in range(1, 81)}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"not json", b"not_an_event"),
        (b'{"type":"order.changed.v9"}', b"unknown_type"),
        (wire(SnapshotState(active=True)), b"unexpected"),
    ],
)
async def test_poison_is_parked_and_its_neighbours_flow(world, value, reason):
    """A record that can never be used goes to the dead letters; the one after it is scored."""
    await world.control(POLICY)
    records = [FakeRecord(value, offset=7), FakeRecord(wire(order(1, 1, 3)), offset=8)]
    world.keeper.lane(LIVE.name, 0, records)
    await world.settle()
    letters = [le for sent in world.diary.sends for le in sent if le.topic == f"{LIVE.name}.dlq"]
    assert [letter.value for letter in letters] == [value]
    assert dict(letters[0].headers)["reason"] == reason
    assert dict(letters[0].headers)["offset"] == b"7"
    assert len(world.diary.told(SCORES.name)) == 1


async def test_a_client_in_a_wrong_partition_is_parked_never_written(world, monkeypatch):
    """A row in a partition that is not its client's would be lost to whoever owns the right one."""
    stray = next(c for c in range(1, 50) if partition_of(c, 4) != 0)
    monkeypatch.setattr(world.keeper, "_partitions", 4)
    await world.control(POLICY)
    await world.hear(order(stray, 1, 3))
    letters = [le for sent in world.diary.sends for le in sent if le.topic == f"{LIVE.name}.dlq"]
    assert [dict(letter.headers)["reason"] for letter in letters] == [b"wrong_partition"]
    assert b"%d" % stray not in world.diary.rows[0]


async def test_tombstones_on_the_lanes_are_no_events(world):
    """A null value only lets compaction forget a key."""
    world.keeper.lane(LIVE.name, 0, [FakeRecord(None)])
    await world.settle()
    assert world.diary.acts == []


async def test_a_tick_opens_and_a_restart_opens_nothing_twice(world):
    """The due-index is rebuilt from the rows: the opened are not due, the others still are."""
    await world.control(POLICY)
    await world.hear(order(1, 1, 100), order(1, 2, 80), order(2, 1, 20), order(2, 2, 1))
    await world.tick()
    assert world.opened() == ["1-" + world.opened()[0].split("-")[1]]
    world.open_again()
    await world.tick(NOW + timedelta(seconds=5))
    assert len(world.opened()) == 1
    await world.tick(NOW + timedelta(days=100))
    assert len(world.opened()) == 2
    world.open_again()
    await world.tick(NOW + timedelta(days=101))
    assert len(world.opened()) == 2


async def test_a_tick_acts_only_when_both_lanes_have_passed(world):
    """While something below its ends is open the tick waits; it is looked at again and again."""
    await world.control(POLICY)
    await world.hear(order(1, 1, 100), order(1, 2, 80))
    world.reach = Reach(10, 9)
    await world.control(Tick(partition=0, as_of=NOW, live_end=10, backfill_end=0))
    assert world.opened() == []
    await world.work()
    assert world.opened() == []
    world.reach = Reach(10, None)
    await world.work()
    (opened,) = world.diary.told(AT_RISK.name)
    assert opened.as_of == NOW


async def test_while_a_snapshot_runs_ticks_open_nothing_even_after_a_restart(world):
    """Half-built ledgers are not judged; the flag survives, and its end lets sound ticks act."""
    await world.control(POLICY)
    await world.control(SnapshotState(active=True))
    await world.hear(order(1, 1, 100), order(1, 2, 80))
    await world.tick(NOW + timedelta(seconds=1))
    world.open_again()
    await world.tick(NOW + timedelta(seconds=2))
    assert world.opened() == []
    await world.control(SnapshotState(active=False))
    await world.tick(NOW + timedelta(seconds=3))
    assert world.opened() == []
    await world.tick(NOW + timedelta(seconds=4))
    assert len(world.opened()) == 1


async def test_a_tick_from_the_future_opens_nothing_and_turns_readiness_red(world):
    """A host clock that jumps a day opens no episode; the next sound tick turns it green again."""
    await world.control(POLICY)
    await world.hear(order(1, 1, 20), order(1, 2, 1))
    ahead = Tick(partition=0, as_of=NOW + timedelta(days=60), live_end=0, backfill_end=0)
    await world.control(ahead)
    assert world.opened() == []
    assert world.readiness.ticks() == "ticks from the future are parked in partitions [0]"
    await world.tick()
    assert world.readiness.ticks() is None


async def test_a_new_policy_is_walked_in_chunks_and_only_the_newest_counts(world, monkeypatch):
    """Each turn assesses one chunk of the rows; an older version arriving late changes nothing."""
    monkeypatch.setattr(chores_module, "CHUNK", 4)
    await world.control(POLICY)
    await world.hear(*(order(client, 1, 3) for client in range(1, 11)))
    await world.control(PolicyPublished(policy=Policy(version=3, theta=0.4)))
    await world.control(PolicyPublished(policy=Policy(version=2)))
    walked = []
    for _ in range(5):
        await world.work(turns=1)
        walked.append(sum(s.policy_version == 3 for s in world.diary.told(SCORES.name)))
    assert walked == [4, 8, 10, 10, 10]
    assert {decode_head(v).policy for k, v in world.diary.rows[0].items() if k.isdigit()} == {3}


async def test_a_walk_broken_off_by_a_restart_goes_on(world, monkeypatch):
    """Rows that the policy in force has not assessed are found again from the table."""
    monkeypatch.setattr(chores_module, "CHUNK", 4)
    await world.control(POLICY)
    await world.hear(*(order(client, 1, 3) for client in range(1, 11)))
    await world.control(PolicyPublished(policy=Policy(version=2)))
    await world.work(turns=1)
    world.open_again()
    await world.tick(NOW + timedelta(seconds=1))
    assert sum(s.policy_version == 2 for s in world.diary.told(SCORES.name)) == 10


async def test_a_large_day_is_worked_off_in_chunks(world, monkeypatch):
    """Each turn opens at most a chunk; the tick in hand stays until its day is done."""
    monkeypatch.setattr(chores_module, "CHUNK", 3)
    await world.control(POLICY)
    events = [order(c, n, 100 - 20 * n) for c in range(1, 9) for n in (1, 2)]
    await world.hear(*events)
    counts = []
    await world.work()
    await world.control(Tick(partition=0, as_of=NOW, live_end=0, backfill_end=0))
    for _ in range(5):
        await world.work(turns=1)
        counts.append(len(world.opened()))
    assert counts == [3, 6, 8, 8, 8]
    assert len(set(world.opened())) == 8


async def test_an_unnamed_control_event_is_parked(world):
    """What the control topic does not know, or a tick of another partition, is dead-lettered."""
    await world.control(ClientChanged(client_id=1, version=1))
    await world.control(Tick(partition=3, as_of=NOW, live_end=0, backfill_end=0))
    letters = [le for sent in world.diary.sends for le in sent if le.topic == f"{CONTROL.name}.dlq"]
    assert len(letters) == 2


async def test_a_control_topic_without_broker_time_is_refused(world):
    """Ticks are judged by the broker's clock; a writer's own stamp would prove nothing."""
    tick = Tick(partition=0, as_of=NOW, live_end=0, backfill_end=0)
    with pytest.raises(Misconfigured, match="LogAppendTime"):
        await world.control(tick, timestamp_type=0)


async def test_a_revoked_partition_is_forgotten(world):
    """What is no longer this worker's is neither scanned nor ticked from memory."""
    await world.hear(order(1, 1, 3))
    await world.keeper.leave()
    assert world.keeper.shards == {}
    assert not world.keeper.open
    world.keeper.enter()
    assert world.keeper.open


async def test_a_run_is_read_with_one_question_to_the_store(world):
    """All clients of a run are looked up together."""
    await world.control(POLICY)
    world.diary.reads.clear()
    await world.hear(*(order(client, 1, 3) for client in range(1, 31)))
    assert world.diary.reads == [30]


async def test_a_batch_sees_the_rows_that_are_still_on_their_way(world):
    """The next batch is merged while the one before is being committed, and builds upon it."""
    await world.control(POLICY)
    for number in (1, 2, 3):
        world.keeper.lane(LIVE.name, 0, [FakeRecord(wire(order(1, number, number)))])
        await world.keeper.settle()
    await world.settle()
    assert [score.features.n for score in world.diary.told(SCORES.name)] == [1, 2, 3]


async def test_batches_are_acknowledged_in_order_and_only_when_durable(world):
    """An event is acknowledged after its batch, and every batch before it, has been committed."""
    await world.control(POLICY)
    acked = []

    class Event:
        def __init__(self, name):
            self.name = name

        def ack(self):
            acked.append((self.name, len(world.diary.sends)))

    sends = len(world.diary.sends)
    world.keeper.lane(LIVE.name, 0, [FakeRecord(wire(order(1, 1, 3)))])
    await world.keeper.settle([Event("first")])
    await world.keeper.settle([Event("empty")])
    assert acked == []
    await world.settle()
    assert acked == [("first", sends + 1), ("empty", sends + 1)]


async def test_prometheus_is_told_of_a_batch_once_it_is_durable(world):
    """Records by topic, outcomes by kind, letters by reason; rows are those of the changelog."""

    def counted(name, **labels):
        return world.metrics.registry.get_sample_value(f"engage_scorer_{name}", labels)

    await world.control(POLICY)
    rows = counted("rows_written_total")
    world.keeper.lane(LIVE.name, 0, [FakeRecord(wire(order(1, 1, 100))), FakeRecord(b"no")])
    world.keeper.lane(LIVE.name, 0, [FakeRecord(wire(order(1, 2, 80)))])
    assert counted("records_total", topic=LIVE.name) is None
    await world.settle()
    await world.tick()

    assert counted("records_total", topic=LIVE.name) == 3
    assert counted("records_total", topic=CONTROL.name) == 2
    assert counted("told_total", kind="scored") == 2
    assert counted("told_total", kind="opened") == 1
    assert counted("rows_written_total") > rows
    assert counted("delay_seconds_count") == 1
    assert counted("delay_seconds_sum") > 0
    parked = {"topic": LIVE.name, "reason": "not_an_event"}
    assert world.metrics.registry.get_sample_value("engage_dead_letters_total", parked) == 1


async def test_the_newest_score_of_an_erased_client_is_a_tombstone(world):
    """Whatever else is told of a client in the same batch, the last word is the null."""
    await world.control(POLICY)
    await world.hear(order(1, 1, 3), ClientErased(client_id=1, version=900), order(1, 2, 3))
    assert world.diary.told(SCORES.name)[-1] is None
    await world.hear(order(1, 3, 3))
    assert world.diary.told(SCORES.name)[-1] is None


async def test_a_silent_generation_keeps_rows_and_tells_nothing_until_it_is_announced(world):
    """Then it tells every score, chunk by chunk, and its ticks open what is due."""
    world.open_again(generation=2)
    await world.control(POLICY)
    await world.hear(order(1, 1, 100), order(1, 2, 80), order(2, 1, 3))
    await world.tick()
    assert {letter.topic for sent in world.diary.sends for letter in sent} == {CHANGELOG}
    assert world.readiness.generation() == "silent: generation 2, current 1; 0 behind"
    await world.control(GenerationAnnounced(generation=2))
    await world.tick(NOW + timedelta(seconds=1))
    assert {s.client_id for s in world.diary.told(SCORES.name)} == {1, 2}
    assert len(world.opened()) == 1
    assert world.readiness.generation() is None


async def test_a_first_telling_broken_off_by_a_restart_is_done_again(world, monkeypatch):
    """Whether all was told is known from the rows; when it was, it is not told again."""
    monkeypatch.setattr(chores_module, "CHUNK", 4)
    world.open_again(generation=2)
    await world.control(POLICY)
    await world.hear(*(order(client, 1, 3) for client in range(1, 11)))
    await world.work()
    await world.control(GenerationAnnounced(generation=2))
    await world.work(turns=1)
    assert len(world.diary.told(SCORES.name)) == 4
    world.open_again(generation=2)
    await world.tick(NOW + timedelta(seconds=1))
    assert {s.client_id for s in world.diary.told(SCORES.name)} == set(range(1, 11))
    told = len(world.diary.told(SCORES.name))
    world.open_again(generation=2)
    await world.tick(NOW + timedelta(seconds=2))
    assert len(world.diary.told(SCORES.name)) == told


async def test_a_superseded_generation_tells_nothing_more_and_retires(world):
    """It keeps what it has read so far, says so, and knows it again after a restart."""
    await world.control(POLICY)
    await world.control(GenerationAnnounced(generation=2))
    assert world.retired
    assert world.readiness.generation() == "superseded by generation 2"
    world.open_again()
    await world.hear(order(1, 1, 3))
    assert world.retired
    assert world.diary.told(SCORES.name) == []


async def test_a_clock_set_back_turns_readiness_red_and_opens_nothing_twice(world):
    """Business time behind the last tick acted on is visible until it has caught up."""
    await world.control(POLICY)
    await world.hear(order(1, 1, 100), order(1, 2, 80))
    await world.tick()
    assert world.readiness.ticks() is None
    await world.tick(NOW - timedelta(days=1))
    assert (
        world.readiness.ticks()
        == "business time is behind the last tick acted on in partitions [0]"
    )
    assert len(world.opened()) == 1
    await world.tick(NOW + timedelta(seconds=1))
    assert world.readiness.ticks() is None
    assert len(world.opened()) == 1


async def test_a_tick_that_waits_too_long_for_the_lanes_turns_readiness_red(world):
    """Ticks may starve behind a saturated lane: then it is seen."""
    await world.control(POLICY)
    world.reach = Reach(5, None)
    await world.control(Tick(partition=0, as_of=NOW, live_end=10, backfill_end=0))
    assert world.readiness.ticks() is None
    assert "ticks have waited" in world.readiness.ticks(time.monotonic() + TICK_LIMIT_S + 1)
    world.reach = Reach(10, None)
    await world.work()
    assert world.readiness.ticks(time.monotonic() + TICK_LIMIT_S + 1) is None


async def test_what_is_told_goes_on_with_the_trace_of_the_change(world, monkeypatch):
    """Score and opening carry the scorer's span on, which ends when the batch is durable."""
    spans = record(monkeypatch)
    await world.control(POLICY)
    traced = (("attempt", b"1"), ("traceparent", SAMPLED.encode()))
    await world.hear(order(1, 1, 100))
    news, plain = wire(order(1, 2, 80)), wire(order(2, 1, 100))
    world.keeper.lane(LIVE.name, 0, [FakeRecord(news, headers=traced), FakeRecord(plain)])
    assert spans.all() == []
    await world.settle()
    await world.tick()

    span = spans.named(f"process {LIVE.name}")
    assert (trace_of(span), parent_of(span)) == (TRACE, SPAN)
    carried = (("traceparent", f"00-{TRACE}-{span.context.span_id:016x}-01".encode()),)
    told = [letter for sent in world.diary.sends for letter in sent if letter.key in {b"1", b"2"}]
    assert {letter.headers for letter in told if letter.topic in {SCORES.name, AT_RISK.name}} == {
        carried,
        (),
    }
    assert [letter.headers for letter in told if letter.topic == AT_RISK.name] == [carried]
    assert {letter.headers for letter in told if letter.key == b"2"} == {()}


async def test_what_follows_from_an_untraced_change_is_in_no_older_trace(world, monkeypatch):
    """A traced order, then a write that nobody traces: that one opens the episode."""
    record(monkeypatch)
    await world.control(POLICY)
    traced = (("traceparent", SAMPLED.encode()),)
    world.keeper.lane(LIVE.name, 0, [FakeRecord(wire(order(1, 1, 100)), headers=traced)])
    await world.settle()
    await world.hear(order(1, 2, 80))
    await world.tick()

    last = [letter for letter in world.diary.sends[-1] if letter.key == b"1"]
    assert {letter.topic for letter in last} >= {AT_RISK.name}
    assert {letter.headers for letter in last} == {()}


async def test_an_outdated_image_ends_no_trace(world, monkeypatch):
    """It changes nothing, so nothing follows from it: what was read again is no newer change."""
    record(monkeypatch)
    await world.control(POLICY)
    traced = (("traceparent", SAMPLED.encode()),)
    await world.hear(order(1, 1, 100))
    last = wire(order(1, 2, 80))
    world.keeper.lane(LIVE.name, 0, [FakeRecord(last, headers=traced), FakeRecord(last)])
    await world.settle()
    await world.tick()

    opened = [one for sent in world.diary.sends for one in sent if one.topic == AT_RISK.name]
    assert len(opened) == 1
    assert opened[0].headers != ()


async def test_partitions_that_were_taken_away_take_their_traces_with_them(world, monkeypatch):
    """What another worker told meanwhile is not of that request's doing."""
    record(monkeypatch)
    await world.control(POLICY)
    traced = (("traceparent", SAMPLED.encode()),)
    world.keeper.lane(LIVE.name, 0, [FakeRecord(wire(order(1, 1, 100)), headers=traced)])
    await world.settle()
    await world.keeper.leave()
    world.keeper.enter()
    await world.hear(order(1, 2, 80))

    last = [letter for letter in world.diary.sends[-1] if letter.topic == SCORES.name]
    assert [letter.headers for letter in last] == [()]


async def test_what_is_parked_is_said_in_its_trace_and_marked_failed(world, monkeypatch):
    """Whoever follows the trace finds the line, and sees that the record came to nothing."""
    spans = record(monkeypatch)
    await world.control(POLICY)
    said = []
    monkeypatch.setattr(
        world.keeper, "_log", SimpleNamespace(warning=lambda *_, **__: said.append(sampled()))
    )
    traced = (("traceparent", SAMPLED.encode()),)
    world.keeper.lane(LIVE.name, 0, [FakeRecord(b"junk", headers=traced), FakeRecord(b"junk")])
    await world.settle()

    span = spans.named(f"process {LIVE.name}")
    assert (trace_of(span), parent_of(span)) == (TRACE, SPAN)
    assert said == [f"00-{TRACE}-{span.context.span_id:016x}-01", None]
    assert not span.status.is_ok
    assert span.attributes["error.type"] == "not_an_event"
