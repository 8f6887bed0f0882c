"""The mailer's parts on a real Postgres in the test's own process: no Kafka and no model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from pydantic import SecretStr

from common.clock import EPOCH, REAL_TIME, Anchor, BusinessClock, write_anchor
from common.events import (
    EpisodeClosed,
    EpisodeOpened,
    EvidenceDay,
    ScoreParts,
    episode_id_of,
)
from common.health import Heartbeat
from common.policy import ShopPolicy
from mailer import database
from mailer.episodes.policies import Policies
from mailer.episodes.recording import Recorder
from mailer.episodes.release import Release
from mailer.episodes.standing import Days
from mailer.episodes.states import TRANSITIONS
from mailer.episodes.wishes import Wishes
from mailer.metrics import Metrics
from mailer.model import calls
from mailer.model.budget import Need
from mailer.model.calls import Asking, Beginning
from mailer.model.openrouter import Call
from mailer.model.replies import Receipt
from mailer.model.verdicts import Answer
from mailer.people.decisions import Decisions
from mailer.people.judgement import Judgement
from mailer.settings import Settings
from mailer.words.told import Draft
from mailer.writing import claims
from mailer.writing.claims import Claim
from mailer.writing.results import Results
from tests.integration.mailer import asked
from tests.servers import Database

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
POLICY = 100
ASKING = Asking("maker/model", "some-provider", sandbox=True)
DRAFT = Draft(
    subject="A word from me",
    body="Dear Anna, come by some day; the shop is not the same without you, and I mean it.",
    facts_used=["first_name"],
)
ANSWERED = Call(Answer("{}"), Receipt(status=200, generation_id="gen-1"), 10)


class Said:
    """An event as the recorder takes it."""

    def __init__(self, data: EpisodeOpened | EpisodeClosed) -> None:
        """Wrap its data."""
        self.data = data
        self.time = datetime.now(UTC)


@dataclass
class Desk:
    """All that moves an episode, a step at a time; business time stands still until it is set."""

    db: asyncpg.Connection
    pool: database.Pool
    people: database.Pool
    """Connections of everybody else, with all rights."""
    url: SecretStr
    admin_url: str
    clock_file: Path
    recorder: Recorder
    results: Results
    decisions: Decisions
    wishes: Wishes
    release: Release
    policies: Policies
    days: Days
    made: int = 0
    version: int = POLICY - 1

    def now(self, moment: datetime) -> None:
        """Set the business time."""
        write_anchor(self.clock_file, Anchor(REAL_TIME.wall, moment, 0))

    async def policy(self, **rules: Any) -> None:
        """Put a policy in force; nobody is held out unless asked for."""
        self.version += 1
        policy = ShopPolicy.model_validate({"version": self.version, "holdout_percent": 0, **rules})
        await self.db.execute(
            "INSERT INTO policies (id, document, created_by) VALUES ($1, $2, 'test')",
            self.version,
            policy.model_dump_json(),
        )

    async def client(self, **row: Any) -> int:
        """Make a client."""
        self.made += 1
        found: int = await self.db.fetchval(
            "INSERT INTO clients (first_name, email, time_zone, consent)"
            " VALUES ('Anna', $1, $2, $3) RETURNING id",
            row.get("email", f"anna{self.made}@example.com"),
            row.get("time_zone", "UTC"),
            row.get("consent", True),
        )
        return found

    async def opened(
        self, client_id: int, *, silent_days: int = 60, ago: int = 0, **changes: Any
    ) -> str:
        """Record that the client fell at risk ``ago`` days before it was told."""
        as_of = changes.pop("as_of", self.days.now())
        today = (as_of.date() - EPOCH).days
        last = changes.pop("last_order_day", today - silent_days)
        event = EpisodeOpened(
            **{
                "episode_id": episode_id_of(client_id, last),
                "client_id": client_id,
                "generation": 1,
                "policy_version": self.version,
                "as_of": as_of,
                "last_order_day": last,
                "crossing_day": today - ago,
                "cause": "score",
                "score": 0.4,
                "entry": 0.41,
                "value": 100.0,
                "parts": ScoreParts(intercept=-2.5, frequency=1, value=1, recency=-0.5),
                "evidence": [EvidenceDay(day=last, cents=5000, orders=[(1, 1)])],
                **changes,
            }
        )
        await self.recorder.record(Said(event))
        return event.episode_id

    async def closed(
        self, episode_id: str, reason: str = "order", as_of: datetime | None = None
    ) -> None:
        """Record that the silence ended."""
        event = EpisodeClosed(
            episode_id=episode_id,
            client_id=int(episode_id.split("-", 1)[0]),
            generation=1,
            policy_version=self.version,
            as_of=as_of or self.days.now(),
            reason=reason,
        )
        await self.recorder.record(Said(event))

    async def claim(self, limit: int = 100) -> list[Claim]:
        """Claim what is due."""
        return await self.results.claim(limit, 60)

    async def accept(self, claim: Claim) -> None:
        """Hand in a text for a claim whose client was looked at."""
        one = Beginning(claim.episode_id, claim.attempt, Need(0, 0))
        (call_id,) = await calls.begin(self.pool, [one], ASKING)
        await self.results.accept(claim, call_id, ANSWERED, DRAFT, "hash")

    async def write(self) -> None:
        """Claim and write all that is due."""
        for claim in await self.claim():
            if await self.results.look(claim) is not None:
                await self.accept(claim)

    async def written(self, client_id: int, **opening: Any) -> str:
        """Open an episode and write its email."""
        episode = await self.opened(client_id, **opening)
        await self.write()
        return episode

    async def decide(self, episode_id: str, action: str, **row: Any) -> asyncpg.Record:
        """Make a decision and have it applied; return its outcome."""
        number = await asked.decide(self.people, episode_id, action, row)
        await self.decisions.apply_some()
        outcome = await self.people.fetchrow(
            "SELECT * FROM decision_outcomes WHERE decision_id = $1", number
        )
        assert outcome is not None, "the decision was not applied"
        return outcome

    async def others_do(self, statement: str, *values: Any) -> None:
        """Do something to the database as others do, beside what the test does."""
        await self.people.execute(statement, *values)

    async def suppress(self, client_id: int) -> None:
        """Suppress a client's address."""
        await self.others_do(
            "INSERT INTO suppressions (address_hash, reason, actor)"
            " SELECT address_hash(email), 'asked', 'Pat' FROM clients WHERE id = $1"
            " ON CONFLICT DO NOTHING",
            client_id,
        )

    async def reap(self) -> int:
        """Take back claims whose lease ran out."""
        return await claims.reap(self.pool)

    async def row(self, query: str, *values: Any) -> asyncpg.Record:
        """The one row that a query finds."""
        found = await self.db.fetchrow(query, *values)
        assert found is not None, f"no row: {query}"
        return found

    async def episode(self, episode_id: str) -> asyncpg.Record:
        """An episode's row."""
        return await self.row("SELECT * FROM episodes WHERE id = $1", episode_id)

    async def state(self, episode_id: str) -> str:
        """An episode's state."""
        return str((await self.episode(episode_id))["state"])

    async def email(self, episode_id: str) -> asyncpg.Record:
        """An episode's text."""
        return await self.row("SELECT * FROM emails WHERE episode_id = $1", episode_id)

    async def path(self, episode_id: str) -> list[str]:
        """The states that an episode went through."""
        rows = await self.db.fetch(
            "SELECT to_state FROM episode_history WHERE episode_id = $1 ORDER BY id", episode_id
        )
        return [row["to_state"] for row in rows]

    async def check(self) -> None:
        """The ledger adds up, every history is legal and ends in the state, one text at most."""
        states = {row["id"]: row["state"] for row in await self.db.fetch("SELECT * FROM episodes")}
        ends: dict[str, str | None] = dict.fromkeys(states)
        for row in await self.db.fetch("SELECT * FROM episode_history ORDER BY id"):
            before, after = ends[row["episode_id"]], row["to_state"]
            assert row["from_state"] == before, "the history has a gap"
            if before is None:
                assert after in ("held_out", "held", "pending")
            else:
                assert after in TRANSITIONS[before], f"{before} -> {after}"
            assert "" not in (row["reason"], row["actor"])
            ends[row["episode_id"]] = after
        assert ends == states, "a history ends elsewhere"
        by_state = await self.db.fetchval(
            "SELECT sum(n) FROM (SELECT count(*) AS n FROM episodes GROUP BY state) counted"
        )
        assert (by_state or 0) == len(states)
        bare = await self.db.fetchval(
            "SELECT count(*) FROM episodes e WHERE state IN ('draft', 'written')"
            " AND NOT EXISTS (SELECT FROM emails m WHERE m.episode_id = e.id)"
        )
        assert bare == 0
        waiting = await self.db.fetchval(
            "SELECT count(*) FROM episodes WHERE state = 'deferred' AND until IS NULL"
        )
        assert waiting == 0, "nobody knows until when"


