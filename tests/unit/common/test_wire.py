"""The fast reader against the definition of the events: same verdicts, same values."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common import codec, events, wire
from common.errors import PoisonMessage

NOW = datetime(2026, 1, 1, 12, 30, 15, 250_000, tzinfo=UTC)

ORDER = {
    "client_id": 7,
    "order_id": 9,
    "version": 11,
    "ordered_at": "2026-01-01T12:00:00Z",
    "amount": "29.90",
    "currency": "EUR",
    "status": "paid",
    "origin": {"topic": "cdc.public.orders", "partition": 1, "offset": 5, "lsn": 17},
}
DATA = {
    "order.changed.v1": ORDER,
    "order.removed.v1": {"client_id": 7, "order_id": 9, "version": 11, "reason": "moved"},
    "client.changed.v1": {"client_id": 7, "version": 11, "origin": None},
    "client.erased.v1": {"client_id": 7, "version": 11},
}


def envelope(kind: str, data, **changed) -> dict:
    return {
        "specversion": "1.0",
        "id": "x",
        "source": "cdc-relay",
        "type": kind,
        "subject": "7",
        "time": "2026-01-01T12:00:01.5Z",
        "datacontenttype": "application/json",
        "data": data,
    } | changed


def raw(kind: str = "order.changed.v1", data=None, **changed) -> bytes:
    return json.dumps(envelope(kind, DATA[kind] if data is None else data, **changed)).encode()


def verdict(read, value: bytes):
    """Return the image or the reason and detail of the refusal."""
    try:
        return read(value)
    except PoisonMessage as error:
        return error.reason, error.detail


def plainly(value: bytes) -> wire.LaneImage:
    return wire.image_of(codec.decode(value).data)


def agrees(value: bytes) -> None:
    one, other = verdict(wire.read_lane, value), verdict(plainly, value)
    assert one == other
    if isinstance(one, wire.OrderImage):
        assert one.ordered_at.utcoffset() == other.ordered_at.utcoffset()


AMOUNTS = [
    *("29.90", "0.00", "-0.00", "-8.00", "10", "10.5", ".50", "5.", "1e12", "1E+2", "1e-2", "1e-3"),
    *("99999999999999.99", "100000000000000.00", "-99999999999999.99", "0000000000000001.00"),
    *("NaN", "Infinity", "-inf", "sNaN", "+1.00", " 1.00", "1_0.00", "1,00", "", "-", "--1.00"),
    *("-.50", "1.0 ", "0x1.00", "1.000", "0.10", 12, 12.5, -3, 1e12, 1e300, None, True, []),
    "1.\u0660\u0660",
]
TIMES = [
    *(f"{day}T12:00:00Z" for day in ("0001-01-01", "1900-01-01", "9999-12-31", "2026-02-29")),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "2026-01-01T24:00:00Z"),
    *("2026-01-01T12:00:00.1234567Z", "2026-01-01T23:59:59.9999999Z", "2026-01-01T12:00:00.1Z"),
    *("2026-01-01 12:00:00z", "2026-01-01T12:00Z", "2026-01-01", "2026-01-01T12:00:00", "now", ""),
    *("2026-01-01T12:00:00+0130", "2026-01-01T12:00:60Z", "2026-W01-1T12:00:00Z", 0, 1.5e9, None),
    *("2026-01-01T12:00:00.123456Z", "2026-01-01T12:00:00.123456+05:30", "20260101T120000Z", 1e30),
]
IDS = [0, 1, -1, 2**63 - 1, 2**63, 2**64, 1.0, 1.5, 1e2, "5", "05", " 5", "x", None, True, [], {}]
CURRENCIES = ["EUR", "eur", "EU", "EURO", "E1R", "EUR\n", "ÄÖÜ", "", None, 5]
TEXTS = ["paid", "", "cancelled", "PAID", "päid", "pa\\id", 'pa"id', "pa\nid", None, 5, True, []]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("amount", AMOUNTS),
        ("ordered_at", TIMES),
        ("client_id", IDS),
        ("order_id", IDS),
        ("version", IDS),
        ("currency", CURRENCIES),
        ("status", TEXTS),
        ("origin", [None, {}, 5, {"topic": "t", "partition": 1, "offset": 2**70}, "x"]),
    ],
)
def test_every_quirk_of_a_field_is_judged_as_by_the_codec(field, values):
    """Numbers as text, dates of 1900 and 9999, NaN, 1e12 and the like: the same verdict, value."""
    for value in values:
        agrees(raw(data=ORDER | {field: value}))
        agrees(raw("client.changed.v1", DATA["client.changed.v1"] | {field: value}))
        agrees(raw("order.removed.v1", DATA["order.removed.v1"] | {field: value}))
    agrees(raw(data={name: value for name, value in ORDER.items() if name != field}))


@pytest.mark.parametrize("field", ["specversion", "id", "source", "type", "subject", "time"])
def test_every_quirk_of_the_envelope_is_judged_as_by_the_codec(field):
    """The envelope's fields are checked although nothing reads them here."""
    for value in [*TEXTS, *TIMES, "1.0", "tick.v1", "client.erased.v1", 1.0]:
        for kind in DATA:
            agrees(raw(kind, **{field: value}))
    whole = envelope("order.changed.v1", ORDER)
    agrees(json.dumps({n: v for n, v in whole.items() if n != field}).encode())


