"""The SQL statements of the daily figures: the projector counts them, the overview reads them.

Counting takes passes over whole tables, about a second for a million clients; so it is done once
for everybody, and never by a request.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, get_args

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.store import effect
from client_api.store.effect import Arms
from common.effect import Arm
from common.episodes import EpisodeState
from common.policy import EmailRules
from common.score.ledger import COUNTING_STATUSES
from common.score.model import EXPONENT_MAX, State
from common.score.policy import Policy

FRAME = """
    SELECT v.as_of, coalesce((SELECT CAST(document #>> '{emails,effect_days}' AS int)
                              FROM policies ORDER BY id DESC LIMIT 1), :days) AS days
    FROM score_serving v
"""
CLIENTS_BY_STATE = "SELECT state, count(*) AS number FROM scores WHERE as_of = :day GROUP BY state"
CLIENTS = "SELECT count(*) FROM clients"
EPISODES_BY_STATE = "SELECT state, count(*) AS number FROM episodes GROUP BY state"

# The value at risk of an episode as the scorer reckons it (its ``value``), on this day instead of
# the opening's: spend decayed from the last order-day, by the half-life of the policy that the
# features name. A test holds it against the scorer's figures.
AT_RISK_VALUE = """
    SELECT coalesce(sum(f.value * power(2::float8, -least(
               greatest(CAST(:day AS date) - f.last_day, 0) / h.days, :exponent_max))), 0)
    FROM scores s
    JOIN score_features f ON f.client_id = s.client_id
    JOIN (SELECT id, coalesce(CAST(document ->> 'half_life_days' AS float8), :half_life) AS days
          FROM policies) h ON h.id = f.policy_version
    WHERE s.as_of = :day AND s.state = 'at_risk'
"""

# Which orders count, and in which window, is the rule of the effect (``effect.ARMS``); here only
# those that came after the email's text was final, and in the shop's currency: others cannot be
# added to them. An order counts once.
RECOVERED = """
    WITH counted AS (
        SELECT DISTINCT o.id, o.client_id, o.amount
        FROM emails m JOIN episodes e ON e.id = m.episode_id
        JOIN orders o ON o.client_id = e.client_id
        WHERE m.written_as_of IS NOT NULL AND o.amount > 0 AND o.currency = :currency
          AND o.status = ANY(CAST(:statuses AS text[]))
          AND o.ordered_at > m.written_as_of AND o.ordered_at > e.began_as_of
          AND o.ordered_at <= e.began_as_of + CAST(:frame AS interval)
          AND o.ordered_at <= CAST(:now AS timestamptz)
    )
    SELECT coalesce(sum(amount), 0) AS value, count(DISTINCT client_id) AS clients FROM counted
"""

KEEP = """
    INSERT INTO daily_figures (as_of, counted_at, clients_by_state, unscored, at_risk_value,
                               emails_by_state, recovered_value, recovered_clients, effect)
    VALUES (:as_of, clock_timestamp(), CAST(:clients_by_state AS jsonb), :unscored, :at_risk_value,
            CAST(:emails_by_state AS jsonb), :recovered_value, :recovered_clients,
            CAST(:effect AS jsonb))
    ON CONFLICT (as_of) DO UPDATE SET (counted_at, clients_by_state, unscored, at_risk_value,
            emails_by_state, recovered_value, recovered_clients, effect)
        = ROW (EXCLUDED.counted_at, EXCLUDED.clients_by_state, EXCLUDED.unscored,
               EXCLUDED.at_risk_value, EXCLUDED.emails_by_state, EXCLUDED.recovered_value,
               EXCLUDED.recovered_clients, EXCLUDED.effect)
"""
NEWEST = """
    SELECT as_of, counted_at, CAST(clients_by_state AS text) AS clients_by_state, unscored,
           at_risk_value, CAST(emails_by_state AS text) AS emails_by_state, recovered_value,
           recovered_clients, CAST(effect AS text) AS effect
    FROM daily_figures WHERE as_of > :after ORDER BY as_of DESC LIMIT :limit
"""
# What counts see changes with these tables; the counters are kept by Postgres at no cost to us.
CHANGES = """
    SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)
    FROM pg_stat_user_tables
    WHERE schemaname = 'public'
      AND relname IN ('clients', 'orders', 'score_features', 'episodes', 'emails', 'policies')
