"""The fast writer against the definition of the events: what it writes, the codec reads."""

import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from common import codec, told

FLOATS = st.floats(-1e12, 1e12)
CHANCES = st.floats(0, 1)
DAYS = st.integers(-700_000, 3_000_000)
IDS_ = st.integers(1, 2**63 - 1)
MOMENTS = st.datetimes(timezones=st.just(UTC))
PARTS = st.builds(told.Parts, FLOATS, FLOATS, FLOATS, FLOATS)
FEATURES = st.builds(told.Features, FLOATS, FLOATS, st.integers(1, 9_999), DAYS, DAYS)
SCORED = st.builds(
    told.Scored,
    IDS_,
    IDS_,
    IDS_,
    st.lists(st.tuples(st.sampled_from(["client", "order/7"]), IDS_), max_size=3).map(
        lambda pairs: Raw(json.dumps(pairs).encode())
    ),
    IDS_,
    MOMENTS,
    DAYS,
    st.none() | CHANCES,
    st.sampled_from(["no_orders", "one_order", "active", "at_risk", "lapsed"]),
    st.none() | FEATURES,
    st.none() | PARTS,
    st.none() | CHANCES,
    st.none() | CHANCES,
    st.none() | DAYS,
    st.none() | DAYS,
    st.none() | st.just("7-19000"),
)
EVIDENCE = st.builds(told.Evidence, DAYS, IDS_, st.tuples(st.tuples(IDS_, IDS_)))
OPENED = st.builds(
    told.Opened,
    st.just("7-19000"),
    IDS_,
    IDS_,
    IDS_,
    MOMENTS,
    DAYS,
    DAYS,
    st.sampled_from(["score", "silence"]),
    CHANCES,
    CHANCES,
    FLOATS,
    PARTS,
    st.lists(EVIDENCE, max_size=3),
)
CLOSED = st.builds(
    told.Closed,
    st.just("7-19000"),
    IDS_,
    IDS_,
    IDS_,
    MOMENTS,
    st.sampled_from(["order", "score", "erased"]),
)


def plain(value):
    """Return structs and models as plain values, to compare them field by field."""
    if isinstance(value, Raw):
        return plain(json.loads(bytes(value)))
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if hasattr(type(value), "model_fields"):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


@given(st.one_of(SCORED, OPENED, CLOSED), MOMENTS)
def test_what_is_written_is_read_as_the_same_event(data, time):
    """Scores and episodes written fast are read by the codec with every value as it was."""
    write = {
        told.Scored: told.write_scored,
        told.Opened: told.write_opened,
        told.Closed: told.write_closed,
    }[type(data)]
    event = codec.decode(write(data, "scorer", time))
    assert plain(event.data) == plain(data)
    assert list(type(event.data).model_fields) == list(data.__struct_fields__)
    assert (event.source, event.subject, event.time) == ("scorer", str(data.client_id), time)
    again = codec.encode(event.data, id=event.id, source="scorer", subject=event.subject, time=time)
    assert json.loads(again) == json.loads(write(data, "scorer", time))
