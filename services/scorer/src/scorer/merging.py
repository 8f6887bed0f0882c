"""Pure: one image into one row, by version; the merge of ``common.score.ledger`` on rows."""

import msgspec

from common.score.ledger import MERGED_KEPT
from scorer.orders import ByDay
from scorer.rows import Row, pairs_of

_encode = msgspec.json.Encoder().encode


def merge_order(
    row: Row, order_id: int, version: int, *, removed: bool, day: int, cents: int
) -> bool:
    """Merge one image of an order; return whether it was news. As ``Ledger.merge_order``.

    An order that does not count, and a removal, has 0 cents, and the day NEVER.
    """
    if version <= row.erased_version:
        return False
    stamp = version << 1 | removed
    segments = row.segments if row.directory else None
    if segments is None:
        newer = row.orders.merge(order_id, stamp, day, cents)
    else:
        newer = segments.merge(order_id, stamp, day, cents)
    return _note(row, b'["order/%d",%d]' % (order_id, version), version) or newer


def merge_client(row: Row, version: int) -> bool:
    """Note one image of the client's own row; return whether it was news."""
    if version <= row.erased_version:
        return False
    row.client_version = max(row.client_version, version)
    return _note(row, b'["client",%d]' % version, version)


def erase(row: Row, version: int) -> bool:
    """Forget every image up to ``version``; later ones belong to a re-created client.

    What is left of a long ledger lies inline until ``rows.dump`` cuts it anew.
    """
    if version <= row.erased_version:
        return False
    row.erased_version = version
    kept = ByDay()
    for part in row.parts():
        kept.extend(part, above=version << 1 | 1)
    kept.sort(kept.days)
    row.orders, row.segments = kept, None
    row.merged = _joined([pair for pair in pairs_of(row.merged) if pair[1] > version])
    if row.client_version <= version:
        row.client_version = 0
    row.version = max(row.version, version)
    return True


def _note(row: Row, pair: bytes, version: int) -> bool:
    """Note a merged version among the newest; return whether that changed them."""
    merged = row.merged
    if version > row.version:
        row.version = version
        if merged:
            merged = merged + b"," + pair
            # One bracket opens each pair.
            if merged.count(b"[") > MERGED_KEPT:
                merged = merged[merged.index(b",[") + 1 :]
        else:
            merged = pair
        row.merged = merged
        return True
    if pair in merged:
        return False
    pairs = pairs_of(b"%b,%b" % (merged, pair) if merged else pair)
    pairs.sort(key=lambda noted: (noted[1], noted[0]))
    row.merged = _joined(pairs[-MERGED_KEPT:])
    return row.merged != merged


def _joined(pairs: list[tuple[str, int]]) -> bytes:
    return _encode(pairs)[1:-1]
