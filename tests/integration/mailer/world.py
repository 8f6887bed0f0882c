"""A mailer in its world for tests: real Postgres, Kafka and sandbox, each reached from outside."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from confluent_kafka import Consumer, Producer

from common.clock import EPOCH
from common.codec import encode
from common.events import EpisodeClosed, EpisodeOpened, EvidenceDay, ScoreParts, episode_id_of
from common.partition import partition_of
from common.policy import ShopPolicy
from common.topics import AT_RISK
from stack.places import free_port
from tests.groups import whole
from tests.integration.mailer import asked
from tests.servers import PARTITIONS, Database

KEY = "canary-openrouter-key"
MODEL = "maker/model"
PROVIDER = "some-provider"
POLICY = 100
LIMIT_S = 40.0


async def until(happened: Callable[[], Awaitable[Any]], limit_s: float = LIMIT_S) -> Any:
    """Wait until a question has an answer that is true; return it."""
    end = time.monotonic() + limit_s
    while True:
        found = await happened()
        if found:
            return found
        assert time.monotonic() < end, f"it did not happen within {limit_s} s: {found}"
        await asyncio.sleep(0.05)


class Process:
    """A program of ours with its log and its health port."""

    def __init__(self, module: str, env: dict[str, str], log: Path, port: int) -> None:
        """Start ``python -m module``."""
        self.log = log
        self.port = port
        with log.open("ab") as out:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", module],
                env={"PATH": os.environ["PATH"], **env},
                stdout=out,
                stderr=out,
            )

    async def ask(self, path: str) -> httpx.Response | None:
        """Ask over HTTP; None while nobody answers."""
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return await client.get(f"http://127.0.0.1:{self.port}{path}")
        except httpx.HTTPError:
            assert self.popen.poll() is None, self.log.read_text()[-3000:]
            return None

    async def healthy(self, path: str) -> bool:
        """Whether the process answers well at ``path``."""
        answer = await self.ask(path)
        return answer is not None and answer.status_code == 200

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        self.popen.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self.popen.kill()
        self.popen.wait(10)

    def stop(self, limit_s: float = 30.0) -> int:
        """Tell it to stop; return its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.terminate()
        try:
            return self.popen.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Model:
    """The sandbox, as tests see it."""

    def __init__(self, process: Process, journal: Path) -> None:
        """Hold a running sandbox; what it was asked before does not concern this test."""
        self.process = process
        self._journal = journal
        self._before = journal.stat().st_size if journal.exists() else 0

    @property
    def url(self) -> str:
        """The base URL for the mailer."""
        return f"http://127.0.0.1:{self.process.port}/api/v1"

    async def faults(self, *faults: dict[str, Any]) -> None:
        """Put a fault plan in force."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.put(
                f"http://127.0.0.1:{self.process.port}/sandbox/faults", json={"faults": faults}
            )
            assert answer.status_code == 200, answer.text

    def journal(self, path: str | None = "/api/v1/chat/completions") -> list[dict[str, Any]]:
        """All requests of one route, or of all, as the sandbox noted them."""
        written = self._journal.read_bytes()[self._before :] if self._journal.exists() else b""
        # The last line may be half written: more than a buffer goes out in parts.
        lines = written[: written.rfind(b"\n") + 1].decode().splitlines()
        return [e for e in map(json.loads, lines) if path is None or e["path"] == path]


@dataclass
class World:
    """Everything around a mailer, and what a test does to it."""

    database: Database
    kafka: str
    model: Model
    folder: Path
    db: asyncpg.Connection
    processes: list[Process] = field(default_factory=list)
    base: int = field(default_factory=lambda: random.randint(10_000, 10**12))
    made: int = 0

    async def policy(self, version: int = POLICY, **rules: Any) -> None:
        """Put a policy in force; nobody is held out unless asked for."""
        policy = ShopPolicy(version=version, **{"holdout_percent": 0, **rules})
        await self.db.execute(
            "INSERT INTO policies (id, document, created_by) VALUES ($1, $2, 'test')",
            version,
            policy.model_dump_json(),
        )

    async def client(self, name: str = "Anna", *, silent_days: int = 60, **row: Any) -> int:
        """Make a client with two orders, the last one ``silent_days`` ago."""
        self.made += 1
        client_id = self.base + self.made
        await self.db.execute(
            "INSERT INTO clients (id, first_name, surname, email, style_tags, consent)"
            " VALUES ($1, $2, 'Canarysurname', 'canary@example.com', $3, $4)",
            client_id,
            name,
            row.get("style_tags", ["boho"]),
            row.get("consent", True),
        )
        for days in (silent_days + 30, silent_days):
            await self.order(client_id, days_ago=days)
        return client_id

    async def order(self, client_id: int, *, days_ago: int = 0, status: str = "paid") -> int:
        """Place an order."""
        return int(
            await self.db.fetchval(
                "INSERT INTO orders (client_id, ordered_at, amount, status, category)"
                " VALUES ($1, $2, 98761234.57, $3, 'shoes') RETURNING id",
                client_id,
                datetime.now(UTC) - timedelta(days=days_ago),
                status,
            )
        )

    def opened(self, client_id: int, *, silent_days: int = 60, **changes: Any) -> str:
        """Tell that the client fell at risk; return the episode's id."""
        today = (datetime.now(UTC).date() - EPOCH).days
        last = today - silent_days
        event = EpisodeOpened(
            **{
                "episode_id": episode_id_of(client_id, last),
                "client_id": client_id,
                "generation": 1,
                "policy_version": POLICY,
                "as_of": datetime.now(UTC),
                "last_order_day": last,
                "crossing_day": today,
                "cause": "score",
                "score": 0.4,
                "entry": 0.41,
                "value": 100.0,
                "parts": ScoreParts(intercept=-2.5, frequency=1, value=1, recency=-0.5),
                "evidence": [EvidenceDay(day=last, cents=9876123457, orders=[(1, 1)])],
                **changes,
            }
        )
        self.send(client_id, encode_event(event))
        return event.episode_id

    def closed(self, client_id: int, episode_id: str, reason: str = "order") -> None:
        """Tell that the silence ended."""
        event = EpisodeClosed(
            episode_id=episode_id,
            client_id=client_id,
            generation=1,
            policy_version=POLICY,
            as_of=datetime.now(UTC),
            reason=reason,
        )
        self.send(client_id, encode_event(event))

    def send(self, client_id: int, value: bytes | None) -> None:
        """Put a record on the topic, in the client's partition."""
        producer = Producer({"bootstrap.servers": self.kafka})
        producer.produce(
            AT_RISK.name,
            key=str(client_id).encode(),
            value=value,
            partition=partition_of(client_id, PARTITIONS),
        )
        assert producer.flush(20) == 0

    def parked(self) -> list[dict[str, str]]:
        """The headers of all dead letters."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "test-dlq"})
        letters = whole(consumer, f"{AT_RISK.name}.dlq")
        return [{k: v.decode() for k, v in letter.headers()} for letter in letters]

    def start(self, **settings: Any) -> Process:
        """Start a mailer."""
        port = free_port()
        env = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "TOPIC_PARTITIONS": PARTITIONS,
            "DATABASE_URL": self.database.mailer_url,
            "OPENROUTER_BASE_URL": self.model.url,
            "OPENROUTER_API_KEY": KEY,
            "OPENROUTER_MODEL": MODEL,
            "OPENROUTER_PROVIDER": PROVIDER,
            "MODEL_SANDBOX": "true",
            "HOLDOUT_SALT": "salt",
            "LEASE_S": 3,
            "RETRY_BASE_S": 0.1,
            "PROBE_BASE_S": 0.2,
            "STOP_GRACE_S": 2,
            "HEALTH_PORT": port,
            "LOG_LEVEL": "DEBUG",
            **settings,
        }
        log = self.folder / f"mailer-{len(self.processes)}.log"
        process = Process("mailer", {k: str(v) for k, v in env.items()}, log, port)
        self.processes.append(process)
        return process

    async def run(self, **settings: Any) -> Process:
        """Start a mailer and wait until it is ready."""
        process = self.start(**settings)
        await until(lambda: process.healthy("/readyz"))
        return process

    async def state(self, episode_id: str) -> str | None:
        """The episode's state."""
        found: str | None = await self.db.fetchval(
            "SELECT state FROM episodes WHERE id = $1", episode_id
        )
        return found

    async def reach(self, episode_id: str, state: str, limit_s: float = LIMIT_S) -> None:
        """Wait until the episode is in a state."""
        end = time.monotonic() + limit_s
        while (now := await self.state(episode_id)) != state:
            assert time.monotonic() < end, f"{episode_id} is {now}, not {state}: {self.logs()}"
            await asyncio.sleep(0.05)

    async def calls(self, episode_id: str) -> list[asyncpg.Record]:
        """The logged calls of an episode."""
        return list(
            await self.db.fetch(
                "SELECT * FROM model_calls WHERE episode_id = $1 ORDER BY id", episode_id
            )
        )

    async def row(self, query: str, *values: Any) -> asyncpg.Record:
        """The one row that a query finds."""
        found = await self.db.fetchrow(query, *values)
        assert found is not None, f"no row: {query}"
        return found

    async def email(self, episode_id: str) -> asyncpg.Record:
        """The episode's email, which is there."""
        return await self.row("SELECT * FROM emails WHERE episode_id = $1", episode_id)

    async def has_email(self, episode_id: str) -> bool:
        """Whether the episode has a text."""
        return bool(
            await self.db.fetchval(
                "SELECT EXISTS (SELECT FROM emails WHERE episode_id = $1)", episode_id
            )
        )

    async def path(self, episode_id: str) -> list[str]:
        """The states that an episode went through."""
        rows = await self.db.fetch(
            "SELECT from_state, to_state FROM episode_history WHERE episode_id = $1 ORDER BY id",
            episode_id,
        )
        states = [row["to_state"] for row in rows]
        assert [row["from_state"] for row in rows] == [None, *states[:-1]], "history has a gap"
        assert states[-1] == await self.state(episode_id), "history ends elsewhere"
        return states

    async def decide(self, episode_id: str, action: str, **row: Any) -> asyncpg.Record:
        """Make a decision and wait for its outcome."""
        number = await asked.decide(self.db, episode_id, action, row)
        found: asyncpg.Record = await until(
            lambda: self.db.fetchrow(
                "SELECT * FROM decision_outcomes WHERE decision_id = $1", number
            )
        )
        return found

    def logs(self) -> str:
        """The ends of the mailers' logs."""
        return "\n".join(process.log.read_text()[-3000:] for process in self.processes)

    async def check_the_sums(self) -> None:
        """The ledger adds up: histories lead to states, texts are there, and nothing leaks."""
        for row in await self.db.fetch("SELECT id FROM episodes"):
            await self.path(row["id"])
        by_state = await self.db.fetch("SELECT state, count(*) AS n FROM episodes GROUP BY state")
        total = await self.db.fetchval("SELECT count(*) FROM episodes")
        begun = await self.db.fetchval(
            "SELECT count(*) FROM episode_history WHERE from_state IS NULL"
        )
        assert sum(row["n"] for row in by_state) == total == begun
        without = await self.db.fetchval(
            "SELECT count(*) FROM episodes e WHERE state IN ('draft', 'written')"
            " AND NOT EXISTS (SELECT FROM emails m WHERE m.episode_id = e.id)"
        )
        assert without == 0
        logs = "".join(process.log.read_text() for process in self.processes)
        asked = json.dumps(self.model.journal())
        for canary in ("Canarysurname", "canary@example", KEY, "98761234"):
            assert canary not in logs
            assert canary not in asked


def encode_event(data: EpisodeOpened | EpisodeClosed) -> bytes:
    """Wrap an event as the scorer does."""
    return encode(
        data,
        id=f"{data.episode_id}:{data.as_of}",
        source="test",
        subject=str(data.client_id),
        time=datetime.now(UTC),
    )


def day_of(days_ago: int) -> date:
    """The UTC date so many days ago."""
    return datetime.now(UTC).date() - timedelta(days=days_ago)
