"""The remembered calendar gives the day that the time zone gives, everywhere and always."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.clock import day_of
from common.score import calendar
from common.score.calendar import Calendar, calendar_of

ZONES = [
    UTC,
    timezone(timedelta(hours=-9, minutes=-30, seconds=-7)),
    *map(
        ZoneInfo,
        [
            "Europe/Berlin",
            "Europe/Amsterdam",  # odd seconds before 1937
            "America/New_York",
            "Asia/Kolkata",
            "Australia/Lord_Howe",  # half an hour of daylight saving
            "Pacific/Apia",  # left a whole day out in 2011
            "America/Sao_Paulo",  # changed its clocks at midnight
            "Africa/Monrovia",  # odd seconds until 1972
        ],
    ),
]
OFFSETS = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-11))])


@given(st.sampled_from(ZONES), st.lists(st.datetimes(timezones=OFFSETS), max_size=20))
@example(ZONES[2], [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@example(ZONES[7], [datetime(9999, 12, 31, 23, 59, 59, 999_999, timezone(timedelta(hours=-14)))])
@example(ZONES[4], [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))])
def test_it_agrees_with_the_time_zone(zone, moments):
    """Any moment a datetime can hold, at any offset, falls on the day of ``clock.day_of``."""
    days = Calendar(zone)
    for moment in moments + moments:
        assert days.day(moment) == day_of(moment, zone)


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("year", [1900, 1936, 1971, 2011, 2026])
def test_it_agrees_around_every_midnight(zone, year):
    """Through a year, a microsecond before and after each quarter around midnight agree."""
    days = Calendar(zone)
    begin = datetime(year, 1, 1, tzinfo=UTC)
    for hour in range(0, 366 * 24, 7):
        for minutes in (0, 15, 44):
            moment = begin + timedelta(hours=hour, minutes=minutes)
            for near in (moment - timedelta(microseconds=1), moment):
                assert days.day(near) == day_of(near, zone)


def test_it_forgets_before_it_grows_without_end(monkeypatch):
    """However many years orders span, no more than a bounded number of quarters is kept."""
    monkeypatch.setattr(calendar, "QUARTERS_KEPT", 10)
    days = Calendar(UTC)
    for hour in range(100):
        days.day(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour))
    assert len(days._day_in) <= 10


def test_a_time_zone_has_one_calendar():
    """What one event taught is known to the next."""
    assert calendar_of(ZONES[2]) is calendar_of(ZoneInfo("Europe/Berlin"))
