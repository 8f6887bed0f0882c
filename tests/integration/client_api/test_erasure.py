"""Erasing a client: complete, ordered by version, and safe beside everything else."""

import asyncio
import json
import random

import asyncpg
import pytest

from common.score.policy import Policy
from engage.history_columns import Journal
from engage.what_if import Moved, compare
from engage.what_if_run import WhatIfResult
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
    body = {"subject": "Dear Ada", "body": "…" * 60}
    await api.made(
        "/api/decisions",
        {"episode_id": episode, "action": "edit", "payload": body},
    )
    assert (await api.http.delete(f"/api/clients/{ada['id']}")).status_code == 204
    rows = await admin.fetch("SELECT action, payload FROM decisions ORDER BY id")
    assert [tuple(row) for row in rows] == [("edit", "{}"), ("erase", "{}")]
    shown = (await api.http.get(f"/api/emails/{episode}")).json()
    assert shown["first_name"] is None
    assert [decision["action"] for decision in shown["decisions"]] == ["edit", "erase"]


EPISODE = """
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
                      opened_as_of, score, value_at_risk, policy_version, event)
VALUES ($1, $2, 'draft', 'r', 'mailer', '2026-01-01', '2026-02-01', now(), 0.2, 10, 1, $3)
"""
EMAIL = """
INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash, prompt_version,
                    prompt_hash, model, provider, generation_id, sandbox)
VALUES ($1, $2, 'Dear Ada', 'Come back', '["jazz"]', 'h', 'v', 'h', 'm', 'p', 'g', true)
"""


RUN = "INSERT INTO operations (kind, actor, parameters) VALUES ('what-if', 'eve', '{}')"
ENDED = "UPDATE operations SET state = 'done', finished_at = now(), result = $1"


def what_if_of(clients: list[int]) -> WhatIfResult:
    """Return a what-if's result as it is stored, in which each of these clients moves."""
    moved = [
        Moved(client_id=one, before="active", after="at_risk", score_before=0.5, score_after=0.25)
        for one in clients
    ]
    found = compare(Journal().history(), 20_000, Policy(), Policy(version=2))
    return WhatIfResult(
        what_if=found.model_copy(update={"moved": moved}),
        events=0,
        unreadable={},
        seconds=0.1,
        events_per_s=0.0,
    )


WORDING = {
    "subject": "Dear Ada",
    "body": "Come back, and see what is new in our shop since you were here.",
}


def evidence(version: int) -> str:
    """Return an episode's event with one order of this version."""
    day = {"day": 20000, "cents": 739184, "orders": [[7, version]]}
    return json.dumps({"client_id": 1, "evidence": [day]})


async def stored(admin: asyncpg.Connection, episode: str) -> tuple[object, ...]:
    """Return what is stored about an episode in words and figures."""
    row = await admin.fetchrow(
        """SELECT e.event, e.score, e.value_at_risk, m.subject, m.body, m.facts_used
           FROM episodes e LEFT JOIN emails m ON m.episode_id = e.id WHERE e.id = $1""",
        episode,
    )
    return tuple(row)


async def test_an_erasure_takes_words_and_figures_with_the_row_and_is_audited(
    api: Api, admin: asyncpg.Connection
) -> None:
    """Evidence, text, edits, differences and what-ifs about her go at once; nobody else's do."""
    ada, bob = await api.client(), await api.client()
    order = await api.order(ada["id"])
    ids = [ada["id"], bob["id"]]
    for client in ids:
        await admin.execute(EPISODE, f"{client}-1", client, evidence(order["version"]))
        await admin.execute(EMAIL, f"{client}-1", client)
        edit = {"episode_id": f"{client}-1", "action": "edit"}
        made = await api.made("/api/decisions", edit | {"payload": WORDING})
        await admin.execute(
            "INSERT INTO decision_outcomes VALUES ($1, 'applied', 'r', now(), '-a +b')", made["id"]
        )
    shown = what_if_of(ids)
    await admin.execute(RUN)
    await admin.execute(ENDED, shown.model_dump_json())
    before = await stored(admin, f"{bob['id']}-1")
    answer = await api.http.delete(f"/api/clients/{ada['id']}")
    assert answer.status_code == 204
    assert await stored(admin, f"{ada['id']}-1") == ("{}", 0, 0, "", "", "[]")
    assert await stored(admin, f"{bob['id']}-1") == before
    told = await admin.fetch(
        """SELECT d.payload, o.difference FROM decisions d
           JOIN decision_outcomes o ON o.decision_id = d.id ORDER BY d.id"""
    )
    assert [row["difference"] for row in told] == [None, "-a +b"]
    assert [row["payload"] == "{}" for row in told] == [True, False]
    result = WhatIfResult.model_validate_json(await admin.fetchval("SELECT result FROM operations"))
    assert result.what_if.moved == shown.what_if.moved[1:]
    entry = await admin.fetchrow("SELECT * FROM audit WHERE action LIKE '%erased'")
    assert (entry["actor"], entry["action"], entry["subject"]) == (
        "tester",
        "client.erased",
        f"client/{ada['id']}",
    )
    detail = json.loads(entry["detail"])
    assert (detail["orders"], detail["episodes"]) == (1, 1)
    assert detail["version"] > order["version"]
    left = await admin.fetch("SELECT * FROM erasure_left($1, $2)", ada["id"], detail["version"])
    found = {row["place"]: row["number"] for row in left if row["number"]}
    assert found == {"erase decisions under way": 1}


