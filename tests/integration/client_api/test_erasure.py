"""Erasing a client: complete, ordered by version, and safe beside everything else."""

import asyncio
import random

import asyncpg
import pytest

from tests.integration.client_api.serving import Api, assert_problem, until_someone_waits
from tests.servers import Database

JOURNAL = """
CREATE TABLE journal (n bigint GENERATED ALWAYS AS IDENTITY, tab text, op text, id bigint,
                      version bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO journal (tab, op, id, version)
    VALUES (TG_TABLE_NAME, TG_OP, OLD.id, CASE TG_OP WHEN 'DELETE' THEN OLD.version
                                          ELSE NEW.version END);
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE OR DELETE ON clients FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER note AFTER UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note();
"""
LEFT = """
SELECT (SELECT count(*) FROM clients) + (SELECT count(*) FROM orders)
     + (SELECT count(*) FROM score_features) + (SELECT count(*) FROM scores)
"""
SCORED = """
SELECT scores_open_day('2026-01-01');
UPDATE score_serving SET as_of = '2026-01-01';
INSERT INTO score_features SELECT id, 1, version, 0, 1, NULL, NULL, 0, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, '[]', now() FROM clients;
INSERT INTO scores SELECT '2026-01-01', id, NULL, 'no_orders' FROM clients;
"""


async def test_an_erasure_leaves_nothing_and_ends_with_the_highest_version(
    api: Api, admin: asyncpg.Connection
) -> None:
    """Orders deleted, client touched, client deleted: its last version is above its orders'."""
    ada = await api.client()
    orders = [await api.order(ada["id"]) for _ in range(3)]
    await admin.execute(SCORED)
    await admin.execute(JOURNAL)
    assert (await api.http.delete(f"/api/clients/{ada['id']}")).status_code == 204
    steps = [tuple(row) for row in await admin.fetch("SELECT tab, op FROM journal ORDER BY n")]
    assert steps == [*[("orders", "DELETE")] * 3, ("clients", "UPDATE"), ("clients", "DELETE")]
    last = await admin.fetchval("SELECT version FROM journal ORDER BY n DESC LIMIT 1")
    assert last > max(order["version"] for order in orders)
    assert await admin.fetchval(LEFT) == 0
    assert_problem(await api.http.get(f"/api/clients/{ada['id']}"), 404)
    assert_problem(await api.http.delete(f"/api/clients/{ada['id']}"), 404)


async def test_an_erasure_waits_for_an_order_in_flight_and_takes_it_along(
    api: Api, database: Database, admin: asyncpg.Connection
) -> None:
    """An order that another transaction is just inserting is deleted with its client."""
    ada = await api.client()
    writing = await asyncpg.connect(database.admin_url)
    try:
        transaction = writing.transaction()
        await transaction.start()
        await writing.execute(
            "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, now(), 1)", ada["id"]
        )
        erasing = asyncio.create_task(api.http.delete(f"/api/clients/{ada['id']}"))
        await until_someone_waits(admin)
        await transaction.commit()
    finally:
        await writing.close()
    assert (await erasing).status_code == 204
    assert await admin.fetchval(LEFT) == 0


async def test_an_erasure_is_above_a_change_of_an_order_in_flight(
    api: Api, database: Database, admin: asyncpg.Connection
) -> None:
    """The client's lock does not keep out changes of known orders: the erasure waits for them."""
    ada = await api.client()
    order = await api.order(ada["id"])
    await admin.execute(JOURNAL)
    writing = await asyncpg.connect(database.admin_url)
    try:
        transaction = writing.transaction()
        await transaction.start()
        await writing.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order["id"])
        erasing = asyncio.create_task(api.http.delete(f"/api/clients/{ada['id']}"))
        await until_someone_waits(admin)
        # It takes its version while the erasure is under way.
        await writing.execute("UPDATE orders SET amount = 3 WHERE id = $1", order["id"])
        changed = await writing.fetchval("SELECT version FROM orders WHERE id = $1", order["id"])
        await transaction.commit()
    finally:
        await writing.close()
    assert (await erasing).status_code == 204
    last = await admin.fetchval("SELECT version FROM journal ORDER BY n DESC LIMIT 1")
    assert last > changed


@pytest.mark.parametrize("seed", range(3))
async def test_erasures_beside_creates_and_loads_never_fail_anyone(
    api: Api, admin: asyncpg.Connection, seed: int
) -> None:
    """Orders for a client that goes are refused or go with it; nothing is a 500, nothing stays."""
    shuffle = random.Random(seed)
    clients = [await api.client(first_name=f"C{i}") for i in range(6)]

    async def order() -> None:
        body = {"client_id": shuffle.choice(clients)["id"], "amount": "1"}
        answer = await api.http.post("/api/orders", json=body)
        assert answer.status_code in {201, 404}, answer.text

    async def load() -> None:
        rows = [{"client_id": shuffle.choice(clients)["id"], "amount": "1"} for _ in range(50)]
        result = await api.load("orders", rows)
        assert result["accepted"] + result["rejected"] == 50

    async def erase(client_id: int) -> None:
        answer = await api.http.delete(f"/api/clients/{client_id}")
        assert answer.status_code == 204, answer.text

    work = [order() for _ in range(30)] + [load() for _ in range(10)]
    work += [erase(client["id"]) for client in clients]
    shuffle.shuffle(work)
    await asyncio.gather(*work)
    assert await admin.fetchval(LEFT) == 0


async def test_an_erasure_blanks_decisions_and_asks_the_mailer_to_blank_texts(
    api: Api, admin: asyncpg.Connection
) -> None:
    """What people wrote into emails goes at once; texts of the mailer go by an erase decision."""
    ada = await api.client()
    episode = f"{ada['id']}-20000"
    await admin.execute(
        """INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
             opened_as_of, score, value_at_risk, policy_version, event)
           VALUES ($1, $2, 'draft', 'r', 'mailer', '2026-01-01', '2026-02-01', now(), 0.2, 10, 1,
             '{}')""",
        episode,
        ada["id"],
    )
    body = {"subject": "Dear Ada", "body": "…"}
    await api.made(
        "/api/decisions",
        {"episode_id": episode, "action": "edit", "actor": "eve", "payload": body},
    )
    assert (await api.http.delete(f"/api/clients/{ada['id']}")).status_code == 204
    rows = await admin.fetch("SELECT action, payload FROM decisions ORDER BY id")
    assert [tuple(row) for row in rows] == [("edit", "{}"), ("erase", "{}")]
    shown = (await api.http.get(f"/api/emails/{episode}")).json()
    assert shown["first_name"] is None
    assert [decision["action"] for decision in shown["decisions"]] == ["edit", "erase"]
