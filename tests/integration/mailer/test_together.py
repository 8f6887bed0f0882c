"""Texts that come at about the same time are settled in one transaction, each as if alone."""

import asyncio
from decimal import Decimal

import asyncpg
import pytest

from mailer.episodes.emails import WrittenTwice
from mailer.model import calls
from mailer.model.budget import Need
from mailer.model.calls import Beginning
from mailer.writing import claims
from tests.integration.mailer.desk import ANSWERED, ASKING, DRAFT, NOON, Desk
from tests.integration.mailer.test_crashes import someone_waits
from tests.integration.mailer.world import until

TEXTS = 6


async def claimed(desk: Desk, number: int = TEXTS) -> list[claims.Claim]:
    """Open episodes of so many clients and claim them."""
    await desk.policy()
    for _ in range(number):
        await desk.opened(await desk.client())
    return await desk.claim()


async def accept(desk: Desk, held: list[claims.Claim]) -> list[BaseException | None]:
    """Hand in texts for all claims at one moment; return what became of each."""
    return await asyncio.gather(*await accepting(desk, held), return_exceptions=True)


async def accepting(desk: Desk, held: list[claims.Claim]) -> list["asyncio.Task[None]"]:
    """The same, under way."""
    made = [Beginning(claim.episode_id, claim.attempt, Need(0, Decimal(0))) for claim in held]
    numbers = await calls.begin(desk.pool, made, ASKING)
    return [
        asyncio.create_task(desk.results.accept(claim, number, ANSWERED, DRAFT, "hash"))
        for claim, number in zip(held, numbers, strict=True)
    ]


async def states(desk: Desk, held: list[claims.Claim]) -> list[str]:
    """The states of claimed episodes."""
    return [await desk.state(claim.episode_id) for claim in held]


async def outcomes(desk: Desk) -> dict[str, str]:
    """How the calls ended, by episode."""
    rows = await desk.db.fetch("SELECT episode_id, outcome FROM model_calls")
    return {row["episode_id"]: row["outcome"] for row in rows}


async def test_texts_of_one_moment_are_one_transaction(desk: Desk):
    """Texts, states and calls are written once for all, and all of them are right."""
    held = await claimed(desk)
    assert not any(await accept(desk, held))
    assert await states(desk, held) == ["written"] * TEXTS
    assert set((await outcomes(desk)).values()) == {"accepted"}
    for table in ("emails", "episodes", "model_calls"):
        writers = f"SELECT count(DISTINCT xmin::text) FROM {table}"
        assert await desk.db.fetchval(writers) == 1, table
    await desk.check()


async def test_only_those_that_changed_are_discarded(desk: Desk):
    """Among texts of one moment each client is looked at by itself."""
    held = await claimed(desk)
    ordered, unwilling, lost = held[0], held[2], held[4]
    order = "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, $2, 10)"
    await desk.others_do(order, ordered.client_id, NOON)
    await desk.others_do("UPDATE clients SET consent = false WHERE id = $1", unwilling.client_id)
    await desk.db.execute(
        "UPDATE episodes SET lease_token = lease_token + 1 WHERE id = $1", lost.episode_id
    )
    assert not any(await accept(desk, held))
    assert await states(desk, held) == [
        *("recovered", "written", "suppressed", "written", "writing", "written")
    ]
    found = await outcomes(desk)
    assert found[ordered.episode_id] == "discarded: the client changed meanwhile"
    assert found[unwilling.episode_id] == "discarded: the client changed meanwhile"
    assert found[lost.episode_id] == "discarded: the claim was lost"
    assert await desk.db.fetchval("SELECT count(*) FROM emails") == 3
    await desk.check()


async def test_two_texts_of_one_client_in_one_transaction(desk: Desk):
    """The first caps the second, although both come at once."""
    await desk.policy(emails={"cap_days": 30})
    client = await desk.client()
    await desk.opened(client, silent_days=60)
    await desk.opened(client, silent_days=20)
    held = await desk.claim()
    assert not any(await accept(desk, held))
    assert await states(desk, held) == ["written", "pending"]
    assert await desk.db.fetchval("SELECT count(*) FROM emails") == 1
    await desk.check()


async def test_one_client_who_is_held_keeps_up_no_other(desk: Desk):
    """An order under way makes its own client's text wait, and is then seen."""
    held = await claimed(desk)
    busy = held[1]
    ordering = await asyncpg.connect(desk.admin_url)
    try:
        async with ordering.transaction():
            await ordering.execute(
                "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, $2, 10)",
                busy.client_id,
                NOON,
            )
            settling = await accepting(desk, held)
            others = [task for task, claim in zip(settling, held, strict=True) if claim != busy]
            await asyncio.wait_for(asyncio.gather(*others), 25)
            await until(lambda: someone_waits(desk.db))
            assert await desk.state(busy.episode_id) == "writing"
    finally:
        await ordering.close()
    await asyncio.gather(*settling)
    expected = ["recovered" if claim == busy else "written" for claim in held]
    assert await states(desk, held) == expected
    await desk.check()


async def test_a_text_that_cannot_be_stored_fails_alone(desk: Desk):
    """A bug that shows in one text is told to whoever brought it; the others are written."""
    held = await claimed(desk)
    await desk.db.execute(
        "INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash,"
        " prompt_version, prompt_hash, model, provider, generation_id, sandbox, written_as_of)"
        " VALUES ($1, $2, 's', 'b', '[]', '', '', '', '', '', '', true, $3)",
        held[3].episode_id,
        held[3].client_id,
        NOON,
    )
    found = await accept(desk, held)
    assert [type(one) for one in found if one is not None] == [WrittenTwice]
    assert (await states(desk, held)).count("written") == TEXTS - 1
    assert await desk.state(held[3].episode_id) == "writing"


async def test_clients_are_looked_at_together_and_judged_alone(desk: Desk):
    """Of looks at one moment, each tells of its own client."""
    held = await claimed(desk)
    await desk.others_do("UPDATE clients SET consent = false WHERE id = $1", held[0].client_id)
    await desk.others_do("DELETE FROM orders WHERE client_id = $1", held[1].client_id)
    await desk.others_do("DELETE FROM clients WHERE id = $1", held[1].client_id)
    await desk.others_do("UPDATE clients SET first_name = 'Zoe' WHERE id = $1", held[2].client_id)
    seen = await asyncio.gather(*map(desk.results.look, held))
    assert seen[:2] == [None, None]
    assert [found[0].first_name for found in seen if found].count("Zoe") == 1
    assert seen[2] is not None
    assert seen[2][0].first_name == "Zoe"
    assert await states(desk, held) == ["suppressed", "suppressed", *["writing"] * 4]


@pytest.mark.parametrize("locked", [True, False])
async def test_leases_are_extended_past_who_is_being_settled(desk: Desk, *, locked: bool):
    """An extension waits for nobody: whose result is just being written needs none."""
    held = await claimed(desk, 2)
    before = {
        row["id"]: row["lease_until"] for row in await desk.db.fetch("SELECT * FROM episodes")
    }
    async with desk.db.transaction():
        if locked:
            await desk.db.execute(
                "SELECT FROM episodes WHERE id = $1 FOR UPDATE", held[0].episode_id
            )
        await asyncio.wait_for(claims.extend(desk.pool, held, 600), 25)
    for claim in held:
        extended = (await desk.episode(claim.episode_id))["lease_until"] > before[claim.episode_id]
        assert extended == (not locked or claim != held[0])
