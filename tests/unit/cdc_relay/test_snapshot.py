"""When a snapshot is said to run, and when to be over."""

import pytest

from cdc_relay.snapshot import (
    Meaning,
    SnapshotWatch,
    beginning,
    notification,
    snapshot_state,
)
from common.codec import decode
from common.errors import PoisonMessage
from tests.unit.cdc_relay.recorded import envelope, raw

AT = ("cdc.public.orders", 0)


def told(name):
    """Return the recorded notification called ``name``."""
    return notification(raw(envelope(name)) or b"")


def active(state):
    """Return what a state says."""
    return decode(state).data.active


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("snapshot started", Meaning.BEGINS),
        ("snapshot table done", Meaning.NOTHING),
        ("snapshot completed", Meaning.OVER),
        ("snapshot skipped", Meaning.OVER),
    ],
)
def test_recorded_notifications_mean_what_they_should(name, meaning):
    """Start raises, completion and skipping clear, progress does nothing."""
    assert told(name).meaning is meaning


@pytest.mark.parametrize("state", ["STARTED", "COMPLETED", "ABORTED", "IN_PROGRESS"])
def test_incremental_snapshots_raise_and_clear_nothing(state):
    """They run beside live changes and hold nobody back."""
    value = {**envelope("snapshot completed"), "aggregate_type": "Incremental Snapshot"}
    assert notification(raw({**value, "type": state}) or b"").meaning is Meaning.NOTHING


def test_a_beginning_of_our_own_reads_as_one_of_debeziums():
    """What the connector command notes is heard as the start of a snapshot."""
    assert notification(beginning("connector-1", 5)).meaning is Meaning.BEGINS


def test_a_snapshot_that_broke_off_stays_raised():
    """ABORTED clears nothing: Debezium starts the snapshot anew."""
    value = {**envelope("snapshot completed"), "type": "ABORTED"}
    assert notification(raw(value) or b"").meaning is Meaning.NOTHING


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]", b'{"id":1}'])
def test_a_notification_of_unknown_shape_is_poison(junk):
    """What cannot be read is parked, as any record."""
    with pytest.raises(PoisonMessage):
        notification(junk)


def test_the_end_is_passed_on_when_all_ends_are_passed():
    """Over means: everything that stood on the raw topics at that moment was committed."""
    watch = SnapshotWatch()
    assert watch.hear(told("snapshot completed"), 12, lambda: {AT: 10}) is None
    assert watch.passed({AT: 9}) is None
    assert watch.passed({}) is None
    state = watch.passed({AT: 10})
    assert state is not None
    assert not active(state)
    assert watch.passed({AT: 11}) is None


def test_the_notification_counts_as_unread_until_it_was_passed_on():
    """A restart in between hears it again."""
    watch = SnapshotWatch()
    assert watch.held_back(5) == 5
    watch.hear(told("snapshot completed"), 12, lambda: {AT: 10})
    assert watch.held_back(13) == 12
    assert watch.held_back(20) == 12
    watch.passed({AT: 10})
    assert watch.held_back(20) == 20


def test_a_new_start_takes_back_an_end_not_yet_passed_on():
    """The end of a former snapshot must not clear what a new one raised."""
    watch = SnapshotWatch()
    watch.hear(told("snapshot completed"), 12, lambda: {AT: 10})
    state = watch.hear(told("snapshot started"), 13, lambda: {AT: 10})
    assert state is not None
    assert active(state)
    assert watch.passed({AT: 99}) is None


def test_going_back_forgets_what_will_be_heard_again():
    """After an abort nothing is passed on before it is heard again."""
    watch = SnapshotWatch()
    watch.hear(told("snapshot skipped"), 14, dict)
    watch.forget()
    assert watch.passed({}) is None


def test_the_same_cause_makes_the_same_event():
    """A repeated announcement is a duplicate by its id, not a new fact."""
    first = snapshot_state(active=True, cause="x", ts_ms=5)
    assert decode(first).id == decode(snapshot_state(active=True, cause="x", ts_ms=5)).id
