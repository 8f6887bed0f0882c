"""What follows from each kind of row change, and where it goes."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc_relay.translate import Out, translate
from common.codec import decode, encode
from common.errors import PoisonMessage
from common.events import (
    ClientChanged,
    ClientErased,
    Data,
    OrderChanged,
    OrderRemoved,
    Origin,
    PolicyPublished,
)
from tests.unit.cdc_relay.recorded import ENVELOPES, envelope, raw, record_of

LIVE, BACKFILL, CONTROL = "client.events", "client.events.backfill", "scorer.control"
ORDERS = "cdc.public.orders"


def follow(name):
    """Translate the recorded record called ``name``."""
    record = record_of(name)
    return translate(record["topic"], record["partition"], record["offset"], raw(record["value"]))


def places(outs: list[Out]):
    """Return where the records go, without what they say."""
    return [(out.topic, out.client_id, out.key.decode()) for out in outs]


def data_of(out: Out) -> Data:
    """Return what a record says."""
    data: Data = decode(out.value).data
    return data


def test_an_inserted_order_goes_to_the_live_lane_whole():
    """A live insert becomes one order.changed event with every value exact and its origin."""
    [out] = follow("order inserted")
    assert places([out]) == [(LIVE, 42, "42/order/7")]
    event = decode(out.value)
    assert event.id == out.fact == "orders:7:9:42:order.changed.v1"
    assert (event.source, event.subject) == ("cdc-relay", "42")
    assert event.time == datetime(2026, 11, 22, 3, 21, 55, 292000, tzinfo=UTC)
    assert event.data == OrderChanged(
        client_id=42,
        order_id=7,
        version=9,
        ordered_at=datetime(2024, 3, 1, 10, 0, 0, 500000, tzinfo=UTC),
        amount=Decimal("12.50"),
        currency="USD",
        status="placed",
        origin=Origin(topic=ORDERS, partition=0, offset=6, lsn=27166016),
    )


def test_rows_read_by_a_snapshot_go_to_the_backfill_lane_with_the_version_of_the_row():
    """Snapshot reads never enter the live lane."""
    assert places(follow("order read by the snapshot")) == [(BACKFILL, 42, "42/order/1")]
    [out] = follow("client read by the snapshot")
    assert places([out]) == [(BACKFILL, 42, "42/client")]
    assert data_of(out) == ClientChanged(
        client_id=42,
        version=1,
        origin=Origin(topic="cdc.public.clients", partition=0, offset=0, lsn=27164968),
    )


@pytest.mark.parametrize(
    ("name", "moment", "amount"),
    [
        ("order in year 1", datetime(1, 1, 1, tzinfo=UTC), "0.00"),
        (
            "order in year 9999",
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            "-99999999999999.99",
        ),
    ],
)
def test_extreme_values_stay_exact(name, moment, amount):
    """The first and last years and the largest amounts come through unchanged."""
    order = data_of(follow(name)[0])
    assert isinstance(order, OrderChanged)
    assert (order.ordered_at, order.amount) == (moment, Decimal(amount))


@pytest.mark.parametrize("name", ["order before Christ", "order beyond year 9999"])
def test_times_that_no_event_can_hold_are_poison(name):
    """Postgres knows years that Python does not: such a row is parked."""
    with pytest.raises(PoisonMessage) as poison:
        follow(name)
    assert poison.value.reason == "unknown_shape"


def test_a_deleted_order_is_said_in_both_lanes_with_its_last_version():
    """A removal goes to both lanes, so that no older image survives compaction."""
    outs = follow("order deleted")
    assert places(outs) == [(LIVE, 43, "43/order/7"), (BACKFILL, 43, "43/order/7")]
    assert [out.fact for out in outs] == ["orders:7:11:43:order.removed.v1", ""]
    for out in outs:
        assert data_of(out) == OrderRemoved(
            client_id=43,
            order_id=7,
            version=11,
            reason="deleted",
            origin=Origin(topic=ORDERS, partition=0, offset=10, lsn=27167248),
        )


def test_an_order_that_could_not_be_translated_can_still_be_removed():
    """A removal needs ids and version only, not the values that made the row poison."""
    assert places(follow("order before Christ deleted")) == [
        (LIVE, 42, "42/order/4"),
        (BACKFILL, 42, "42/order/4"),
    ]


def test_an_order_that_moves_is_removed_there_and_present_here():
    """A move is a removal for the old client in both lanes and a change for the new one, live."""
    outs = follow("order moved to another client")
    assert places(outs) == [
        (LIVE, 42, "42/order/7"),
        (BACKFILL, 42, "42/order/7"),
        (LIVE, 43, "43/order/7"),
    ]
    gone, _, here = (data_of(out) for out in outs)
    assert isinstance(gone, OrderRemoved)
    assert isinstance(here, OrderChanged)
    assert (gone.client_id, gone.reason, gone.version) == (42, "moved", 11)
    assert (here.client_id, here.version) == (43, 11)


def test_an_updated_order_that_stays_is_one_change():
    """An update without a move is one event in the live lane."""
    assert places(follow("order updated")) == [(LIVE, 42, "42/order/7")]


def test_a_deleted_client_is_erased_in_both_lanes_and_its_image_taken_away():
    """Deletion becomes client.erased under a key of its own, and a tombstone on the image."""
    outs = follow("client deleted")
    assert places(outs) == [
        (LIVE, 42, "42/erased"),
        (LIVE, 42, "42/client"),
        (BACKFILL, 42, "42/erased"),
        (BACKFILL, 42, "42/client"),
    ]
    assert [out.value is None for out in outs] == [False, True, False, True]
    erased = data_of(outs[0])
    assert outs[0].value == outs[2].value
    assert isinstance(erased, ClientErased)
    assert (erased.client_id, erased.version) == (42, 13)


@pytest.mark.parametrize("name", ["client inserted", "client updated"])
def test_client_changes_go_live(name):
    """Inserts and updates of a client are client.changed in the live lane."""
    [out] = follow(name)
    assert out.topic == LIVE
    assert isinstance(data_of(out), ClientChanged)


@pytest.mark.parametrize(
    ("name", "version"),
    [("policy read by the snapshot", 1), ("policy inserted", 3), ("policy updated", 3)],
)
def test_a_policy_goes_to_every_partition_of_the_control_topic(name, version):
    """A policy row becomes policy.published under policy/<id>, for all partitions."""
    [out] = follow(name)
    assert places([out]) == [(CONTROL, None, f"policy/{version}")]
    published = data_of(out)
    assert isinstance(published, PolicyPublished)
    assert published.policy.version == version


@pytest.mark.parametrize("name", ["order tombstone", "client tombstone", "heartbeat row updated"])
def test_nothing_follows_from_tombstones_and_heartbeats(name):
    """Tombstones serve the raw topic's compaction, the heartbeat row the slot."""
    assert follow(name) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        # Former images without full replica identity hold made-up zeros, or are not there.
        ("order deleted without full replica identity", "unknown_shape"),
        ("client deleted without full replica identity", "unknown_shape"),
        ("order updated without full replica identity", "unknown_shape"),
        ("policy updated without full replica identity", "unavailable_value"),
        ("policy deleted", "policy_deleted"),
    ],
)
def test_images_that_are_not_whole_are_poison(name, reason):
    """What cannot be trusted is parked with its reason, never guessed."""
    with pytest.raises(PoisonMessage) as poison:
        follow(name)
    assert poison.value.reason == reason


