"""What an event of the scorer does to the ledger: opens an episode, ends one, opens one again."""

from collections.abc import Callable
from datetime import timedelta
from math import isfinite
from typing import Any

import asyncpg

from common import tracing
from common.clock import BusinessClock, date_of
from common.errors import PoisonMessage
from common.events import EpisodeClosed, EpisodeOpened, Event
from common.logs import Logger
from mailer.database import Pool, persistently, saying_away
from mailer.episodes import ledger, rules
from mailer.episodes.emails import blank, erased
from mailer.episodes.ledger import SCORER, Change, Opening
from mailer.episodes.policies import Policies
from mailer.episodes.standing import CLIENT_GONE, Days, standing_of
from mailer.episodes.states import WITHDRAWABLE, State
from mailer.episodes.wishes import CHANNEL as WISHES
from mailer.settings import Settings

SCORE_ROSE = "the score rose: late or corrected data"
CLOSED_BECAUSE = {"order": "an order was counted", "score": SCORE_ROSE}
OPENED_AGAIN = "fell at risk again: no order is counted since"
LONG_AGO = "fell at risk again, but too long ago to write unasked: a person may release it"


class Recorder:
    """Records episodes, each event in one transaction; any event may come twice, or late."""

    def __init__(
        self,
        pool: Pool,
        policies: Policies,
        clock: BusinessClock,
        settings: Settings,
        *,
        on_pending: Callable[[], None],
        log: Logger,
    ) -> None:
        """Call ``on_pending`` whenever there may be work."""
        self._pool = pool
        self._policies = policies
        self._clock = clock
        self._days = Days(clock, settings)
        self._salt = settings.holdout_salt.get_secret_value()
        self._tick_s = settings.tick_period_s
        self._on_pending = on_pending
        self._log = log
        self._retrying = saying_away(log)

    async def record(self, event: Event[Any]) -> None:
        """Record one event; raises PoisonMessage, and Transient when Postgres stays away."""
        try:
            await persistently(lambda: self._record(event), self._retrying)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError) as error:
            raise PoisonMessage("unstorable", type(error).__name__) from error

    async def _record(self, event: Event[Any]) -> None:
        match event.data:
            case EpisodeOpened() as opened:
                await self._opened(opened)
            case EpisodeClosed(reason="erased") as closed:
                await self._erased(closed, event)
            case EpisodeClosed() as closed:
                await self._closed(closed)

    async def _opened(self, event: EpisodeOpened) -> None:
        opening = _opening_of(event)
        state = await self._pool.fetchval("SELECT state FROM episodes WHERE id = $1", opening.id)
        if state == "recovered":
            await self._opened_again(event, opening)
        elif state is None:
            begins, why = await self._beginning(event, again=False)
            async with self._pool.acquire() as conn, conn.transaction():
                if await ledger.begin(conn, opening, begins, why):
                    if begins == "held":  # nobody works on it, and a wish may be older than it is
                        await conn.execute(
                            "SELECT pg_notify($1, $2)", WISHES, str(opening.client_id)
                        )
                    self._log.info("episode recorded", episode=opening.id, state=begins)
            self._on_pending()

    async def _beginning(self, event: EpisodeOpened, *, again: bool) -> tuple[State, str]:
        """Return the state that the opening leads to, and why; who is held out shows but once."""
        policy = await self._policies.version(self._pool, event.policy_version)
        drawn = rules.in_holdout(self._salt, event.client_id, policy.holdout_percent)
        return rules.beginning(
            policy,
            held_out=drawn and not again,
            crossing_day=event.crossing_day,
            as_of=event.as_of,
            zone=self._days.zone,
            tick=timedelta(seconds=self._tick_s * self._clock.anchor().rate),
        )

    async def _opened_again(self, event: EpisodeOpened, opening: Opening) -> None:
        """A recovered episode is opened again: Postgres decides whether the client is silent."""
        begins, _ = await self._beginning(event, again=True)
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT lock_client($1)", opening.client_id)
            row = await ledger.lock(conn, opening.id)
            if row is None or row["state"] != "recovered" or _is_old_news(row, event):
                return
            standing = await standing_of(conn, row, self._policies, self._days)
            if standing.hindrance is not None or await erased(conn, opening.id):
                return
            if standing.was_final:  # a text that is kept keeps the evidence that it came from
                await ledger.keep_opening(conn, opening)
            else:
                await ledger.renew(conn, opening)
            if begins == "held":
                await ledger.restate(conn, opening.id, LONG_AGO, SCORER)
            else:
                change = Change("recovered", "pending", OPENED_AGAIN, SCORER, afresh=True)
                await ledger.move_one(conn, opening.id, change)
            self._log.info("episode opened again", episode=opening.id, held=begins == "held")
        self._on_pending()

    async def _closed(self, event: EpisodeClosed) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            row = await ledger.lock(conn, event.episode_id)
            may_be_released = row is not None and is_releasable(row)
            if row is None or not (row["state"] in WITHDRAWABLE or may_be_released):
                self._log.debug("nothing to close", episode=event.episode_id)
                return
            _same_client(row, event)
            if event.as_of < row["opened_as_of"]:
                # Read again, or late: the opening that counts came after it. An order that is
                # there all the same is found in Postgres before anything is written or sent.
                self._log.debug("closed before it was opened", episode=event.episode_id)
                return
            why = CLOSED_BECAUSE[event.reason]
            if row["state"] == "recovered":
                await ledger.restate(conn, event.episode_id, why, SCORER)
            else:
                change = Change(row["state"], "recovered", why, SCORER)
                await ledger.move_one(conn, event.episode_id, change)
            self._log.info("episode closed", episode=event.episode_id, reason=event.reason)

    async def _erased(self, closed: EpisodeClosed, event: Event[Any]) -> None:
        """The client is gone: end what is open and blank every text written until then."""
        async with self._pool.acquire() as conn, conn.transaction():
            rows = await conn.fetch(
                "SELECT * FROM episodes WHERE client_id = $1 AND (id = $2 OR created_at <= $3)"
                " ORDER BY id FOR UPDATE",
                closed.client_id,
                closed.episode_id,
                event.time,
            )
            for row in rows:
                if row["state"] in WITHDRAWABLE:
                    change = Change(row["state"], "suppressed", CLIENT_GONE, SCORER)
                    await ledger.move_one(conn, row["id"], change)
            await blank(conn, [row["id"] for row in rows])
            self._log.info("client erased", episodes=len(rows))


