"""The edge table: odd clients, odd amounts and odd dates, from the bytes of events to the score."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import PoisonMessage
from common.score.policy import Policy
from common.told import Opened, Scored
from common.wire import image_of, read_lane
from scorer.engine import Forgotten, Rules, merge, moment, reassess_many
from scorer.letters import letter
from scorer.rows import Row, dump, head_key, load
from tests.unit.scorer.histories import CLIENT, Story, at, erasure, journals, order, removal

RULES = Rules(Policy(), generation=1)
NOW = moment(datetime(2026, 6, 1, 12, tzinfo=UTC), UTC)


def event(kind: str = "order.changed.v1", **data) -> bytes:
    """Return an event's bytes as they might come: whatever stands in ``data``."""
    whole = {"client_id": CLIENT, "version": 1} | data
    if kind == "order.changed.v1":
        usual = {"order_id": 1, "ordered_at": "2026-05-01T12:00:00Z", "amount": "30.00"}
        whole = usual | {"currency": "EUR", "status": "paid"} | whole
    return json.dumps(
        {
            "id": "x",
            "source": "test",
            "type": kind,
            "subject": str(CLIENT),
            "time": "2026-05-01T12:00:00Z",
            "data": whole,
        }
    ).encode()


def scored(*values: bytes, zone=UTC) -> Scored:
    """Merge events, store the row, read it again and score it; the score must be writable."""
    row = Row()
    for value in values:
        merge(row, read_lane(value), zone)
    stored = dump(CLIENT, row)
    row = load(CLIENT, stored[head_key(CLIENT)], stored.get)
    (told,) = reassess_many([(CLIENT, row)], moment(NOW.now, zone), RULES)
    assert isinstance(told, Scored)
    assert letter(told, 0, NOW.now).value is not None
    return told


ON = "2026-05-{:02}T12:00:00Z".format


