"""A removal waits for writers that began before it: what they bring back must not be removed."""

import pytest

from engage import gone
from engage.frame import Failed
from engage.postgres import connect
from tests.servers import Database


def test_the_newest_writer_is_waited_for_until_it_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """No transaction that began after it has ended: a snapshot alone does not tell of it."""
    monkeypatch.setattr(gone, "OPEN_LIMIT_S", 0.5)
    with connect(database.admin_url) as writer, connect(database.engage_url) as reader:
        writer.value("BEGIN")
        writer.value("INSERT INTO clients (id, first_name) VALUES (7, 'Ada')")
        with pytest.raises(Failed, match="open"):
            gone.wait_for_writers(reader)
        writer.value("COMMIT")
        gone.wait_for_writers(reader)
