"""Pure: the stored form of one client: a head row, and segments where its ledger is very long.

The row is the merge of ``common.score.ledger`` laid out for speed: orders in columns by id, and the
newest merged versions as the JSON in which every score carries them. A property test holds the two
against each other.
"""

from collections.abc import Callable, Iterator

import msgspec

from common.score.ledger import Entry, Ledger
from scorer.orders import ByDay, Columns
from scorer.segments import Segments

INLINE_ORDERS_MAX = 128
"""Orders that a head row holds itself: some 2 kB."""


class Row(msgspec.Struct, array_like=True, dict=True):
    """All that is remembered of one client; ``due`` and ``policy`` stand first, for RowHead."""

    due: int | None = None
    """The next business day on which a tick has something to do here."""
    policy: int = 0
    """The version of the policy of the last assessment; 0 before the first."""
    day: int | None = None
    """The business day of the last assessment."""
    last_day: int | None = None
    """The last counted order-day at the last assessment: it names the episode of this silence."""
    crossing_day: int | None = None
    """The first day at risk, as of the last assessment."""
    open: bool = False
    """Whether the episode of this silence was opened and not closed since."""
    erased_version: int = 0
    version: int = 0
    """The highest version merged."""
    client_version: int = 0
    """The newest image of the client's own row, if any came since it was erased."""
    merged: bytes = b""
    """The newest (entity, version) pairs merged: JSON arrays joined by commas, oldest first."""
    orders: ByDay = msgspec.field(default_factory=ByDay)
    """All orders, or none where they lie in segments."""
    directory: list[int] = []
    """Number, first order id and number of orders of each segment, as of the last ``dump``."""

    @property
    def segments(self) -> Segments | None:
        """The decoded segments of a long ledger."""
        found: Segments | None = self.__dict__.get("segments_")
        return found

    @segments.setter
    def segments(self, segments: Segments | None) -> None:
        self.__dict__["segments_"] = segments

    @property
    def long(self) -> bool:
        """Whether the ledger lies in segments; such a row is worth keeping decoded."""
        return bool(self.directory)

    def parts(self) -> Iterator[Columns]:
        """Iterate over the orders, by id, in one part or many."""
        segments = self.segments
        return iter((self.orders,)) if segments is None else segments.orders()

    @property
    def erased(self) -> bool:
        """Whether the client was erased and not created again since; as ``Ledger.erased``."""
        return (
            self.erased_version > 0
            and self.client_version == 0
            and all(stamp & 1 for part in self.parts() for stamp in part.stamps)
        )

    @property
    def ledger(self) -> Ledger:
        """The ledger as ``common.score.ledger`` has it; orders that do not count lack details."""
        return Ledger(
            orders={
                order_id: Entry(stamp >> 1, bool(stamp & 1), day if cents else 0, cents, cents > 0)
                for part in self.parts()
                for order_id, stamp, day, cents in zip(
                    part.ids, part.stamps, part.days, part.cents, strict=True
                )
            },
            erased_version=self.erased_version,
            version=self.version,
            merged=pairs_of(self.merged),
            client_version=self.client_version,
        )


class RowHead(msgspec.Struct, array_like=True):
    """The first fields of a row: enough to rebuild the due-index without reading ledgers."""

    due: int | None = None
    policy: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Row).decode
decode_head = msgspec.msgpack.Decoder(RowHead).decode
_decode_pairs = msgspec.json.Decoder(list[tuple[str, int]]).decode


def pairs_of(merged: bytes) -> list[tuple[str, int]]:
    """Return the (entity, version) pairs of a row's ``merged``."""
    return _decode_pairs(b"[%b]" % merged)


def head_key(client_id: int) -> bytes:
    """Return the key of a client's head row, score and episodes."""
    return b"%d" % client_id


def segment_key(client_id: int, number: int) -> bytes:
    """Return the key of one segment of a client's long ledger."""
    return b"%d/%d" % (client_id, number)


def is_head(key: bytes) -> bool:
    """Whether a key names a client's head row: no segment, and nothing of the partition's own."""
    return key.isdigit()


def load(client_id: int, head: bytes | None, read: Callable[[bytes], bytes | None]) -> Row:
    """Return a client's row from its head's bytes, or a new one; ``read`` fetches segments.

    Raises LookupError when a segment is missing.
    """
    if head is None:
        return Row()
    row = _decode(head)
    if row.directory:
        row.segments = Segments.load(row.directory, lambda n: read(segment_key(client_id, n)))
    return row


def dump(client_id: int, row: Row) -> dict[bytes, bytes | None]:
    """Return what is to be stored of a changed row: its head, and the segments that changed.

    None stands for a segment to be deleted. All of it must be written at once or not at all.
    """
    key = head_key(client_id)
    if not row.directory and len(row.orders.ids) <= INLINE_ORDERS_MAX:
        return {key: _encode(row)}
    gone = set(row.directory[::3])
    segments = row.segments
    if len(row.orders.ids) > INLINE_ORDERS_MAX:
        row.segments = segments = Segments.cut(row.orders)
        row.orders = ByDay()
    written: dict[bytes, bytes | None] = {}
    row.directory = []
    if segments is not None:
        row.directory = segments.directory()
        gone -= segments.numbers()
        for number, value in segments.taken().items():
            written[segment_key(client_id, number)] = value
    for number in sorted(gone):
        written[segment_key(client_id, number)] = None
    written[key] = _encode(row)
    return written
