"""How long a reply asks us to wait: untrusted, so finite, never negative, and bounded."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from mailer.episodes.rules import RETRY_AFTER_MAX_S

TOO_MANY = 429
MILLISECONDS_FROM = 1e11
"""An epoch above this is in milliseconds: in seconds it would lie beyond the year 5000."""


def seconds(value: Any) -> float | None:
    """Return a wait in seconds, at most RETRY_AFTER_MAX_S; None for what is no such number."""
    if type(value) not in (int, float) or not value >= 0:
        return None
    return float(min(value, RETRY_AFTER_MAX_S))


def asked_in(
    status: int, headers: Mapping[str, str], now: Callable[[], float] = time.time
) -> float | None:
    """Return the wait in seconds that a reply's headers ask for; names are in lower case.

    `Retry-After` is seconds, or a date as HTTP has it (what stands before OpenRouter may send one).
    OpenRouter's own 429 has `X-RateLimit-Reset` instead: when the limit ends, in Unix milliseconds.
    """
    after = headers.get("retry-after")
    if after is not None:
        return _after(after.strip(), now)
    reset = _number(headers.get("x-ratelimit-reset", "")) if status == TOO_MANY else None
    if reset is None or reset <= 0:
        return None
    epoch = reset / 1000 if reset > MILLISECONDS_FROM else reset
    return seconds(max(0.0, epoch - now()))


def _after(text: str, now: Callable[[], float]) -> float | None:
    number = _number(text)
    if number is not None:
        return seconds(number)
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return seconds(max(0.0, aware.timestamp() - now()))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