"""


class Counted(NamedTuple):
    """One day's figures, as they were counted last."""

    as_of: date
    counted_at: datetime
    clients_by_state: dict[State, int]
    unscored: int
    at_risk_value: Decimal
    emails_by_state: dict[EpisodeState, int]
    recovered_value: Decimal
    recovered_clients: int
    arms: Arms
    """Both arms of the effect on the business time ``effect_as_of``."""
    window_days: int
    effect_as_of: datetime


async def changes(db: AsyncConnection) -> int:
    """Return a number that grows whenever something that is counted may have changed."""
    return int((await db.execute(text(CHANGES))).scalar_one())


async def count(db: AsyncConnection, now: datetime, currency: str) -> date | None:
    """Count the served day's figures at business time ``now`` and keep them; return the day.

    All figures are of one moment. Returns None before a day is served.
    """
    await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    # Or the day could be switched and dropped just after it was read, and would count as empty.
    await db.execute(text("LOCK TABLE scores IN ACCESS SHARE MODE"))
    frame = (await db.execute(text(FRAME), {"days": EmailRules().effect_days})).one()
    day: date | None = frame.as_of
    if day is None:
        return None
    window = timedelta(days=frame.days)
    clients: dict[State, int] = dict.fromkeys(get_args(State), 0)
    found = await db.execute(text(CLIENTS_BY_STATE), {"day": day})
    clients |= {row.state: row.number for row in found}
    total = (await db.execute(text(CLIENTS))).scalar_one()
    decay = {"exponent_max": EXPONENT_MAX, "half_life": Policy().half_life_days}
    value = await db.execute(text(AT_RISK_VALUE), {"day": day, **decay})
    episodes: dict[EpisodeState, int] = dict.fromkeys(get_args(EpisodeState), 0)
    episodes |= {row.state: row.number for row in await db.execute(text(EPISODES_BY_STATE))}
    after = {
        "statuses": sorted(COUNTING_STATUSES),
        "frame": window,
        "now": now,
        "currency": currency,
    }
    recovered = (await db.execute(text(RECOVERED), after)).one()
    arms = await effect.arms(db, now, window)
    values = {
        "as_of": day,
        "clients_by_state": _json(clients),
        "unscored": max(0, total - sum(clients.values())),
        "at_risk_value": Decimal(value.scalar_one()),
        "emails_by_state": _json(episodes),
        "recovered_value": recovered.value,
        "recovered_clients": recovered.clients,
        "effect": _json(
            {
                "held_out": [*arms.held_out],
                "not_held_out": [*arms.not_held_out],
                "waiting": arms.waiting,
                "window_days": frame.days,
                "as_of": now,
            }
        ),
    }
    await db.execute(text(KEEP), values)
    return day


async def newest(
    db: AsyncConnection, *, limit: int = 1, after: date = date.min
) -> Sequence[Counted]:
    """Return the last ``limit`` days behind ``after`` that have figures, the latest first."""
    rows = await db.execute(text(NEWEST), {"limit": limit, "after": after})
    return [_counted_of(row) for row in rows.mappings()]


def _counted_of(row: Any) -> Counted:
    told = orjson.loads(row["effect"])
    values = {name: row[name] for name in Counted._fields if name in row}
    values |= {name: orjson.loads(row[name]) for name in ("clients_by_state", "emails_by_state")}
    return Counted(
        **values,
        arms=Arms(Arm(*told["held_out"]), Arm(*told["not_held_out"]), told["waiting"]),
        window_days=told["window_days"],
        effect_as_of=datetime.fromisoformat(told["as_of"]),
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
