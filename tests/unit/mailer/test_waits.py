"""Waits that replies ask for are finite, not negative and bounded, whatever the reply says."""

from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from mailer.episodes.rules import RETRY_AFTER_MAX_S
from mailer.model.waits import asked_in, seconds

NOW = 1_800_000_000.0


@given(st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none()))
def test_any_value_is_a_bounded_wait_or_none(value):
    """Whatever stands in a reply, what comes out is a wait or nothing."""
    found = seconds(value)
    assert found is None or (isfinite(found) and 0 <= found <= RETRY_AFTER_MAX_S)


@given(st.sampled_from(["retry-after", "x-ratelimit-reset"]), st.text())
def test_any_header_is_a_bounded_wait_or_none(name, text):
    """The same holds for headers."""
    found = asked_in(429, {name: text}, lambda: NOW)
    assert found is None or (isfinite(found) and 0 <= found <= RETRY_AFTER_MAX_S)


def test_seconds_dates_and_resets_are_read():
    """Seconds are waited, dates are waited for, and so are resets in seconds or milliseconds."""
    assert asked_in(429, {"retry-after": " 7 "}) == 7
    assert asked_in(429, {"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, lambda: NOW) == 30
    assert asked_in(429, {"x-ratelimit-reset": str(int((NOW + 20) * 1000))}, lambda: NOW) == 20
    assert asked_in(429, {"x-ratelimit-reset": str(int(NOW + 20))}, lambda: NOW) == 20
    assert asked_in(429, {"retry-after": "3", "x-ratelimit-reset": str(NOW + 20)}, lambda: NOW) == 3
    assert asked_in(429, {}) is None
    assert asked_in(402, {"x-ratelimit-reset": str(NOW + 20)}, lambda: NOW) is None
