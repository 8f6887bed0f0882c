"""Fills a migrated database with clients, orders, scores of a served day, episodes and emails.

``python -m bench.api_fill --url postgresql://postgres:…@host:port/engage --clients 1000000`` takes
a few minutes for a million clients with ten orders each, and seconds for fifty thousand. Rows are
written past the triggers, so give it the superuser's URL and an empty database that nobody captures
from. Features follow from the orders and scores from the features, by the system's own functions.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from bench.errors import BenchFailed
from bench.show import now_and_then, say
from client_api.projector.days import Days
from client_api.projector.store import ScoreStore
from common.clock import EPOCH
from common.policy import ShopPolicy
from common.score.ledger import COUNTING_STATUSES
from common.score.model import Features, crossing_day_of, entry_and_exit

ORDERS_PER_CLIENT = 10
CHUNK = 20_000
POLICY = 1

PAST_TRIGGERS = "SET session_replication_role = replica"
"""A version, a foreign key check and a notification for each of ten million rows take an hour."""

LIVES = """
    CREATE TEMPORARY TABLE lives AS
    SELECT id, floor(random() * (2 * $2 + 1))::integer AS orders,
           power(random(), 3) * 400 AS silent_days, 4 + random() * 80 AS gap_days
    FROM generate_series(1, $1::bigint) AS id
"""
"""Most clients ordered lately, and some not for a year; one in twenty never did."""
CLIENTS = """
    INSERT INTO clients (id, first_name, surname, email, phone, address, style_tags, time_zone,
                         consent, synthetic, created_at, updated_at, version)
    SELECT id, first[1 + mod(id * 7919, cardinality(first))],
           initcap(onset[1 + mod(id * 104729, cardinality(onset))]
                   || middle[1 + mod(id / 7, cardinality(middle))]
                   || ending[1 + mod(id / 59, cardinality(ending))]),
           'client-' || id || '@example.org', '+39 02 ' || (1000000 + mod(id, 9000000)),
           'Via Garibaldi ' || mod(id, 200), ARRAY['boho', 'vintage'], 'Europe/Rome',
           mod(id, 50) <> 0, true, $1::timestamptz, $1::timestamptz, id
    FROM generate_series(1, $2::bigint) AS id,
        (SELECT ARRAY['Anna', 'Bea', 'Carlo', 'Dora', 'Emil', 'Frida', 'Gina', 'Hugo', 'Ivo',
                      'Julia', 'Karl', 'Lena', 'Marco', 'Nora', 'Otto', 'Paola', 'Quinn', 'Rosa',
                      'Sara', 'Tom', 'Ugo', 'Vera', 'Walter', 'Xenia', 'Yara', 'Zoe']) AS f (first),
        (SELECT ARRAY['b', 'c', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v']) AS o
            (onset),
        (SELECT ARRAY['ar', 'el', 'in', 'or', 'ust', 'ach', 'erg', 'ill', 'ond']) AS m (middle),
        (SELECT ARRAY['a', 'ini', 'mann', 'er', 'o', 'etti', 'son', 'ov', 'ez', 'i']) AS e (ending)
"""
ORDERS = """
    INSERT INTO orders (id, client_id, ordered_at, amount, currency, status, category, created_at,
                        updated_at, version)
    SELECT row_number() OVER (), l.id,
           $1::timestamptz
               - make_interval(secs => 86400 * (silent_days + gap_days * (n - random()))),
           round((5 + 150 * random())::numeric, 2), 'USD',
           (ARRAY['delivered', 'paid', 'shipped', 'placed', 'cancelled'])
               [1 + floor(power(random(), 2) * 5)::integer],
           (ARRAY['shoes', 'dresses', 'scarves', 'hats', 'coats'])
               [1 + floor(random() * 5)::integer],
           $1::timestamptz, $1::timestamptz, 10000000 + row_number() OVER ()
    FROM lives l, generate_series(1, l.orders) AS n
"""
FEATURES = """
    WITH order_days AS (
        SELECT client_id, (ordered_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01' AS day,
               sum(amount)::double precision AS spent
        FROM orders WHERE amount > 0 AND status = ANY ($1::text[]) GROUP BY 1, 2
    ), ends AS (
        SELECT client_id, min(day) AS first, max(day) AS last, count(*) AS n
        FROM order_days GROUP BY 1
    )
    SELECT e.client_id, sum(power(2, (d.day - e.last) / $2::double precision)) AS frequency,
           sum(d.spent * power(2, (d.day - e.last) / $2::double precision)) AS value,
           e.n, e.first, e.last
    FROM ends e JOIN order_days d ON d.client_id = e.client_id
    GROUP BY e.client_id, e.n, e.first, e.last
"""
NO_FEATURES = """
    INSERT INTO score_features (client_id, generation, merged_version, record_offset,
                                policy_version, order_days, merged, scored_at)
    SELECT id, 1, id, id, $1, 0, '[]', $2 FROM clients c
    WHERE NOT EXISTS (SELECT FROM score_features f WHERE f.client_id = c.id)
"""
EPISODES = """
    INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
                          opened_as_of, began_as_of, score, value_at_risk, policy_version, event,
                          created_at, updated_at)
    SELECT client_id || '-' || (last_day - DATE '1970-01-01'), client_id,
           (ARRAY['held_out', 'held', 'pending', 'deferred', 'draft', 'written', 'sent',
                  'recovered', 'suppressed', 'rejected', 'failed'])[1 + mod(client_id, 11)],
           'filled', 'bench', last_day, crossing_day, crossing_day, crossing_day, entry, value,
           policy_version, '{}', $1::timestamptz - make_interval(secs => mod(client_id, 999983)), $1
    FROM score_features WHERE crossing_day <= $1::date
"""
HISTORY = """
    INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor, at)
    SELECT id, NULL, state, reason, actor, created_at FROM episodes
"""
EMAILS = """
    INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash,
                        prompt_version, prompt_hash, model, provider, generation_id, sandbox,
                        created_at, updated_at, written_as_of)
    SELECT id, client_id, 'We have missed you',
           'Hello,' || repeat(' it has been a while since your last order.', 10), '[]', md5(id),
           '1', md5('prompt'), 'sandbox/writer-1', 'sandbox', 'gen-' || id, true, created_at,
           updated_at, opened_as_of
    FROM episodes WHERE state IN ('draft', 'written', 'sent')
