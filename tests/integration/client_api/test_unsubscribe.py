"""Clients end their emails by a link, and people keep the list of suppressed addresses."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from common.unsubscribe import token_of
from tests.integration.client_api.serving import (
    Api,
    assert_problem,
    running_api,
    until_someone_waits,
)
from tests.servers import Database

KEY = SecretStr("a key of links, of 32 bytes and more")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
ADDRESS = "Ada@Example.com"
HASH = hashlib.sha256(b"ada@example.com").hexdigest()


@pytest.fixture
async def api(database: Database) -> AsyncIterator[Api]:
    """The API, with the key of links."""
    async with running_api(database.client_api_url, link_key=KEY) as running:
        yield running


async def client(api: Api, **fields: Any) -> tuple[int, str]:
    """Make a client; return its id and its link."""
    made = await api.client(email=ADDRESS, **fields)
    return made["id"], f"/u/{token_of(made['id'], KEY)}"


async def row(api: Api, client_id: int) -> dict[str, Any]:
    """A client as the API shows it."""
    answer = await api.http.get(f"/api/clients/{client_id}")
    found: dict[str, Any] = answer.json()
    return found


async def audited(admin: asyncpg.Connection) -> list[tuple[str, str, str, Any]]:
    """The audit, in order."""
    rows = await admin.fetch(
        "SELECT actor, action, subject, detail FROM audit"
        " WHERE action NOT IN ('client.created', 'client.updated') ORDER BY id"
    )
    return [(r["actor"], r["action"], r["subject"], json.loads(r["detail"])) for r in rows]


async def test_opening_the_link_changes_nothing(api: Api, admin: asyncpg.Connection):
    """Scanners open links: GET shows a page with a button, which no script needs to press."""
    client_id, link = await client(api)
    before = await row(api, client_id)
    answer = await api.http.get(link)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<form method="post">' in answer.text
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert ADDRESS.lower() not in answer.text.lower()
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert await row(api, client_id) == before
    assert await admin.fetchval("SELECT count(*) FROM suppressions") == 0
    assert await audited(admin) == []


@pytest.mark.parametrize(
    "body", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {}]
)
async def test_one_post_ends_all_emails(api: Api, admin: asyncpg.Connection, body: dict[str, Any]):
    """RFC 8058: one POST in either form, no cookie, no redirect; consent and address go at once."""
    client_id, link = await client(api)
    before = await row(api, client_id)
    answer = await api.http.post(link, **body)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    after = await row(api, client_id)
    assert after["consent"] is False
    assert after["version"] > before["version"]
    suppressed = await admin.fetchrow("SELECT * FROM suppressions")
    assert suppressed is not None
    assert (suppressed["address_hash"], suppressed["actor"]) == (HASH, "unsubscribe link")
    assert await audited(admin) == [
        (
            "unsubscribe link",
            "client.unsubscribed",
            f"client/{client_id}",
            {"consent": True, "address": True},
        )
    ]


async def test_posting_again_changes_nothing(api: Api, admin: asyncpg.Connection):
    """The link works once and again, at the same time, too; there is one change and one entry."""
    client_id, link = await client(api)
    answers = await asyncio.gather(*(api.http.post(link, data=ONE_CLICK) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    version = (await row(api, client_id))["version"]
    assert (await api.http.post(link, data=ONE_CLICK)).status_code == 200
    assert (await api.http.get(link)).status_code == 200
    assert (await row(api, client_id))["version"] == version
    assert len(await audited(admin)) == 1


async def test_a_client_that_consents_again_can_unsubscribe_again(
    api: Api, admin: asyncpg.Connection
):
    """The old link still works after a change of mind."""
    client_id, link = await client(api)
    await api.http.post(link)
    await api.http.patch(f"/api/clients/{client_id}", json={"consent": True})
    assert (await api.http.post(link)).status_code == 200
    assert (await row(api, client_id))["consent"] is False
    assert [entry[3] for entry in await audited(admin)] == [
        {"consent": True, "address": True},
        {"consent": True, "address": False},
    ]


async def test_a_forged_link_is_unknown_and_changes_nothing(api: Api, admin: asyncpg.Connection):
    """Another key, another client's id, anything made up: 404 for GET and POST alike."""
    client_id, link = await client(api)
    other, _ = await client(api)
    before = [await row(api, client_id), await row(api, other)]
    forged = [
        f"/u/{token_of(client_id, SecretStr('x' * 32))}",
        f"/u/{token_of(other, KEY)[:12]}{link[-20:]}",
        *("/u/x", f"{link}A", f"/u/{client_id}", "/u/%00", "/u/" + "A" * 32),
    ]
    for path in forged:
        for answer in (await api.http.get(path), await api.http.post(path, data=ONE_CLICK)):
            assert answer.status_code == 404, path
    assert [await row(api, client_id), await row(api, other)] == before
    assert await audited(admin) == []


async def test_the_link_of_an_erased_client_still_says_yes(api: Api, admin: asyncpg.Connection):
    """There is nothing left to withdraw, and nobody is told that the client is gone."""
    client_id, link = await client(api)
    assert (await api.http.delete(f"/api/clients/{client_id}")).status_code == 204
    before = await audited(admin)
    assert (await api.http.get(link)).status_code == 200
    assert (await api.http.post(link, data=ONE_CLICK)).status_code == 200
    assert await audited(admin) == before
    assert await admin.fetchval("SELECT count(*) FROM suppressions") == 0


