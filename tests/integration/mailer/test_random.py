"""Whatever happens in whatever order, and at once: the ledger adds up after every step."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from common.clock import EPOCH
from mailer.episodes import ledger
from mailer.episodes.deferral import Hindrance, Until
from mailer.episodes.ledger import Change
from mailer.episodes.permission import may_send
from mailer.writing.claims import Claim
from tests.integration.mailer.desk import NOON, Desk, later

STEPS = 60
AT_ONCE = 3
CLIENTS = 5
TODAY = (NOON.date() - EPOCH).days
SILENCES = (20, 60, 100)
WORDS = {
    "subject": "Come by",
    "body": "Dear Anna, come by some day; the shop is not the same without you, and I mean it.",
}


class Chance:
    """One random history: what it does next depends on its seed and on what it finds."""

    def __init__(self, desk: Desk, clients: list[int], seed: int) -> None:
        """Draw from ``seed``."""
        self._desk = desk
        self._clients = clients
        self._draw = Random(seed)
        self._claims: list[Claim] = []
        self._day = 0.0
        self._final: dict[str, str] = {}
        self.steps: list[Callable[[], Awaitable[object]]] = [
            self.open_one,
            self.open_one,
            self.open_one,
            self.close_one,
            self.claim,
            self.claim,
            self.hand_in,
            self.hand_in,
            self.hand_in,
            self.lose_leases,
            self.decide,
            self.decide,
            self.decide,
            self.send,
            self.change_the_client,
            self.pass_time,
            desk.release.turn,
            lambda: desk.wishes.sweep_all(asyncio.Event()),
        ]

    def next(self) -> Awaitable[object]:
        """Begin a random step."""
        return self._draw.choice(self.steps)()

    async def open_one(self) -> None:
        """The scorer opens an episode, a new one or one that is known."""
        silence = self._draw.choice(SILENCES)
        await self._desk.opened(
            self._draw.choice(self._clients),
            last_order_day=TODAY - silence,
            ago=self._draw.choice((0, 0, 0, 9)),
            value=self._draw.random(),
        )

    async def close_one(self) -> None:
        """The scorer closes an episode."""
        if episode := await self._some_episode():
            await self._desk.closed(episode, self._draw.choice(("order", "score", "erased")))

    async def claim(self) -> None:
        """A worker claims."""
        self._claims += await self._desk.claim(self._draw.choice((1, 3)))

    async def hand_in(self) -> None:
        """A worker, perhaps one that lost its lease, goes on with a claim."""
        if not self._claims:
            return
        claim = self._draw.choice(self._claims)
        way = self._draw.random()
        if way < 0.1:
            await self._desk.results.release(claim)
        elif way < 0.3:
            target = self._draw.choice(("rejected", "failed", "pending"))
            await self._desk.results.settle(claim, Change("writing", target, "by chance"))
        elif await self._desk.results.look(claim) is not None:
            await self._desk.accept(claim)

    async def lose_leases(self) -> None:
        """Every lease runs out."""
        await self._desk.others_do("UPDATE episodes SET lease_until = now() - interval '1 s'")
        await self._desk.reap()

    async def decide(self) -> None:
        """A person decides something, sensible or not."""
        episode = await self._some_episode()
        if episode is None:
            return
        action = self._draw.choice(
            ("release", "release", "retry", "approve", "approve", "edit", "reject", "resolve")
        )
        if self._draw.random() < 0.03:
            action = "erase"
        payload = {"edit": WORDS, "resolve": {"sent": self._draw.random() < 0.5}}.get(action, {})
        text = await self._desk.pool.fetchval(
            "SELECT draft_hash FROM emails WHERE episode_id = $1", episode
        )
        await self._desk.decide(episode, action, draft_hash=text, payload=payload)

    async def send(self) -> None:
        """A sender takes a written text as far as it may."""
        episode = await self._some_episode("written")
        if episode is None:
            return
        async with self._desk.pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT lock_client(client_id) FROM episodes WHERE id = $1", episode)
            row = await ledger.lock(conn, episode)
            if row is None or row["state"] != "written":
                return
            match await may_send(conn, row, self._desk.policies, self._desk.days):
                case Hindrance(target, reason):
                    await ledger.move_one(conn, episode, Change("written", target, reason))
                case Until() as until:
                    await ledger.postpone(conn, episode, until)
                case None:
                    end = self._draw.choice(("sent", "uncertain"))
                    await ledger.move_one(conn, episode, Change("written", "sending", "sent"))
                    await ledger.move_one(conn, episode, Change("sending", end, "sent"))

    async def change_the_client(self) -> None:
        """A client orders, cancels, changes its mind, is suppressed, or goes."""
        client = self._draw.choice(self._clients)
        way = self._draw.random()
        if way < 0.4:
            consent = self._draw.random() < 0.7
            await self._desk.others_do(
                "UPDATE clients SET consent = $2 WHERE id = $1", client, consent
            )
        elif way < 0.7:
            await self._desk.others_do(
                "INSERT INTO orders (client_id, ordered_at, amount)"
                " SELECT id, $2, 10 FROM clients WHERE id = $1",
                client,
                self._desk.days.now(),
            )
        elif way < 0.95:
            await self._desk.others_do("DELETE FROM orders WHERE client_id = $1", client)
        elif way < 0.98:
            await self._desk.suppress(client)
        else:
            await self._desk.others_do(
                "WITH none AS (DELETE FROM orders WHERE client_id = $1)"
                " DELETE FROM clients WHERE id = $1 AND NOT EXISTS"
                " (SELECT FROM orders WHERE client_id = $1)",
                client,
            )

    async def pass_time(self) -> None:
        """Hours or weeks go by; what was released before does not count against the rate."""
        self._day += self._draw.choice((0.3, 1.0, 15.0))
        self._desk.now(later(self._day))
        await self._desk.others_do("UPDATE episode_history SET at = at - interval '61 s'")

    async def check(self) -> None:
        """The ledger adds up, and no text that was final ever changes, but for being blanked."""
        await self._desk.check()
        for row in await self._desk.db.fetch("SELECT * FROM emails"):
            before = self._final.get(row["episode_id"], row["body"])
            assert row["body"] in (before, ""), "a final text was replaced"
            if row["written_as_of"] is not None:
                self._final[row["episode_id"]] = row["body"]

    async def _some_episode(self, state: str = "%") -> str | None:
        rows = await self._desk.pool.fetch(
            "SELECT id FROM episodes WHERE state LIKE $1 ORDER BY id", state
        )
        return self._draw.choice(rows)["id"] if rows else None


@pytest.mark.parametrize("seed", range(4))
async def test_the_ledger_adds_up_whatever_happens(desk: Desk, seed: int):
    """Random steps, three at a time: after each, states and histories agree and are legal."""
    await desk.policy(
        auto_approve=seed % 2 == 0,
        emails={
            "cap_days": 30,
            "quiet_hours": {"begin": "18:00", "end": "08:00"},
            "release_per_minute": 600,
        },
    )
    zones = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Nowhere/Land")
    clients = [await desk.client(time_zone=zones[n % len(zones)]) for n in range(CLIENTS)]
    chance = Chance(desk, clients, seed)
    for _ in range(STEPS):
        await asyncio.gather(*(chance.next() for _ in range(AT_ONCE)))
        await chance.check()
    seen = {row["to_state"] for row in await desk.db.fetch("SELECT * FROM episode_history")}
    assert {"pending", "writing", "deferred", "recovered"} <= seen, "chance did too little"
