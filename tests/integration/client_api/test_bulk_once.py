"""A bulk load under an idempotency key goes in once, wherever it broke off, on a real Postgres."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from client_api.operations.sweeper import Sweeper
from client_api.web import bulk as bulk_module
from tests.integration.client_api.serving import Api, assert_problem, until
from tests.tokens import issuer

KEY = {"Idempotency-Key": "0b9c7c52-load"}
NDJSON = {"Content-Type": "application/x-ndjson"}
CHUNK = 3
REPLAYED = "idempotent-replayed"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make loads of a few lines have several chunks."""
    monkeypatch.setattr(bulk_module, "CHUNK_ROWS", CHUNK)


@pytest.fixture
async def lines(api: Api) -> list[bytes]:
    """Orders without ids, some of nobody, and lines that are none, the last one among them."""
    client = (await api.client())["id"]
    good, nobody = [
        orjson.dumps({"client_id": which, "amount": "1"}) + b"\n" for which in (client, 999)
    ]
    bad = b'{"amount":"x"}\n'
    return [good, bad, good, nobody, good, b"\n", bad, good, good, nobody, good, bad]


async def sent(api: Api, lines: list[bytes], path: str = "orders", **headers: str) -> Any:
    """Send a load under the key."""
    return await api.http.post(
        f"/api/{path}/bulk", content=b"".join(lines), headers={**NDJSON, **KEY, **headers}
    )


async def orders(admin: asyncpg.Connection) -> int:
    """Count them."""
    found: int = await admin.fetchval("SELECT count(*) FROM orders")
    return found


async def test_a_load_that_broke_off_is_sent_again_whole(
    api: Api, lines: list[bytes], admin: asyncpg.Connection
) -> None:
    """What was in is passed over, and the answer is that of a load that never broke."""
    whole = await api.http.post("/api/orders/bulk", content=b"".join(lines), headers=NDJSON)
    taken = whole.json()["accepted"]
    assert (taken, whole.json()["rejected"]) == (6, 5)
    await admin.execute("DELETE FROM orders")

    async def breaking() -> AsyncIterator[bytes]:
        for line in lines[:6]:
            yield line
        await until(lambda: orders(admin))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await api.http.post("/api/orders/bulk", content=breaking(), headers={**NDJSON, **KEY})
    assert await orders(admin) == CHUNK - 1
    again = await sent(api, lines)
    assert again.json() == whole.json()
    assert REPLAYED not in again.headers
    assert await orders(admin) == taken
    assert (await sent(api, lines)).headers[REPLAYED] == "true"
    assert await orders(admin) == taken


async def test_a_load_that_is_repeated_is_answered_the_same(
    api: Api, lines: list[bytes], admin: asyncpg.Connection
) -> None:
    """In either form, and nothing is written or audited another time."""
    first = await sent(api, lines)
    named = await sent(api, lines, Accept="application/x-ndjson")
    state = "SELECT (SELECT last_value FROM row_version), (SELECT count(*) FROM audit)"
    before = await admin.fetchrow(state)
    again = await sent(api, lines)
    assert again.json() == first.json()
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    *errors, counts = [orjson.loads(line) for line in named.text.splitlines()]
    errors.sort(key=lambda error: error["line"])
    assert {**counts, "errors": errors} == first.json()
    assert await admin.fetchrow(state) == before


async def test_a_key_belongs_to_one_load(
    api: Api, lines: list[bytes], admin: asyncpg.Connection
) -> None:
    """Other lines, more of them or fewer are refused; other callers and rows have their own."""
    assert (await sent(api, lines)).is_success
    count = await orders(admin)
    for other in (
        [lines[2], *lines],
        [*lines, lines[0]],
        lines[:-1],
        [*lines[:5], b"\n", *lines[5:]],
        [b"{}\n", *lines[1:]],
        [],
    ):
        problem = assert_problem(await sent(api, other), 422)
        assert problem["errors"][0]["field"] == "header.idempotency-key"
    assert await orders(admin) == count
    client = orjson.dumps({"first_name": "Bob"}) + b"\n"
    assert (await sent(api, [client], "clients")).json()["accepted"] == 1
    bearer = issuer().bearer(sub="another")
    assert (await sent(api, lines, **bearer)).json()["accepted"] == count
    assert await orders(admin) == 2 * count


