"""The business clock is shared by file, continuous for its readers, and never guesses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import REAL_TIME, Anchor, BusinessClock, date_of, day_of, write_anchor
from common.errors import Misconfigured

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_without_a_file_business_time_is_wall_time():
    """Production runs in real time."""
    before = datetime.now(UTC)
    assert before <= BusinessClock().now() <= datetime.now(UTC)


def test_a_replaced_file_takes_effect_at_once(tmp_path):
    """A running process follows a new anchor without a restart."""
    file = tmp_path / "clock.json"
    write_anchor(file, REAL_TIME)
    clock = BusinessClock(file)
    write_anchor(file, Anchor(NOON, NOON + timedelta(days=100), 86_400))
    assert clock.at(NOON + timedelta(seconds=2)) == NOON + timedelta(days=102)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"wall":"x","business":"y","rate":1}'])
def test_a_broken_file_is_refused(tmp_path, text):
    """A clock file that holds no anchor stops the service instead of giving some time."""
    file = tmp_path / "clock.json"
    file.write_text(text)
    with pytest.raises(Misconfigured):
        BusinessClock(file)


def test_a_missing_file_is_refused(tmp_path):
    """A clock file that is set but absent stops the service."""
    with pytest.raises(Misconfigured):
        BusinessClock(tmp_path / "none.json")


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(["UTC", "Pacific/Auckland"]))
def test_every_moment_has_a_day(moment, zone):
    """Days are calendar days of the shop's zone, for every moment a datetime can hold."""
    day = day_of(moment, ZoneInfo(zone))
    assert abs((date_of(day) - moment.date()).days) <= 1


def test_the_day_is_the_shops():
    """An order at noon UTC on Sunday is Monday's in Auckland."""
    assert day_of(NOON, ZoneInfo("Pacific/Auckland")) == day_of(NOON, UTC) + 1
