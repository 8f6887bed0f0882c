"""When an email must wait: quiet hours by every clock on earth, and the frequency cap."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from common.clock import EPOCH
from common.policy import EmailRules, QuietHours, ShopPolicy
from mailer.episodes.deferral import (
    NEVER,
    NO_ZONE,
    QUIET,
    Circumstances,
    Hindrance,
    Until,
    capped,
    held_back,
    quiet_until,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
SECONDS = st.integers(10**8, 27 * 10**8)
MOMENTS = SECONDS.map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
NIGHT = QuietHours(begin=time(21), end=time(8))
DAY = timedelta(days=1)


@st.composite
def spans(draw):
    """Quiet hours of any length, over midnight or not."""
    begin, end = draw(st.times()), draw(st.times())
    assume(begin != end)
    return QuietHours(begin=begin, end=end)


def reads_quiet(moment, zone, hours):
    """Whether a clock on the wall shows an hour that is quiet."""
    shown = moment.astimezone(zone).time()
    if hours.begin < hours.end:
        return hours.begin <= shown < hours.end
    return shown >= hours.begin or shown < hours.end


def changes_nearby(moment, zone):
    """Whether the clock is put back or forward within three days."""
    offsets = {(moment + n * DAY / 4).astimezone(zone).utcoffset() for n in range(-12, 13)}
    return len(offsets) > 1


@given(MOMENTS, ZONES, spans())
@example(datetime(2026, 3, 29, 0, 59, tzinfo=UTC), BERLIN, NIGHT)
@example(datetime(2011, 12, 30, 9, 0, tzinfo=UTC), ZoneInfo("Pacific/Apia"), NIGHT)
def test_no_clock_that_shows_a_quiet_hour_is_overheard(moment, zone, hours):
    """Whenever the client's clock shows a quiet hour, it is quiet, whatever the law does to it."""
    if reads_quiet(moment, zone, hours):
        assert quiet_until(moment, zone, hours) is not None


@given(MOMENTS, ZONES, spans())
def test_without_a_change_of_the_clock_the_hours_are_exact(moment, zone, hours):
    """Far from any change it is quiet exactly while the clock says so, until it shows the end."""
    assume(not changes_nearby(moment, zone))
    end = quiet_until(moment, zone, hours)
    assert (end is not None) == reads_quiet(moment, zone, hours)
    if end is not None:
        assert end.astimezone(zone).time() == hours.end
        assert moment < end <= moment + DAY


@given(MOMENTS, ZONES, spans(), st.floats(0, 1))
def test_quiet_lasts_until_its_end_and_no_longer(moment, zone, hours, share):
    """At the end it is quiet no more; at every moment before, the end is the same."""
    end = quiet_until(moment, zone, hours)
    assume(end is not None)
    assert end > moment
    assert quiet_until(end, zone, hours) is None
    last = end - timedelta.resolution
    assert quiet_until(min(last, moment + (end - moment) * share), zone, hours) == end


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-01-10T20:59", None),
        ("2026-01-10T21:00", "2026-01-11T08:00"),
        ("2026-01-11T07:59", "2026-01-11T08:00"),
        ("2026-01-11T08:00", None),
        ("2026-03-28T23:00", "2026-03-29T08:00"),
        ("2026-10-24T23:00", "2026-10-25T08:00"),
    ],
)
def test_a_night_in_berlin(moment, end):
    """From nine to eight by the client's clock, in the nights too in which it is changed."""
    found = quiet_until(datetime.fromisoformat(moment).replace(tzinfo=BERLIN), BERLIN, NIGHT)
    expected = None if end is None else datetime.fromisoformat(end).replace(tzinfo=BERLIN)
    assert found == expected


@pytest.mark.parametrize("day", ["2026-10-25", "2026-03-29"])
def test_an_end_that_comes_twice_or_never_is_the_later_one(day):
    """Half past two comes twice in autumn and never in spring: it is quiet until the later one."""
    hours = QuietHours(begin=time(1), end=time(2, 30))
    start = datetime.fromisoformat(f"{day}T01:30").replace(tzinfo=BERLIN)
    readings = [
        datetime.fromisoformat(f"{day}T02:30").replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)
        for fold in (0, 1)
    ]
    assert quiet_until(start, BERLIN, hours) == max(readings)


NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
TODAY = (NOW.date() - EPOCH).days


def shop(**emails):
    """A policy under which clients lapse after 180 days."""
    return ShopPolicy(emails=EmailRules(**emails))


def of(*, silent=60, last_email=None, zone="UTC"):
    """A client who is silent for so many days."""
    return Circumstances(zone, TODAY - silent, last_email)


def test_nothing_is_in_the_way_of_a_first_email_by_day():
    """Without another email and outside of quiet hours, an email may go on."""
    assert held_back(of(), shop(quiet_hours=NIGHT), NOW, UTC) is None
    assert held_back(of(last_email=NOW - 31 * DAY), shop(), NOW, UTC) is None
    assert held_back(of(last_email=NOW), shop(cap_days=0), NOW, UTC) is None


@given(st.timedeltas(-400 * DAY, 400 * DAY), st.integers(0, 365), st.integers(0, 180))
def test_the_cap_passes_exactly_then(ago, cap_days, silent):
    """A client waits until the cap's last moment, or for ever where it lapses before."""
    last = NOW - ago
    found = capped(of(silent=silent, last_email=last), shop(cap_days=cap_days), NOW, UTC)
    end = last + cap_days * DAY
    lapses = (end.date() - EPOCH).days > TODAY - silent + 180
    if end <= NOW:
        assert found is None
    elif lapses:
        assert found == Hindrance("suppressed", NEVER)
    else:
        assert isinstance(found, Until)
        assert found.moment == end


def test_the_lapse_is_by_the_shops_days():
    """A cap that ends on the last day before the lapse waits; a day later it never passes."""
    end = datetime.combine(date(2026, 5, 20), time(23, 30), UTC)
    case = Circumstances("UTC", (end.date() - EPOCH).days - 180, end - 30 * DAY)
    assert capped(case, shop(), NOW, UTC) == Until("frequency cap: one email in 30 days", end)
    assert capped(case, shop(), NOW, BERLIN) == Hindrance("suppressed", NEVER)


def test_quiet_hours_are_the_clients_own():
    """Noon in London is night in Auckland."""
    rules = shop(quiet_hours=NIGHT)
    assert held_back(of(zone="Europe/London"), rules, NOW, UTC) is None
    found = held_back(of(zone="Pacific/Auckland"), rules, NOW, UTC)
    assert found == Until(QUIET, datetime(2026, 5, 10, 20, tzinfo=UTC))


def test_a_cap_that_ends_at_night_lasts_until_morning():
    """Both rules hold at once: nobody is written to at the minute in which a cap ends."""
    last = NOW - 20 * DAY + timedelta(hours=11)
    found = held_back(of(last_email=last), shop(quiet_hours=NIGHT), NOW, UTC)
    assert found == Until(
        "frequency cap: one email in 30 days", datetime(2026, 5, 21, 8, tzinfo=UTC)
    )


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "/etc/passwd", "a\x00b"])
def test_an_unknown_zone_waits_and_says_so(zone):
    """Where nobody knows what time it is, no email goes on: it is looked at again a day later."""
    found = held_back(of(zone=zone), shop(quiet_hours=NIGHT), NOW, UTC)
    assert found == Until(NO_ZONE, NOW + DAY)
    assert held_back(of(zone=zone), shop(), NOW, UTC) is None


@given(MOMENTS, MOMENTS, ZONES, spans(), st.integers(0, 60))
def test_who_waited_may_go_on(now, last_email, zone, hours, cap_days):
    """At the end of a wait nothing is in the way any more, unless another email came."""
    rules = shop(cap_days=cap_days, quiet_hours=hours)
    last_day = (now.date() - EPOCH).days
    case = Circumstances(zone.key, last_day, min(last_email, now))
    found = held_back(case, rules, now, UTC)
    if isinstance(found, Until):
        assert found.moment > now
        assert held_back(case, rules, found.moment, UTC) is None