async def test_a_load_under_way_is_told_so(
    api: Api, lines: list[bytes], admin: asyncpg.Connection
) -> None:
    """While another request has the load, it is a 409 that says to wait."""
    assert (await sent(api, lines)).is_success
    name = "hashtextextended(encode(load, 'hex'), 7407)"
    lock = f"SELECT pg_advisory_xact_lock({name}) FROM bulk_chunks"
    async with admin.transaction():
        await admin.execute(lock)
        refused = await sent(api, lines)
    assert_problem(refused, 409)
    assert refused.headers["retry-after"] == "1"
    assert (await sent(api, lines)).headers[REPLAYED] == "true"


async def test_what_is_kept_tells_of_nobody_and_brings_nobody_back(
    api: Api, admin: asyncpg.Connection
) -> None:
    """No key, no name, no hash that could be guessed by a name; who is erased stays so."""
    line = b'{"id":7,"first_name":"Canaryna"}\n'
    assert (await sent(api, [line], "clients")).json()["accepted"] == 1
    kept = str(await admin.fetch("SELECT load, number, digest, refused::text FROM bulk_chunks"))
    assert "Canaryna" not in kept
    assert KEY["Idempotency-Key"] not in kept
    digests = {row["digest"] for row in await admin.fetch("SELECT digest FROM bulk_chunks")}
    assert not digests & {sha256(text).digest() for text in (line, line.strip(), b"1 32 " + line)}
    assert (await api.http.delete("/api/clients/7")).is_success
    assert (await sent(api, [line], "clients")).headers[REPLAYED] == "true"
    assert await admin.fetchval("SELECT count(*) FROM clients") == 0


async def test_loads_are_forgotten_after_a_day(
    api: Api, lines: list[bytes], admin: asyncpg.Connection
) -> None:
    """Then the key is free again, and the sweeper takes away what was kept."""
    assert (await sent(api, lines)).is_success
    count = await orders(admin)
    kept = await admin.fetchval("SELECT count(*) FROM bulk_chunks")
    old = "UPDATE bulk_chunks SET created_at = created_at - interval '25 hours'"
    await admin.execute(old)
    answer: httpx.Response = await sent(api, lines)
    assert REPLAYED not in answer.headers
    assert await orders(admin) == 2 * count
    await admin.execute(old)
    assert await Sweeper(api.engine).sweep() == kept
    assert await admin.fetchval("SELECT count(*) FROM bulk_chunks") == 0


async def test_a_load_is_forgotten_as_a_whole(
    api: Api, lines: list[bytes], admin: asyncpg.Connection
) -> None:
    """A long load is a day old at its beginning first: no half of it goes in again."""
    await sent(api, lines)
    there = await orders(admin)
    await admin.execute(
        "UPDATE bulk_chunks SET created_at = created_at - interval '25 hours' WHERE number = 0"
    )
    assert await Sweeper(api.engine).sweep() == 0
    again = await sent(api, lines)
    assert again.headers[REPLAYED] == "true"
    assert await orders(admin) == there


async def test_a_dry_run_keeps_nothing(
    api: Api, lines: list[bytes], admin: asyncpg.Connection
) -> None:
    """It writes nothing, so its key is left for the load."""
    tried = await api.http.post(
        "/api/orders/bulk?dry_run=true", content=b"".join(lines), headers={**NDJSON, **KEY}
    )
    assert tried.json()["accepted"] == 6
    assert await admin.fetchval("SELECT count(*) FROM bulk_chunks") == 0
    assert (await sent(api, lines)).json()["accepted"] == 6
