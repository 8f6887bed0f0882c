"""Counts over the whole shop: of now while counting is quick, else kept and renewed behind."""

import asyncio
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from client_api.operations import counting
from tests.integration.client_api.serving import Api, until
from tests.integration.client_api.watching import statements_of


async def _stats(api: Api) -> dict[str, Any]:
    answer = await api.http.get("/api/stats")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make counting slow, as it is for millions of rows, and let nobody count again soon."""
    monkeypatch.setattr(counting, "QUICK_S", 0.0)
    monkeypatch.setattr(counting, "SHARE", 1e9)


async def test_what_was_written_is_counted_at_once_in_a_small_shop(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every reading counts anew."""
    monkeypatch.setattr(counting, "QUICK_S", 60.0)
    for number in range(1, 4):
        await api.client()
        assert (await _stats(api))["clients"]["total"] == number


@pytest.mark.usefixtures("slow")
async def test_in_a_large_shop_the_last_counts_are_given_out(api: Api) -> None:
    """Nothing is counted for those who look soon after; ``counted_at`` says of when it is."""
    first = await _stats(api)
    await api.client()
    with statements_of(api) as statements:
        second = await _stats(api)
    assert statements == []
    assert second["clients"] == first["clients"]
    assert second["counted_at"] == first["counted_at"]


@pytest.mark.usefixtures("slow")
async def test_counts_are_renewed_behind_those_who_look(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at counts that are due gets them as they are, the next one newer ones."""
    first = await _stats(api)
    await api.client()
    monkeypatch.setattr(counting, "SHARE", 0.0)
    assert (await _stats(api))["clients"]["total"] == 0

    async def renewed() -> bool:
        return bool((await _stats(api))["clients"]["total"] == 1)

    await until(renewed)
    later = (await _stats(api))["counted_at"]
    assert datetime.fromisoformat(later) > datetime.fromisoformat(first["counted_at"])


@pytest.mark.usefixtures("slow")
async def test_nobody_is_given_stale_counts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nobody has looked for long, the next one waits for a count."""
    await _stats(api)
    await api.client()
    monkeypatch.setattr(counting, "STALE_S", 0.0)
    assert (await _stats(api))["clients"]["total"] == 1


@pytest.mark.usefixtures("slow")
async def test_all_who_wait_for_a_count_share_it(api: Api) -> None:
    """It is taken once for everybody."""
    counter = counting.Counting()
    with statements_of(api) as statements:
        found = await asyncio.gather(*(counter.look(api.engine) for _ in range(8)))
    assert found == [found[0]] * 8
    assert sum("FROM orders" in statement for statement in statements) == 1


@pytest.mark.usefixtures("slow")
async def test_a_count_that_fails_is_told_and_tried_again(
    api: Api, admin: asyncpg.Connection
) -> None:
    """Without a count there is no answer; the next one who asks has it counted."""
    await admin.execute("REVOKE SELECT ON orders FROM client_api")
    assert (await api.http.get("/api/stats")).status_code >= 500
    await admin.execute("GRANT SELECT ON orders TO client_api")
    assert (await _stats(api))["orders"]["total"] == 0