async def test_what_was_erased_does_not_come_back_whoever_writes_it(
    api: Api, admin: asyncpg.Connection
) -> None:
    """A late episode, edit or text of one who is gone is stored blank; so it is for a former life
    of an id that was made anew, while the new life's are whole.
    """
    ada = await api.client()
    order = await api.order(ada["id"])
    old, late, new = (f"{ada['id']}-{n}" for n in (1, 2, 3))
    await admin.execute(EPISODE, old, ada["id"], evidence(order["version"]))
    assert (await api.http.delete(f"/api/clients/{ada['id']}")).status_code == 204

    async def edited(episode: str) -> object:
        body = {"episode_id": episode, "action": "edit"}
        made = await api.made("/api/decisions", body | {"payload": WORDING})
        return made["payload"]

    await admin.execute(EPISODE, late, ada["id"], evidence(order["version"]))
    await admin.execute(EMAIL, old, ada["id"])
    assert await stored(admin, late) == ("{}", 0, 0, None, None, None)
    assert await stored(admin, old) == ("{}", 0, 0, "", "", "[]")
    assert await edited(old) == {}

    await api.client(id=ada["id"])
    again = await api.order(ada["id"])
    for episode in (late, old):
        await admin.execute(
            "UPDATE episodes SET event = $2 WHERE id = $1", episode, evidence(order["version"])
        )
        assert (await stored(admin, episode))[0] == "{}"
    await admin.execute("UPDATE emails SET subject = 'Ada' WHERE episode_id = $1", old)
    assert (await stored(admin, old))[3] == ""
    assert await edited(old) == {}
    await admin.execute(EPISODE, new, ada["id"], evidence(again["version"]))
    await admin.execute(EMAIL, new, ada["id"])
    assert (await stored(admin, new))[1:4] == (0.2, 10, "Dear Ada")
    assert await edited(new) == WORDING


async def test_an_episode_that_is_just_being_recorded_is_erased_with_its_client(
    api: Api, database: Database, admin: asyncpg.Connection
) -> None:
    """The erasure waits for it, and then knows it: no evidence slips through in between."""
    ada = await api.client()
    order = await api.order(ada["id"])
    writing = await asyncpg.connect(database.admin_url)
    try:
        transaction = writing.transaction()
        await transaction.start()
        await writing.execute(EPISODE, f"{ada['id']}-1", ada["id"], evidence(order["version"]))
        erasing = asyncio.create_task(api.http.delete(f"/api/clients/{ada['id']}"))
        await until_someone_waits(admin)
        await transaction.commit()
    finally:
        await writing.close()
    assert (await erasing).status_code == 204
    assert (await stored(admin, f"{ada['id']}-1"))[0] == "{}"
    assert await admin.fetchval("SELECT count(*) FROM decisions WHERE action = 'erase'") == 1


async def test_a_what_if_that_ends_after_an_erasure_names_nobody_who_is_gone(
    api: Api, admin: asyncpg.Connection
) -> None:
    """Who was erased since it began is not in its result, also when the id was made anew."""
    ada, bob, eve = [await api.client() for _ in range(3)]
    await admin.execute(RUN)
    for client in (ada, bob):
        assert (await api.http.delete(f"/api/clients/{client['id']}")).status_code == 204
    await api.client(id=bob["id"])
    shown = what_if_of([ada["id"], bob["id"], eve["id"]])
    await admin.execute(ENDED, shown.model_dump_json())
    result = WhatIfResult.model_validate_json(await admin.fetchval("SELECT result FROM operations"))
    assert [one.client_id for one in result.what_if.moved] == [eve["id"]]


async def test_a_what_if_that_is_just_ending_is_waited_for(
    api: Api, database: Database, admin: asyncpg.Connection
) -> None:
    """Neither the erasure nor the result that is being written lets the client through."""
    ada, bob = [await api.client() for _ in range(2)]
    await admin.execute(RUN)
    shown = what_if_of([ada["id"], bob["id"]])
    writing = await asyncpg.connect(database.admin_url)
    try:
        transaction = writing.transaction()
        await transaction.start()
        await writing.execute(ENDED, shown.model_dump_json())
        erasing = asyncio.create_task(api.http.delete(f"/api/clients/{ada['id']}"))
        await until_someone_waits(admin)
        await transaction.commit()
    finally:
        await writing.close()
    assert (await erasing).status_code == 204
    result = WhatIfResult.model_validate_json(await admin.fetchval("SELECT result FROM operations"))
    assert [one.client_id for one in result.what_if.moved] == [bob["id"]]
