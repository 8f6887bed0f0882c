"""The stored form of a client: the ledger of the library, laid out in head and segments."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.score.ledger import Ledger, entry_of_order, entry_of_removal, order_days
from common.score.model import features_of
from scorer import rows, segments
from scorer.features import features_at
from scorer.merging import erase, merge_client, merge_order
from scorer.orders import NEVER
from scorer.rows import Row, decode_head, dump, head_key, is_head, load

CLIENT = 42
HALF_LIFE = 180.0


def put(row: Row, image) -> bool:
    """Merge (kind, order id, version, day, cents) into a row."""
    kind, order_id, version, day, cents = image
    if kind == "order":
        day = day if cents else NEVER
        return merge_order(row, order_id, version, removed=False, day=day, cents=cents)
    if kind == "removal":
        return merge_order(row, order_id, version, removed=True, day=NEVER, cents=0)
    return merge_client(row, version) if kind == "client" else erase(row, version)


def put_plain(ledger: Ledger, image) -> bool:
    """Merge the same into the library's ledger."""
    kind, order_id, version, day, cents = image
    if kind == "order":
        day = day if cents else 0
        return ledger.merge_order(order_id, entry_of_order(version, day, cents, "paid"))
    if kind == "removal":
        return ledger.merge_order(order_id, entry_of_removal(version))
    return ledger.merge_client(version) if kind == "client" else ledger.erase(version)


class Store:
    """A table of bytes, and one client's row that is loaded and dumped in runs."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def load(self) -> Row:
        return load(CLIENT, self.rows.get(head_key(CLIENT)), self.rows.get)

    def keep(self, written: dict[bytes, bytes | None], *, cut_anew: bool = False) -> None:
        """Write what was dumped; every segment in it must be news, but after an erasure."""
        for key, value in written.items():
            if not is_head(key) and not cut_anew:
                assert self.rows.get(key) != value
            if value is None:
                del self.rows[key]
            else:
                self.rows[key] = value


IMAGES = st.one_of(
    st.tuples(
        st.just("order"),
        st.integers(1, 30),
        st.integers(1, 90),
        st.integers(-500, 4_000),
        st.sampled_from([0, 1, 999, 12_050]),
    ),
    st.tuples(
        st.sampled_from(["removal", "client"]),
        st.integers(1, 30),
        st.integers(1, 90),
        st.just(0),
        st.just(0),
    ),
)
ERASURES = st.tuples(st.just("erasure"), st.just(0), st.integers(1, 60), st.just(0), st.just(0))


def agree(one: Ledger, other: Ledger) -> None:
    assert one.orders == other.orders
    assert (one.version, one.erased_version, one.client_version, one.merged, one.erased) == (
        other.version,
        other.erased_version,
        other.client_version,
        other.merged,
        other.erased,
    )


@given(st.data(), st.booleans())
def test_a_row_is_the_library_s_ledger(data, keep_warm):
    """Whatever is merged, in whatever runs, warm or read anew: ledger and features agree."""
    runs = data.draw(
        st.lists(
            st.lists(st.one_of(IMAGES, IMAGES, IMAGES, IMAGES, ERASURES), max_size=25), max_size=6
        )
    )
    small = (
        patch.object(rows, "INLINE_ORDERS_MAX", 3),
        patch.object(segments, "SEGMENT_ORDERS_MAX", 4),
    )
    store, plain, row = Store(), Ledger(), Row()
    with small[0], small[1]:
        for run in runs:
            row = row if keep_warm else store.load()
            assert [put(row, image) for image in run] == [put_plain(plain, image) for image in run]
            agree(row.ledger, plain)
            erased = any(image[0] == "erasure" for image in run)
            store.keep(dump(CLIENT, row), cut_anew=erased)
            agree(row.ledger, plain)
            agree(store.load().ledger, plain)
            assert set(store.rows) == {
                head_key(CLIENT),
                *(b"%d/%d" % (CLIENT, number) for number in row.directory[::3]),
            }
            for horizon in (data.draw(st.integers(-500, 4_000)), 4_000):
                days = order_days(plain, horizon, 0)
                waiting = [d.day for d in order_days(plain, 5_000, 0) if d.day > horizon]
                want = features_of(days, HALF_LIFE), min(waiting, default=None)
                assert features_at(row, HALF_LIFE, horizon) == want
                assert features_at(store.load(), HALF_LIFE, horizon) == want


@given(st.data())
def test_a_short_row_s_bytes_forget_the_order_of_arrival(data):
    """The same images in any order give the same bytes, as long as a ledger lies in one row."""
    journal = data.draw(
        st.lists(st.one_of(IMAGES, IMAGES, ERASURES), unique_by=lambda image: image[:3])
    )
    journal = list({(image[1], image[2]): image for image in journal}.values())
    stored = []
    for images in (journal, data.draw(st.permutations(journal + journal[::2]))):
        row = Row()
        for image in images:
            put(row, image)
        stored.append(dump(CLIENT, row))
    assert stored[0] == stored[1]


def grown(orders: int) -> tuple[Store, Row]:
    """A client with so many orders, one a day from day 0 on, stored."""
    store, row = Store(), Row()
    for number in range(orders):
        put(row, ("order", number * 10, number + 1, number, 1_000))
    store.keep(dump(CLIENT, row))
    return store, row


def test_a_long_ledger_writes_one_segment_an_event():
    """At 5,000 orders an event writes the head and one segment: a new order, or an old one's."""
    store, row = grown(5_000)
    assert row.long
    assert len(row.directory) // 3 == 20
    version = 5_001
    for order_id in (50_000, 24_990, 3, 49_990):
        put(row, ("order", order_id, version, 700, 500))
        version += 1
        written = dump(CLIENT, row)
        assert len(written) <= 3, "a split writes two"
        assert sum(len(value or b"") for value in written.values()) < 12_000
        store.keep(written)
    agree(store.load().ledger, row.ledger)