def _opening_of(event: EpisodeOpened) -> Opening:
    if not isfinite(event.value):
        raise PoisonMessage("invalid", "the value at risk is no number")
    try:
        last_order_day, crossing_day = date_of(event.last_order_day), date_of(event.crossing_day)
    except OverflowError:
        raise PoisonMessage("invalid", "a day lies outside the calendar") from None
    return Opening(
        id=event.episode_id,
        client_id=event.client_id,
        last_order_day=last_order_day,
        crossing_day=crossing_day,
        opened_as_of=event.as_of,
        score=event.score,
        value_at_risk=event.value,
        policy_version=event.policy_version,
        event=event.model_dump_json(),
        traceparent=tracing.sampled(),
    )


def _same_client(row: asyncpg.Record, event: EpisodeClosed) -> None:
    if row["client_id"] != event.client_id:
        raise PoisonMessage("inconsistent", "the episode belongs to another client")


def _is_old_news(row: asyncpg.Record, event: EpisodeOpened) -> bool:
    """Whether an opening was told before the close that ended it.

    Orders are in Postgres, where they speak for themselves; that a score rose is not, so there only
    an opening later than the known one counts. The same holds where a person may release it.
    """
    unexplained = row["reason"] == SCORE_ROSE or is_releasable(row)
    return bool(unexplained and event.as_of <= row["opened_as_of"])


def is_releasable(row: asyncpg.Record) -> bool:
    """Whether an episode waits for a person's release, or was released and waits for its turn."""
    if row["state"] == "recovered":
        return bool(row["reason"] == LONG_AGO or row["until"] is not None)
    return bool(row["state"] == "held")