@pytest.mark.parametrize(
    ("case", "values", "want"),
    [
        ("new client", [event("client.changed.v1")], ("no_orders", 0, 0)),
        ("no orders left", [event(), event("order.removed.v1", order_id=1, reason="deleted")]
         , ("no_orders", 0, 0)),
        ("one order", [event()], ("one_order", 1, 30)),
        ("two on a day", [event(), event(order_id=2, version=2)], ("one_order", 1, 60)),
        ("two on two days", [event(), event(order_id=2, version=2, ordered_at=ON(20))]
         , ("active", 2, 57.88)),
        ("a future order alone", [event(ordered_at="2026-09-01T12:00:00Z")], ("no_orders", 0, 0)),
        ("an order of tomorrow", [event(ordered_at="2026-06-02T12:00:00Z")], ("one_order", 1, 30)),
        ("a future order besides", [event(), event(order_id=2, ordered_at="2027-01-01T00:00:00Z")]
         , ("one_order", 1, 30)),
        ("a refund beyond spend", [event(), event(order_id=2, version=2, amount="-80.00")]
         , ("one_order", 1, 30)),
        ("an order turned into a refund", [event(), event(version=2, amount="-30.00")]
         , ("no_orders", 0, 0)),
        ("a refunded order", [event(), event(version=2, status="refunded")], ("no_orders", 0, 0)),
        ("moved to another client", [event(), event("order.removed.v1", order_id=1, version=2
         , reason="moved")], ("no_orders", 0, 0)),
        ("erased and created again", [event(), event("client.erased.v1", version=5)
         , event("client.changed.v1", version=6), event(order_id=2, version=7)]
         , ("one_order", 1, 30)),
        ("amount of 0", [event(amount="0.00")], ("no_orders", 0, 0)),
        ("amount of 1e12", [event(amount="1e12")], ("one_order", 1, 1e12)),
        ("the greatest amount", [event(amount="99999999999999.99")], ("one_order", 1, 1e14)),
        ("a date of 1900", [event(ordered_at="1900-01-01T00:00:00Z")], ("lapsed", 1, 30)),
        ("1900 and now", [event(ordered_at="1900-01-01T00:00:00Z"), event(order_id=2, version=2)]
         , ("active", 2, 30)),
        ("a date of 9999", [event(ordered_at="9999-12-31T23:59:59.999999Z")], ("no_orders", 0, 0)),
        ("the first date there is", [event(ordered_at="0001-01-01T00:00:00Z")], ("lapsed", 1, 30)),
        ("two currencies are summed", [event(), event(order_id=2, version=2, currency="USD")]
         , ("one_order", 1, 60)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Midway")])
def test_edges(case, values, want, zone):
    """Each odd history has its state, order-days and spend, in whatever order it comes."""
    state, days, spend = want
    for journal in (values, values[::-1], values + values[::-1]):
        told = scored(*journal, zone=zone)
        assert told.state == state, case
        assert (told.score is None) == (state == "no_orders")
        assert (told.features.n if told.features else 0) == days, case
        value = told.features.value if told.features else 0
        assert value == pytest.approx(spend, rel=1e-3), case


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-inf", "1e15", "1.234", "", "a lot", None])
def test_amounts_that_are_none_are_parked(amount):
    """No amount that is no amount ever becomes a score: its event is poison."""
    with pytest.raises(PoisonMessage) as parked:
        read_lane(event(amount=amount))
    assert parked.value.reason == "invalid"


@pytest.mark.parametrize("year", [1, 1900, 9999])
@pytest.mark.parametrize("offset", ["+14:00", "-12:00", "Z"])
def test_the_ends_of_the_calendar_crash_nothing(year, offset):
    """The first and last moments of a year that a datetime holds merge in any time zone."""
    for moment_ in (
        f"{year:04}-01-01T00:00:00{offset}",
        f"{year:04}-12-31T23:59:59.999999{offset}",
    ):
        for zone in (UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/New_York")):
            row = Row()
            assert merge(row, read_lane(event(ordered_at=moment_)), zone)
            (told,) = reassess_many([(CLIENT, row)], NOW, RULES)
            assert letter(told, 0, NOW.now).value


def test_an_order_of_9999_waits_for_its_day():
    """An order dated far ahead is due the day before it, and counts from then on."""
    row = Row()
    merge(row, read_lane(event(ordered_at="9999-12-31T12:00:00Z")), UTC)
    reassess_many([(CLIENT, row)], NOW, RULES)
    assert row.due is not None
    late = moment(datetime(9999, 12, 30, 12, tzinfo=UTC), UTC)
    assert row.due == late.day
    (told,) = reassess_many([(CLIENT, row)], late, RULES)
    assert told.state == "one_order"


def test_five_thousand_orders_are_scored_as_few_are():
    """A ledger of 5,000 orders in segments has the library's features and a readable score."""
    values = [
        event(
            order_id=n,
            version=n,
            ordered_at=(NOW.now - timedelta(days=n % 1_500, minutes=n)).isoformat(),
        )
        for n in range(1, 5_001)
    ]
    told = scored(*values)
    assert told.state == "active"
    assert told.features is not None
    assert told.features.n in {1_500, 1_501, 1_502, 1_503, 1_504}
    assert 0 < told.score < 1


@given(st.data())
def test_any_journey_ends_in_the_same_row_score_and_episodes(data):
    """Shuffled, doubled, late, after updates, cancellations, deletions and a re-snapshot.

    The row, the last score and the episodes after one tick on the finished ledger are the same as
    from the newest images alone.
    """
    journal = data.draw(journals())
    newest: dict[object, object] = {}
    for one in journal:
        known = newest.get(place := getattr(one, "order_id", type(one)))
        removed = hasattr(one, "reason")
        if known is None or (known.version, hasattr(known, "reason")) < (one.version, removed):
            newest[place] = one
    travelled = data.draw(st.permutations(journal)) + list(newest.values())
    day, finish = data.draw(st.integers(0, 500)), data.draw(st.integers(500, 700))
    plain, odd = Story(RULES), Story(RULES)
    for one in journal:
        plain.hear(one, at(finish))
    for one in travelled:
        odd.hear(one, at(day))
        day = min(day + data.draw(st.integers(0, 3)), finish)
    ends = []
    for story in (plain, odd):
        last = story.assess(at(finish))[-1]
        told = story.tick(at(finish))
        opened = [o.episode_id for o in told if isinstance(o, Opened)]
        ends.append((story.row, last, story.told[-1], opened))
    assert ends[0] == ends[1]


def test_a_moved_order_counts_where_it_is():
    """Removed there and present here, in one transaction: each client has its own days."""
    there, here = Row(), Row()
    merge(there, image_of(order(1, 1, 0)), UTC)
    merge(there, image_of(removal(1, 2)), UTC)
    merge(here, image_of(order(1, 2, 0)), UTC)
    told = reassess_many([(1, there), (2, here)], at(1), RULES)
    assert [one.state for one in told] == ["no_orders", "one_order"]


def test_a_forgotten_client_among_others_leaves_a_tombstone():
    """In a run, an erased client is forgotten and the others are scored."""
    gone, here = Row(), Row()
    for image in (order(1, 1, 0), erasure(5)):
        merge(gone, image_of(image), UTC)
    merge(here, image_of(order(1, 1, 0)), UTC)
    told = reassess_many([(1, gone), (2, here)], at(1), RULES)
    assert told[0] == Forgotten(1)
    assert letter(told[0], 3, NOW.now) == ("client.scores", 3, b"1", None)
    assert told[1].client_id == 2


def test_the_evidence_of_a_giant_ledger_fits_a_record(monkeypatch):
    """An opening names the newest order-days only, where all of them would not fit."""
    monkeypatch.setattr("scorer.outcomes.EVIDENCE_ORDERS_MAX", 3)
    story = Story(RULES)
    for number, day in enumerate((0, 20, 40, 40, 60), start=1):
        story.hear(order(number, number, day), at(60))
    assert story.row.due is not None
    opened, _ = story.tick(at(story.row.due - at(0).day))
    assert isinstance(opened, Opened)
    assert [e.orders for e in opened.evidence] == [((3, 3), (4, 4)), ((5, 5),)]
