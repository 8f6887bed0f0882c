"""Budgets as pure functions: whether another call fits, and how long until one does.

All mailers count from one log of calls in Postgres; ``grants.py`` asks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from mailer.model.listing import Price
from mailer.words.prompt import Messages

MINUTE_S = 60.0
GRANT_S = 1.0
"""A granted call begins within so long of the moment at which it was counted, or not at all."""
TRAVEL_S = 2.0
"""What is allowed for a request's way to the model's door."""
WINDOW_S = MINUTE_S + GRANT_S + TRAVEL_S
"""Calls are counted when they are granted, and the door counts them when they arrive, up to
GRANT_S + TRAVEL_S later: what arrives in one minute was granted within this time."""

BYTES_PER_TOKEN = 3
"""Fewer than any usual tokenizer puts into a token of English, so the estimate is high."""
TOKENS_AROUND = 100
"""What roles, separators and the schema may add."""


class Need(NamedTuple):
    """What one call may use at most."""

    tokens: int
    usd: Decimal


class Spent(NamedTuple):
    """No call fits into what is left; one may in ``wait_s`` seconds."""

    reason: str
    wait_s: float
    lasting: bool
    """Whether people should see it in readiness: it is not over within a minute."""


class Past(NamedTuple):
    """A counted call: how many seconds ago it was granted, and the tokens it used or may use."""

    age_s: float
    tokens: int


@dataclass(frozen=True)
class Limits:
    """What all mailers together may use; None for no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    cost_per_day_usd: Decimal | None = None

    @property
    def any(self) -> bool:
        """Whether there is any limit."""
        return self != Limits()


def need_of(messages: Messages, completion_tokens: int, price: Price | None) -> Need:
    """Return what a call may use at most; it costs nothing where no price is asked for."""
    size = sum(len(message["content"].encode()) for message in messages)
    prompt_tokens = size // BYTES_PER_TOKEN + TOKENS_AROUND
    usd = Decimal(0)
    if price is not None:
        dollars = prompt_tokens * price.prompt + completion_tokens * price.completion
        usd = Decimal(str(dollars + price.request))
    return Need(prompt_tokens + completion_tokens, usd)


def minute_left(limits: Limits, calls: Sequence[Past], need: Need) -> int | Spent:
    """Return how many calls of ``need`` fit now beside those of the last WINDOW_S, or Spent."""
    fits = [
        limit // each
        for limit, each in (
            (_left(limits.requests_per_minute, len(calls)), 1),
            (_left(limits.tokens_per_minute, sum(c.tokens for c in calls)), need.tokens),
        )
        if limit is not None
    ]
    if not fits:
        return NO_LIMIT
    if min(fits) > 0:
        return min(fits)
    return _spent(limits, sorted(calls, reverse=True), need)


NO_LIMIT = 1_000_000
"""More calls than any mailer makes at once."""


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _spent(limits: Limits, oldest_first: list[Past], need: Need) -> Spent:
    """Say when enough of the oldest calls will have left the window."""
    count, tokens = len(oldest_first), sum(c.tokens for c in oldest_first)
    requests_max, tokens_max = limits.requests_per_minute, limits.tokens_per_minute
    short_of_requests = requests_max is not None and count >= requests_max
    reason = (
        f"{requests_max} requests a minute are used up"
        if short_of_requests
        else f"{tokens_max} tokens a minute are used up"
    )
    for call in oldest_first:
        count, tokens = count - 1, tokens - call.tokens
        enough = (requests_max is None or count < requests_max) and (
            tokens_max is None or tokens + need.tokens <= tokens_max
        )
        if enough:
            return Spent(reason, max(0.0, WINDOW_S - call.age_s), lasting=False)
    return Spent(f"one call may need more than {tokens_max} tokens", MINUTE_S, lasting=True)


def day_left(limit: Decimal, spent: Decimal, need: Need, until_midnight_s: float) -> int | Spent:
    """Return how many calls of ``need`` fit into the rest of the day's cost, or Spent."""
    if need.usd <= 0:
        return NO_LIMIT if spent < limit else _day_spent(limit, until_midnight_s)
    fits = int((limit - spent) // need.usd)
    return min(fits, NO_LIMIT) if fits > 0 else _day_spent(limit, until_midnight_s)


def _day_spent(limit: Decimal, until_midnight_s: float) -> Spent:
    return Spent(f"the day's {limit:f} USD are spent", max(0.0, until_midnight_s), lasting=True)