@pytest.mark.parametrize("kind", DATA)
def test_the_usual_form_takes_the_fast_way(kind, monkeypatch):
    """What the relay writes is read without the codec: nothing slow hides on the hot path."""
    data = events.TYPES[kind].model_validate(DATA[kind])
    value = codec.encode(data, id="x", source="cdc-relay", subject="7", time=NOW)
    want = plainly(value)
    monkeypatch.setattr(codec, "decode", None)
    assert wire.read_lane(value) == want


GOOD = raw()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        GOOD + b" ",
        GOOD + b"x",
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b'"paid"', b'"pa\xff"'),
        GOOD.replace(b'"paid"', b'"pa\x01id"'),
        GOOD.replace(b'"paid"', b'"pa\\u0069d"'),
        GOOD.replace(b'"paid"', b'"\\ud800"'),
        GOOD.replace(b'"version": 11', b'"version": 011'),
        GOOD.replace(b'"version": 11', b'"version": 11, "version": 12'),
        GOOD.replace(b'"version": 11', b'"version": "x", "version": 12'),
        GOOD.replace(b'"version": 11', b'"version": 11, "later": [NaN, 1e999, {"a": 01}]'),
        GOOD.replace(b'"version": 11', b'"version": 11, "later": ' + b"[" * 400 + b"]" * 400),
        GOOD.replace(b'"version": 11', b'"version": 11, "later": {"x": null}'),
        GOOD.replace(b'"version": 11', b'"version": 11, "cents": 5, "counts": false'),
        GOOD[:-1] + b', "type": "client.erased.v1"}',
        GOOD[:-1] + b', "type": "order.changed.v1"}',
        GOOD[:-1] + b', "later": 1}',
        GOOD.replace(b'"paid"', b"NaN"),
        raw("order.removed.v1", DATA["order.removed.v1"] | {"reason": "lost"}),
    ],
)
def test_odd_bytes_are_judged_as_by_the_codec(value):
    """Broken JSON, doubled keys, later fields, escapes and bad UTF-8: the same verdict."""
    agrees(value)


def test_what_no_lane_carries_is_refused():
    """A tick on a lane is parked as unexpected, with what it is."""
    tick = events.Tick(partition=0, as_of=NOW, live_end=0, backfill_end=0)
    value = codec.encode(tick, id="x", source="s", subject="", time=NOW)
    assert verdict(wire.read_lane, value) == ("unexpected", "a lane does not carry Tick")


@given(
    st.one_of(st.from_regex(r"[-+ ]?[0-9]{0,17}[.,e]?[0-9]{0,3}", fullmatch=True), st.text("0.-9")),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=-30))])),
    st.text("AZaz19é", min_size=2, max_size=4),
    st.integers(-2, 2**64),
)
@example("1.00", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "EUR", 1)
def test_any_order_is_judged_as_by_the_codec(amount, at, currency, number):
    """For any amount, moment, currency and version: the same verdict, the same value."""
    agrees(
        raw(
            data=ORDER
            | {
                "amount": amount,
                "ordered_at": at.isoformat(),
                "currency": currency,
                "version": number,
            }
        )
    )


@given(st.data())
def test_bytes_changed_at_random_are_judged_as_by_the_codec(data):
    """One to three bytes replaced, dropped or doubled anywhere in an event: the same verdict."""
    value = bytearray(raw(data.draw(st.sampled_from(sorted(DATA)))))
    for _ in range(data.draw(st.integers(1, 3))):
        i = data.draw(st.integers(0, len(value) - 1))
        value[i : i + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from(
                [b"", b'"', b"0", b"-", b".", b"e", b",", b"{", b"]", b"\\", b"Z", b":"]
            )
        )
    agrees(bytes(value))
