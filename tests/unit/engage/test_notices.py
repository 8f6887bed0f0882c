"""What Debezium tells of a backfill, in its own form; what it tells of other things is passed."""

import json

import pytest

from engage.notices import parse

DONE = {
    "id": "6f1a",
    "aggregate_type": "Incremental Snapshot",
    "type": "TABLE_SCAN_COMPLETED",
    "additional_data": {
        "connector_name": "cdc",
        "data_collections": "public.orders",
        "total_rows_scanned": "1000",
        "status": "SUCCEEDED",
    },
    "timestamp": 1795415556196,
}


def test_a_notice_names_its_signal_state_and_outcome():
    """So a backfill is followed by its own id, and a table that failed is seen."""
    notice = parse(json.dumps(DONE).encode())
    assert notice is not None
    assert (notice.id, notice.state, notice.status) == (
        "6f1a",
        "TABLE_SCAN_COMPLETED",
        "SUCCEEDED",
    )


@pytest.mark.parametrize(
    "raw",
    [None, b"{broken", b"[]", json.dumps({**DONE, "aggregate_type": "Initial Snapshot"}).encode()],
)
def test_what_is_no_notice_of_a_backfill_is_passed_over(raw: bytes | None):
    """The first snapshot is the relay's affair, and broken ones are parked by it."""
    assert parse(raw) is None
