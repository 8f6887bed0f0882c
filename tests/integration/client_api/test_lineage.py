"""Where an email came from: one answer from Postgres and both lanes, true about what is gone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer

from client_api.operations import operator
from common.codec import encode
from common.events import EpisodeOpened, EvidenceDay, OrderChanged, Origin, ScoreParts
from common.partition import partition_of
from common.topics import LIVE
from engage.settings import Settings
from tests.integration.client_api.serving import Api, assert_problem, running_api
from tests.servers import PARTITIONS, Database

CLIENT = 7
DAY = 20_500
EPISODE = f"{CLIENT}-{DAY}"
AS_OF = datetime(2026, 3, 14, 23, 30, tzinfo=UTC)
"""Already the next day in the shop's time zone."""

OPENED = EpisodeOpened(
    episode_id=EPISODE,
    client_id=CLIENT,
    generation=1,
    policy_version=1,
    as_of=AS_OF,
    last_order_day=DAY,
    crossing_day=DAY + 20,
    cause="score",
    score=0.25,
    entry=0.3,
    value=120.5,
    parts=ScoreParts(intercept=-2.5, frequency=1.0, value=0.8, recency=-0.4),
    evidence=[
        EvidenceDay(day=DAY - 30, cents=1050, orders=[(1, 10)]),
        EvidenceDay(day=DAY, cents=4150, orders=[(2, 20), (3, 21)]),
    ],
)
WRITTEN = """
INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash, prompt_version,
    prompt_hash, model, provider, generation_id, sandbox, checks, written_as_of)
VALUES ('7-20500', 7, 'Hello', 'We miss you', '["first_name"]', 'd1', '2', 'hash', 'm', 'pr', 'g2',
    true, '["length", "number"]', '2026-03-15Z');
INSERT INTO model_calls (episode_id, attempt, model, outcome, latency_ms, sandbox)
VALUES ('7-20500', 1, 'm', 'unusable: number, offer', 12, true),
       ('7-20500', 1, 'm', 'accepted', 11, true);
INSERT INTO decisions (episode_id, action, actor) VALUES ('7-20500', 'approve', 'eve');
INSERT INTO decision_outcomes (decision_id, outcome, reason) VALUES (1, 'applied', 'as asked');
INSERT INTO deliveries (episode_id, message_id, outcome) VALUES ('7-20500', 'm@shop', 'sent');
INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
VALUES ('7-20500', NULL, 'pending', 'fell at risk', 'scorer'),
       ('7-20500', 'pending', 'writing', 'claimed', 'mailer'),
       ('7-20500', 'writing', 'draft', 'passed', 'mailer'),
       ('7-20500', 'draft', 'written', 'approved', 'eve');
"""


@pytest.fixture
async def shop(database: Database, kafka: str) -> AsyncIterator[Api]:
    """The API of a shop in Auckland, with a broker."""
    settings = Settings(
        kafka_bootstrap_servers=kafka,
        topic_partitions=PARTITIONS,
        shop_time_zone="Pacific/Auckland",
    )
    async with running_api(database.client_api_url, engage=settings) as running:
        yield running


@pytest.fixture
async def email(shop: Api, admin: asyncpg.Connection) -> Api:
    """An episode with its email and all that happened to it; the lanes hold nothing yet."""
    await admin.execute("INSERT INTO clients (id, first_name) VALUES (7, 'Ada')")
    await admin.execute(
        "INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,"
        " opened_as_of, score, value_at_risk, policy_version, event)"
        " VALUES ($1, $2, 'written', 'approved', 'eve', '2026-02-16', '2026-03-08', $3, 0.25,"
        " 120.5, 1, $4)",
        EPISODE,
        CLIENT,
        AS_OF,
        OPENED.model_dump_json(),
    )
    await admin.execute(WRITTEN)
    return shop