def test_orders_in_the_order_of_their_ids_leave_full_segments():
    """A ledger that grows at its end splits off a new segment, and leaves the old one full."""
    store, row = grown(512)
    put(row, ("order", 99_999, 9_999, 1, 100))
    store.keep(dump(CLIENT, row))
    assert row.directory[2::3] == [256, 256, 1]


def test_an_erased_long_ledger_leaves_no_segment():
    """Erasure deletes every segment; what comes after begins inline."""
    store, row = grown(1_000)
    put(row, ("erasure", 0, 1_000, 0, 0))
    written = dump(CLIENT, row)
    assert [key for key, value in written.items() if value is not None] == [head_key(CLIENT)]
    store.keep(written)
    assert list(store.rows) == [head_key(CLIENT)]
    assert not row.long
    put(row, ("order", 5, 2_000, 3, 100))
    store.keep(dump(CLIENT, row))
    assert store.load().ledger.orders == {5: entry_of_order(2_000, 3, 100, "paid")}


def test_an_erasure_that_leaves_much_cuts_anew():
    """Orders above an erasure's version stay, in as many segments as they need."""
    store, row = grown(2_000)
    put(row, ("erasure", 0, 1_000, 0, 0))
    store.keep(dump(CLIENT, row), cut_anew=True)
    assert len(store.load().ledger.orders) == 1_000
    assert len(store.rows) == 1 + 4


def test_a_missing_segment_is_an_error():
    """A head without one of its segments is a broken store, never an empty ledger."""
    store, _ = grown(1_000)
    del store.rows[b"42/2"]
    with pytest.raises(LookupError):
        store.load()


def test_the_head_reads_without_the_ledger():
    """The due-index is rebuilt from the first fields of the head."""
    store, row = grown(1_000)
    row.due, row.policy = 17, 3
    store.keep(dump(CLIENT, row))
    head = decode_head(store.rows[head_key(CLIENT)])
    assert (head.due, head.policy) == (17, 3)


def test_keys_tell_what_they_hold():
    """Heads are digits; segments and the partition's own rows are not."""
    assert [is_head(key) for key in (b"42", b"42/0", b"!policy")] == [True, False, False]


def test_the_greatest_versions_fit():
    """Versions and ids up to 2**63 - 1 are stored as they are."""
    top = 2**63 - 1
    row = Row()
    merge_order(row, top, top, removed=True, day=NEVER, cents=0)
    store = Store()
    store.keep(dump(CLIENT, row))
    assert store.load().ledger.orders == {top: entry_of_removal(top)}