async def test_a_client_without_an_address_withdraws_its_consent(
    api: Api, admin: asyncpg.Connection
):
    """There is no address to suppress."""
    made = await api.client()
    answer = await api.http.post(f"/u/{token_of(made['id'], KEY)}")
    assert answer.status_code == 200
    assert (await row(api, made["id"]))["consent"] is False
    assert await admin.fetchval("SELECT count(*) FROM suppressions") == 0


async def test_without_a_key_links_cannot_be_checked(database: Database):
    """Nobody's wish is taken for done: the answer is 503, and says why."""
    async with running_api(database.client_api_url) as api:
        for answer in (await api.http.get("/u/x"), await api.http.post("/u/x")):
            assert "LINK_KEY" in assert_problem(answer, 503)["detail"]


async def test_with_a_dashboard_links_are_not_taken_for_its_pages(
    database: Database, tmp_path: Path
):
    """The dashboard's fallback page answers no link."""
    (tmp_path / "index.html").write_text("the dashboard")
    async with running_api(database.client_api_url, dashboard=tmp_path, link_key=KEY) as api:
        answer = await api.http.get(f"/u/{token_of(1, KEY)}", headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "the dashboard" not in answer.text


# --- suppressions, for people ---------------------------------------------------------------------


def wish(address: str = ADDRESS, **changes: Any) -> dict[str, Any]:
    """A body that suppresses an address."""
    return {"address": address, "reason": "asked by phone", **changes}


async def test_a_suppression_waits_for_whoever_writes_to_the_client(
    api: Api, database: Database, admin: asyncpg.Connection
):
    """So no text becomes final after the address was suppressed: writers lock the client first."""
    client_id, _ = await client(api)
    writing = await asyncpg.connect(database.admin_url)
    try:
        transaction = writing.transaction()
        await transaction.start()
        await writing.execute("SELECT lock_client($1)", client_id)
        suppressing = asyncio.create_task(api.made("/api/suppressions", wish()))
        await until_someone_waits(admin)
        assert await admin.fetchval("SELECT count(*) FROM suppressions") == 0
        await transaction.commit()
        await suppressing
    finally:
        await writing.close()
    assert await admin.fetchval("SELECT count(*) FROM suppressions") == 1


async def test_people_suppress_an_address_and_lift_it(api: Api, admin: asyncpg.Connection):
    """By address on the way in, by hash from then on; both are audited, the address nowhere."""
    made = await api.made("/api/suppressions", wish())
    assert made["address_hash"] == HASH
    assert made["reason"] == "asked by phone"
    page = (await api.http.get("/api/suppressions")).json()
    assert page == {"items": [made], "next": None}
    answer = await api.http.delete(f"/api/suppressions/{HASH}")
    assert answer.status_code == 204
    assert (await api.http.get("/api/suppressions")).json()["items"] == []
    assert await audited(admin) == [
        ("tester", "suppression.added", f"address/{HASH}", {}),
        ("tester", "suppression.lifted", f"address/{HASH}", {}),
    ]


async def test_the_list_goes_on_from_page_to_page(api: Api):
    """Newest first, each once."""
    for number in range(7):
        await api.made("/api/suppressions", wish(f"a{number}@example.com", reason=f"{number}"))
    found = await api.pages("/api/suppressions", limit=3)
    assert [row["reason"] for row in found] == [str(number) for number in range(6, -1, -1)]


async def test_addresses_suppressed_in_one_moment_are_each_listed_once(
    api: Api, admin: asyncpg.Connection
):
    """However pages cut them, with one of another moment before and behind."""
    await admin.execute("""
        INSERT INTO suppressions (address_hash, reason, actor, created_at)
        SELECT address_hash(n::text), n::text, 'a', '2026-01-02'::timestamptz
            + CASE n WHEN 0 THEN interval '1 day' WHEN 6 THEN interval '-1 day' ELSE '0' END
        FROM generate_series(0, 6) n
    """)
    for limit in (1, 2, 3, 5):
        found = [row["reason"] for row in await api.pages("/api/suppressions", limit=limit)]
        assert (found[0], found[-1], sorted(found)) == ("0", "6", [str(n) for n in range(7)])


async def test_wrong_requests_are_refused(api: Api):
    """Twice the same address, none at all, an actor, a hash that is none or not there."""
    await api.made("/api/suppressions", wish())
    http = api.http

    def post(body: dict[str, Any]) -> Any:
        return http.post("/api/suppressions", json=body)

    assert_problem(await post(wish(ADDRESS.upper())), 409)
    assert_problem(await post(wish("nobody")), 422)
    assert_problem(await post(wish(actor="Kim")), 422)
    assert_problem(await post(wish(also=1)), 422)
    assert_problem(await http.delete("/api/suppressions/0"), 422)
    assert_problem(await http.delete(f"/api/suppressions/{'0' * 64}"), 404)
    assert_problem(await http.get("/api/suppressions", params={"cursor": "x"}), 422)