def put(servers: str, order: int, version: int) -> int:
    """Write an order's image to the live lane; return its offset."""
    data = OrderChanged(
        client_id=CLIENT,
        order_id=order,
        version=version,
        ordered_at=AS_OF,
        amount=f"{version}.50",
        currency="EUR",
        status="paid",
        origin=Origin(topic="cdc.public.orders", partition=0, offset=version, lsn=version * 100),
    )
    value = encode(data, id="x", source="test", subject=str(CLIENT), time=AS_OF)
    offsets: list[int] = []
    producer = Producer({"bootstrap.servers": servers})
    producer.produce(
        LIVE.name,
        value,
        f"{CLIENT}/order/{order}",
        partition_of(CLIENT, PARTITIONS),
        on_delivery=lambda _, message: offsets.append(message.offset() or 0),
    )
    assert producer.flush(30) == 0
    return offsets[0]


async def lineage(api: Api) -> dict[str, Any]:
    """Ask for the lineage of the email."""
    answer = await api.http.get(f"/api/emails/{EPISODE}/lineage")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_one_answer_leads_from_the_rows_to_the_text(email: Api, kafka: str) -> None:
    """Evidence with LSN and offsets, score, policy, calls, checks, decisions and write-back."""
    offset = put(kafka, 1, 10)
    put(kafka, 2, 29)
    found = await lineage(email)
    first, last = found["evidence"]
    assert first["day"] == "2026-01-17"
    assert first["amount"] == {"amount": "10.50", "currency": "USD"}
    assert first["orders"] == [
        {
            "order_id": 1,
            "version": 10,
            "image": "kept",
            "newest_version": 10,
            "ordered_at": "2026-03-14T23:30:00Z",
            "amount": "10.50",
            "currency": "EUR",
            "status": "paid",
            "lsn": 1000,
            "raw": {"topic": "cdc.public.orders", "partition": 0, "offset": 10},
            "event": {
                "topic": LIVE.name,
                "partition": partition_of(CLIENT, PARTITIONS),
                "offset": offset,
            },
        }
    ]
    fates = [(o["order_id"], o["image"], o["newest_version"], o["raw"]) for o in last["orders"]]
    assert fates == [(2, "superseded", 29, None), (3, "missing", None, None)]
    score = found["score"]
    assert (score["score"], score["entry"], score["cause"]) == (0.25, 0.3, "score")
    assert score["parts"] == OPENED.parts.model_dump()
    assert (score["as_of"], score["day"]) == ("2026-03-14T23:30:00Z", "2026-03-15")
    assert found["policy"]["version"] == 1
    assert found["policy"]["document"]["weights"]
    assert found["checks"] == {"passed": ["length", "number"], "broken": ["number, offer"]}
    assert [call["outcome"] for call in found["calls"]] == ["unusable: number, offer", "accepted"]
    assert [(d["action"], d["outcome"]) for d in found["decisions"]] == [("approve", "applied")]
    assert [d["message_id"] for d in found["deliveries"]] == ["m@shop"]
    states = [step["to_state"] for step in found["history"]]
    assert states == ["pending", "writing", "draft", "written"]
    assert found["email"]["email"]["prompt_hash"] == "hash"
    assert (found["facts_used"], found["erased"]) == (["first_name"], False)
    assert found["written_as_of"] == "2026-03-15T00:00:00Z"


async def test_an_erased_client_leaves_no_evidence(email: Api) -> None:
    """What was erased is said to be: no days, no score; what happened to the episode stays."""
    answer = await email.http.delete(f"/api/clients/{CLIENT}")
    assert answer.status_code == 204, answer.text
    found = await lineage(email)
    assert (found["erased"], found["evidence"], found["score"]) == (True, [], None)
    assert len(found["history"]) == 4


async def test_no_broker_and_no_episode_are_problems(api: Api, email: Api) -> None:
    """503 names the setting that is missing; 404 for an episode that is not there."""
    assert_problem(await email.http.get("/api/emails/7-1/lineage"), 404)
    problem = assert_problem(await api.http.get(f"/api/emails/{EPISODE}/lineage"), 503)
    assert "KAFKA_BOOTSTRAP_SERVERS" in problem["detail"]


async def test_reading_that_takes_too_long_is_broken_off(
    email: Api, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 once the time for reading is up: a request never waits without end."""
    put(kafka, 99, 10)  # an empty partition would need no time
    monkeypatch.setattr(operator, "TRACE_LIMIT_S", 0.0)
    problem = assert_problem(await email.http.get(f"/api/emails/{EPISODE}/lineage"), 503)
    assert "within the time" in problem["detail"]