@asynccontextmanager
async def open_desk(server: Database, folder: Path) -> AsyncIterator[Desk]:
    """Build the mailer's parts; business time stands at NOON."""
    clock_file = folder / "clock.json"
    write_anchor(clock_file, Anchor(REAL_TIME.wall, NOON, 0))
    url = SecretStr(server.mailer_url)
    settings = Settings(
        kafka_bootstrap_servers="nowhere",
        database_url=url,
        openrouter_api_key=SecretStr("key"),
        openrouter_model=ASKING.model,
        openrouter_provider=ASKING.provider,
        holdout_salt=SecretStr("salt"),
        clock_file=clock_file,
    )
    clock, log = BusinessClock(clock_file), structlog.get_logger()
    days, policies, beat = Days(clock, settings), Policies(), Heartbeat(60)
    pool = await database.connect(url)
    people = await asyncpg.create_pool(server.admin_url, min_size=1, max_size=4)
    db = await asyncpg.connect(server.admin_url)
    try:
        yield Desk(
            db,
            pool,
            people,
            url,
            server.admin_url,
            clock_file,
            Recorder(pool, policies, clock, settings, on_pending=_nothing, log=log),
            Results(pool, policies, days, ASKING, metrics=Metrics(), log=log),
            Decisions(pool, Judgement(policies, days), _nothing, beat, log),
            Wishes(pool, policies, days, beat, log),
            Release(pool, policies, days, _nothing, beat=beat, log=log),
            policies,
            days,
        )
    finally:
        await db.close()
        await people.close()
        await pool.close()


def _nothing() -> None:
    """There is nobody to wake."""


def later(days: float) -> datetime:
    """A business time so many days after NOON."""
    return NOON + timedelta(days=days)
