"""The parts of the shims that need no broker: the version guard, the live view, the store."""

import pytest
from faust.types import TP

from common.errors import Misconfigured
from scorer.shims import versions
from scorer.shims.reading import Wanted
from scorer.shims.rows import RowStore


def test_the_installed_versions_are_the_ones_the_shims_were_written_for():
    """The guard lets the locked versions pass."""
    versions.require_versions()


def test_another_version_of_faust_is_refused(monkeypatch):
    """With an insides-changing upgrade the scorer says so instead of starting."""
    monkeypatch.setitem(versions.WRITTEN_FOR, "faust-streaming", "0.15.2")
    with pytest.raises(Misconfigured, match=r"written for faust-streaming 0\.15\.2"):
        versions.require_versions()


def test_the_wanted_partitions_follow_every_pause():
    """A fetch that waits sees a pause at once, and an empty set never means all."""
    one, two = TP("client.events", 0), TP("client.events.backfill", 0)
    active = {one, two}
    wanted = Wanted(active, ["client.events"])
    assert (one in wanted, two in wanted) == (True, False)
    active.clear()
    assert one not in wanted
    assert bool(wanted)


@pytest.mark.parametrize("way", ["_set", "_del"])
def test_rows_cannot_be_written_without_naming_their_partition(way):
    """The table's own way of writing, to the partition of whatever event is at hand, is closed."""
    store = RowStore.__new__(RowStore)
    with pytest.raises(NotImplementedError):
        getattr(store, way)(*((b"7", b"row") if way == "_set" else (b"7",)))
