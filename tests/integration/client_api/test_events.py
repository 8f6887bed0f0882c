"""Server-sent events: live, bounded, and out of the way when the server stops."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from client_api.live.hub import KEPT_BYTES_MAX, SUBSCRIBERS_MAX, Hub
from client_api.live.kafka_feed import KafkaFeed
from client_api.live.postgres_feed import PostgresFeed
from common.cluster import Cluster
from common.codec import encode
from common.events import EpisodeClosed, EpisodeOpened, EvidenceDay, ScoreParts
from common.kafka import producer
from tests.integration.client_api.processes import running, scores_writer
from tests.integration.client_api.serving import Api, assert_problem, running_api, until
from tests.scored import AT, ledger, record, scored
from tests.servers import Database
from tests.tokens import Signed, issuer

EVENT_LIMIT_S = 10
EPISODE = """
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
    opened_as_of, score, value_at_risk, policy_version, event)
VALUES ('1-20000', 1, 'held', 'r', 'mailer', '2026-01-01', '2026-02-01', now(), 0.2, 1, 1, '{}')
"""


class Stream:
    """An open event stream, read event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def event(self, kind: str) -> tuple[dict[str, Any], str]:
        """Return data and id of the next event of a kind."""
        async with asyncio.timeout(EVENT_LIMIT_S):
            while True:
                fields = await self._fields()
                if fields.get("event") == kind:
                    return json.loads(fields["data"]), fields.get("id", "")

    async def kinds(self, number: int) -> list[str]:
        """Return the kinds of the next so many events."""
        found: list[str] = []
        async with asyncio.timeout(EVENT_LIMIT_S):
            while len(found) < number:
                fields = await self._fields()
                found += [fields["event"]] if "event" in fields else []
        return found

    async def end(self) -> None:
        """Read on until the server ends the stream."""
        async with asyncio.timeout(EVENT_LIMIT_S):
            async for _ in self._lines:
                pass

    async def _fields(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while line := await anext(self._lines):
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields


@asynccontextmanager
async def stream(
    http: httpx.AsyncClient, headers: dict[str, str] | None = None
) -> AsyncIterator[Stream]:
    """Open the event stream; returns once the server has begun it."""
    async with http.stream(
        "GET", "/api/events", timeout=EVENT_LIMIT_S, headers=headers
    ) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        opened = Stream(response)
        await opened._fields()
        yield opened


@pytest.fixture
async def live(database: Database, kafka: str) -> AsyncIterator[Api]:
    """The API with both feeds."""
    crashes: list[BaseException] = []
    async with running_api(
        database.client_api_url,
        feeds=(
            lambda hub: KafkaFeed(Cluster(kafka), hub, crashes.append, "EUR"),
            lambda hub: PostgresFeed(SecretStr(database.client_api_url), hub, crashes.append),
        ),
    ) as api:
        yield api
    assert crashes == []


async def test_every_kind_of_event_arrives(
    live: Api, admin: asyncpg.Connection, kafka: str
) -> None:
    """Scores and episodes come from the topics, emails and served days from Postgres."""
    data = scored(7, ledger([30, 9]), version=12)
    opened = EpisodeOpened(
        episode_id="7-20000",
        client_id=7,
        generation=1,
        policy_version=1,
        as_of=AT,
        last_order_day=20000,
        crossing_day=20040,
        cause="score",
        score=0.2,
        entry=0.3,
        value=12.5,
        parts=ScoreParts(intercept=0, frequency=0, value=0, recency=0),
        evidence=[EvidenceDay(day=20000, cents=1, orders=[(1, 1)])],
    )
    closed = EpisodeClosed(
        episode_id="7-20000", client_id=7, generation=1, policy_version=1, as_of=AT, reason="order"
    )
    async with stream(live.http) as page, stream(live.http) as other:
        with scores_writer(kafka) as scores:
            # The writer's first record takes its time: one that is shown to nobody goes ahead.
            scores.raw(7, None)
            scores.scored(data)
            told, event_id = await page.event("score")
            assert told == data.model_dump(mode="json")
            assert event_id
            for episode in (opened, closed):
                raw = encode(episode, id="e", source="scorer", subject="7", time=AT)
                scores.raw(7, raw, at_risk=True)
            scores.flush()
            told, _ = await page.event("episode")
            assert (told["type"], told["crossing_day"]) == ("opened", "2024-11-13")
            assert told["value_at_risk"] == {"amount": "12.50", "currency": "EUR"}
            assert "evidence" not in told
            assert (await page.event("episode"))[0]["type"] == "closed"
        await admin.execute(EPISODE)
        told, event_id = await page.event("email")
        assert told == {"episode_id": "1-20000", "client_id": 1, "state": "held"}
        assert event_id
        await admin.execute("""NOTIFY served, '{"as_of": "2026-02-03"}'""")
        assert (await page.event("served"))[0] == {"as_of": "2026-02-03"}
        for kind in ("score", "episode", "episode", "email", "served"):
            await other.event(kind)
    await until(lambda: _closed(live.hub))


async def _closed(hub: Hub) -> bool:
    return len(hub) == 0


async def test_records_that_are_not_for_the_page_are_passed_over(live: Api, kafka: str) -> None:
    """Tombstones, superseded generations and poison do not end the stream."""
    async with stream(live.http) as page:
        with scores_writer(kafka) as scores:
            scores.raw(3, None)
            scores.raw(3, b"not json")
            scores.scored(scored(3, ledger([3]), version=44, generation=2))
            scores.scored(scored(3, ledger([3]), version=45))
            scores.scored(scored(3, ledger([3]), version=46, generation=2))
        assert (await page.event("score"))[0]["version"] == 44
        assert (await page.event("score"))[0]["version"] == 46


async def test_aborted_records_are_never_shown(live: Api, kafka: str) -> None:
    """What a transaction took back reaches no page."""
    writer = producer(Cluster(kafka), {"transactional.id": "events-test"})
    writer.init_transactions(30)
    async with stream(live.http) as page:
        for version, finish in ((1, writer.abort_transaction), (2, writer.commit_transaction)):
            writer.begin_transaction()
            raw = record(scored(5, ledger([3]), version=version))
            writer.produce("client.scores", key=b"5", value=raw, partition=0)
            writer.flush(30)
            finish(30)
        assert (await page.event("score"))[0]["version"] == 2


async def test_a_lost_notification_connection_is_made_again_and_pages_start_over(
    live: Api, admin: asyncpg.Connection
) -> None:
    """Pages that may have missed something are cut off with the reason; the next stream works."""
    async with stream(live.http) as page:
        await admin.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'client-api notifications'"""
        )
        assert (await page.event("cut"))[0] == {"reason": "missed"}
        await page.end()
    async with stream(live.http) as page:
        await admin.execute(EPISODE)
        assert (await page.event("email"))[0]["state"] == "held"
    ready = (await live.http.get("/readyz")).json()
    assert ready == {
        "status": "ok",
        "checks": ["postgres", "issuer", "kafka", "scores-stream", "notifications"],
    }
    # As the probe of its pods asks.
    probed = await live.http.get("/readyz?exclude=kafka&exclude=issuer")
    assert probed.json() == {
        "status": "ok",
        "checks": ["postgres", "scores-stream", "notifications"],
        "excluded": ["issuer", "kafka"],
    }


async def test_a_page_that_does_not_read_is_cut_off(live: Api) -> None:
    """What is kept for a slow page has a bound; it is told to start over when it reads again."""
    async with stream(live.http) as page:
        (subscriber,) = live.hub._subscribers
        # The page's socket takes some megabytes before its sender has to wait.
        padding = json.dumps({"padding": "x" * 20_000}).encode()
        async with asyncio.timeout(60):
            while subscriber._next >= live.hub._log.first:
                for _ in range(100):
                    live.hub.publish("score", padding)
                await asyncio.sleep(0)
        assert live.hub._log._bytes <= KEPT_BYTES_MAX
        assert (await page.event("reset"))[0] == {"reason": "slow"}
        assert (await page.event("cut"))[0] == {"reason": "slow"}
        await page.end()


async def test_streams_are_limited_in_number(live: Api) -> None:
    """One stream too many is a 503 problem, and gone streams make room again."""
    with ExitStack() as taken:
        for _ in range(SUBSCRIBERS_MAX):
            taken.enter_context(live.hub.page())
        assert_problem(await live.http.get("/api/events"), 503)
    async with stream(live.http):
        assert len(live.hub) == 1


async def test_a_page_that_comes_back_misses_nothing(live: Api, admin: asyncpg.Connection) -> None:
    """With the last id it saw, a page is told what happened while it was away."""
    async with stream(live.http) as page:
        await admin.execute(EPISODE)
        _, last_id = await page.event("email")
    await until(lambda: _closed(live.hub))
    await admin.execute("UPDATE episodes SET state = 'pending'")
    await until(lambda: _told(live.hub, b"pending"))
    async with stream(live.http, {"Last-Event-ID": last_id}) as page:
        assert (await page.event("email"))[0]["state"] == "pending"


async def test_a_page_with_an_unknown_id_is_reset(live: Api) -> None:
    """An id of another server, or of long ago, is answered by a reset: read again."""
    async with stream(live.http, {"Last-Event-ID": "0badcafe-17"}) as page:
        told, place = await page.event("reset")
        assert told == {"reason": "gone"}
        assert place


async def test_a_page_gets_only_what_its_token_may_read(
    live: Api, admin: asyncpg.Connection
) -> None:
    """Emails and episodes need their own scope; a token for none of it opens no stream."""
    bearer = issuer().bearer
    async with (
        stream(live.http, bearer("clients:read", sub="figures")) as figures,
        stream(live.http, bearer("emails:read", "ops:read", sub="letters")) as letters,
        stream(live.http, bearer("clients:read", "emails:read", sub="both")) as both,
    ):
        await admin.execute(EPISODE)
        await both.event("email")
        live.hub.publish("episode", b"{}")
        live.hub.publish("score", b"{}")
        await admin.execute("""NOTIFY served, '{"as_of": "2026-02-03"}'""")
        assert await both.kinds(3) == ["episode", "score", "served"]
        assert await figures.kinds(2) == ["score", "served"]
        live.hub.publish("email", b"{}")
        assert await letters.kinds(3) == ["email", "episode", "email"]
    answer = await live.http.get("/api/events", headers=bearer("ops:read", "pii:read"))
    assert_problem(answer, 403)
    assert answer.headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", scope="clients:read emails:read"'
    )


async def _told(hub: Hub, what: bytes) -> bool:
    return any(what in event.raw for event in hub._log._events)


async def test_a_stop_does_not_wait_for_open_streams(
    database: Database, kafka: str, tmp_path: Path
) -> None:
    """SIGTERM with open pages: they are told, the process ends with 0 well before its limit."""
    environment = {"DATABASE_URL": database.client_api_url, "KAFKA_BOOTSTRAP_SERVERS": kafka}
    async with running("serve", tmp_path, environment) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, auth=Signed()) as http,
            stream(http) as page,
            stream(http) as other,
        ):
            started = time.monotonic()
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            for opened in (page, other):
                assert (await opened.event("cut"))[0] == {"reason": "stopping"}
                await opened.end()
            assert await stopping == 0
        assert time.monotonic() - started < 4
    lines = [json.loads(line) for line in server.logged().splitlines()]
    assert all(line["service"] == "client-api" for line in lines)
    password = database.client_api_url.split(":")[2].split("@")[0]
    assert password not in server.logged()