"""
SEQUENCES = (
    "SELECT setval('clients_id_seq', (SELECT max(id) FROM clients))",
    "SELECT setval('orders_id_seq', (SELECT max(id) FROM orders))",
    "SELECT setval('row_version', (SELECT max(version) FROM orders))",
)
INDEXES = """
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i
    WHERE i.indrelid = 'orders'::regclass AND NOT i.indisprimary
"""
FEATURE_COLUMNS = [
    *("client_id", "generation", "merged_version", "record_offset", "policy_version", "frequency"),
    *("value", "order_days", "first_day", "last_day", "entry", "exit", "crossing_day"),
    *("lapse_day", "merged", "scored_at"),
]


async def fill(url: str, clients: int, orders_per_client: int = ORDERS_PER_CLIENT) -> None:
    """Fill an empty, migrated database; ``url`` is the superuser's. Raises BenchFailed."""
    now = datetime.now(UTC)
    pool = await asyncpg.create_pool(url, min_size=2, max_size=6, command_timeout=None)
    async with pool, pool.acquire() as db:
        if await db.fetchval("SELECT EXISTS (SELECT FROM clients)"):
            raise BenchFailed("the database has clients already: it must be empty")
        await db.execute(PAST_TRIGGERS)
        await _rows(db, now, clients, orders_per_client)
        policy = ShopPolicy.model_validate_json(
            await db.fetchval("SELECT document FROM policies WHERE id = $1", POLICY)
        )
        await _features(pool, db, now, policy)
        say("scores of the served day")
        await Days(pool, ScoreStore(pool)).advance(now.date())
        say("episodes and emails")
        for statement in (EPISODES, HISTORY, EMAILS):
            values = [now] if "$1" in statement else []
            await db.execute(statement, *values)
        for statement in SEQUENCES:
            await db.execute(statement)
        say("statistics")
        await db.execute("VACUUM (ANALYZE)")
        await db.execute("RESET session_replication_role")


async def _rows(db: Any, now: datetime, clients: int, orders_per_client: int) -> None:
    await db.execute("SELECT setseed(0.5)")
    say(f"{clients:,} clients")
    await db.execute(LIVES, clients, orders_per_client)
    await db.execute(CLIENTS, now, clients)
    say(f"about {clients * orders_per_client:,} orders")
    indexes = await db.fetch(INDEXES)
    for index in indexes:
        await db.execute(f"DROP INDEX {index['name']}")
    await db.execute(ORDERS, now)
    say("indexes of orders")
    for index in indexes:
        await db.execute(index["definition"])


async def _features(
    pool: "asyncpg.Pool[asyncpg.Record]", db: Any, now: datetime, policy: ShopPolicy
) -> None:
    say("features")
    done = 0
    async with pool.acquire() as reader, reader.transaction():
        cursor = await reader.cursor(FEATURES, sorted(COUNTING_STATUSES), policy.half_life_days)
        while rows := await cursor.fetch(CHUNK):
            await db.copy_records_to_table(
                "score_features", records=_scored(rows, now, policy), columns=FEATURE_COLUMNS
            )
            done += len(rows)
            now_and_then(f"features: {done:,}")
    await db.execute(NO_FEATURES, POLICY, now)


def _scored(rows: Iterable[Any], now: datetime, policy: ShopPolicy) -> Iterator[tuple[object, ...]]:
    for client_id, frequency, value, n, first, last in rows:
        features = Features(frequency, value, n, first, last)
        entry = leave = crossing = None
        if n > 1:
            entry, leave = entry_and_exit(features, policy)
            crossing = _date(crossing_day_of(features, entry, policy))
        yield (
            *(client_id, 1, client_id, client_id, POLICY, frequency, value, n),
            *(_date(first), _date(last), entry, leave, crossing),
            *(_date(last + policy.lapse_days + 1), "[]", now),
        )


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)


def main() -> int:
    """Fill what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_fill", description=__doc__)
    parser.add_argument("--url", required=True, help="the superuser's URL of the migrated database")
    parser.add_argument("--clients", type=int, default=1_000_000, metavar="N")
    parser.add_argument(
        "--orders-per-client", type=int, default=ORDERS_PER_CLIENT, metavar="N", help="on average"
    )
    asked = parser.parse_args()
    try:
        asyncio.run(fill(asked.url, asked.clients, asked.orders_per_client))
    except (BenchFailed, OSError, asyncpg.PostgresError) as error:
        print(f"the fill failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