def test_a_topic_that_is_no_table_is_poison():
    """Records of a topic without a rule are not dropped silently."""
    with pytest.raises(PoisonMessage):
        translate("cdc.public.other", 0, 0, b"{}")


@pytest.mark.parametrize(
    "document",
    ['{"version": 4}', '{"version": 3, "surprise": 1}', '{"version": 3, "rho": 7}', "[]", "no"],
)
def test_a_policy_that_is_none_is_poison(document):
    """A document that is no policy, or not the one its row names, is parked."""
    value = envelope("policy inserted")
    value["after"]["document"] = document
    with pytest.raises(PoisonMessage) as poison:
        translate("cdc.public.policies", 0, 0, raw(value))
    assert poison.value.reason == "invalid_policy"


ids = st.integers(1, 2**63 - 1)
moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
amounts = st.decimals(Decimal("-99999999999999.99"), Decimal("99999999999999.99"), places=2)


@given(
    op=st.sampled_from("cru"),
    order=st.fixed_dictionaries(
        {
            "id": ids,
            "client_id": ids,
            "version": ids,
            "ordered_at": moments,
            "amount": amounts,
            "currency": st.from_regex(r"[A-Z]{3}", fullmatch=True),
            "status": st.sampled_from(["placed", "paid", "refunded"]),
        }
    ),
    old_client=ids,
    ts_ms=st.integers(0, 253402300799999),
    lsn=st.none() | ids,
    offset=st.integers(0, 2**63 - 1),
)
def test_bytes_are_those_of_the_event_definitions(*, op, order, old_client, ts_ms, lsn, offset):
    """Whatever is written decodes to the very event that common.events and codec would write."""
    row = {**order, "ordered_at": order["ordered_at"].isoformat(), "amount": str(order["amount"])}
    before = {"id": order["id"], "client_id": old_client, "version": 1} if op == "u" else None
    source = {"ts_ms": ts_ms, "lsn": lsn}
    outs = translate(
        ORDERS, 0, offset, raw({"op": op, "source": source, "before": before, "after": row})
    )
    origin = Origin(topic=ORDERS, partition=0, offset=offset, lsn=lsn)
    client, version, order_id = order["client_id"], order["version"], order["id"]
    changed = OrderChanged(
        order_id=order_id,
        origin=origin,
        **{name: value for name, value in order.items() if name != "id"},
    )
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts_ms)
    expected = encode(
        changed,
        id=f"orders:{order_id}:{version}:{client}:order.changed.v1",
        source="cdc-relay",
        subject=str(client),
        time=moment,
    )
    assert decode(outs[-1].value) == decode(expected)
    assert json.loads(outs[-1].value or b"").keys() == json.loads(expected).keys()
    moved = op == "u" and old_client != client
    assert [out.topic for out in outs] == (
        ([LIVE, BACKFILL] if moved else []) + [BACKFILL if op == "r" else LIVE]
    )
    for out in outs[:-1]:
        assert data_of(out) == OrderRemoved(
            client_id=old_client,
            order_id=order_id,
            version=version,
            reason="moved",
            origin=origin,
        )


@pytest.mark.parametrize("name", ENVELOPES)
def test_unknown_fields_change_nothing(name):
    """A newer Debezium or a new column may add fields anywhere: they are let pass."""
    record = record_of(name)
    value = record["value"]

    def outcome(body):
        try:
            return translate(record["topic"], 0, record["offset"], raw(body))
        except PoisonMessage as poison:
            return poison.reason

    more = envelope(name)
    more["surprise"] = {"deep": [1]}
    for image in ("before", "after", "source"):
        if more[image] is not None:
            more[image]["surprise"] = None
    assert outcome(more) == outcome(value)
