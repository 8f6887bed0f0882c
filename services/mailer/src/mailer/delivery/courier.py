"""The courier: takes one text to the mail server, at most once."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, NamedTuple

from common import tracing
from common.unsubscribe import link_of
from mailer.database import TRANSIENT
from mailer.delivery.message import Outgoing, build, message_id_of
from mailer.delivery.outbox import Parcel
from mailer.delivery.results import Ready, Results
from mailer.delivery.settings import DeliverySettings
from mailer.delivery.smtp import Exchange, Refused, Reply, Smtp, Unavailable
from mailer.metrics import Metrics

UNKNOWN_COMMIT = "Postgres was lost just before the message went out: none of it was sent"
TOO_LATE = "too much time passed before the message went out: none of it was sent"
NOTE_LIMIT_S = 10.0
"""How long a mailer that stops or breaks still tries to note what a server said."""
REFUSED_IN_A_ROW = 3
"""So many different clients refused for good, with nobody taken between, are no wrong addresses."""
KEPT = "kept"
"""What it comes to when nothing is to be sent after all."""
WELL = frozenset({"sent", KEPT})


class CameTo(NamedTuple):
    """What became of a parcel."""

    outcome: str
    problem: str | None = None
    """Why nobody can be sent to at present."""


class Courier:
    """Carries parcels; many may be on their way at once."""

    def __init__(
        self,
        smtp: Smtp,
        results: Results,
        settings: DeliverySettings,
        lease_s: float,
        metrics: Metrics,
    ) -> None:
        """Sign links and name the sender by the settings; a parcel is ours for ``lease_s``."""
        self._smtp = smtp
        self._results = results
        self._settings = settings
        self._sender = settings.sender
        self._lease_s = lease_s
        self._metrics = metrics
        self._refused: set[int] = set()
        """The clients who were refused for good since the server last took a recipient."""
        self._put_off: Counter[str] = Counter()
        """How often each episode was given back since the server failed over its recipient."""

    async def carry(self, parcel: Parcel) -> str | None:
        """Carry one parcel; return what is wrong when nobody can be sent to at present."""
        with tracing.within("send email", parcel.traceparent) as span:
            came_to = await self._carry(parcel)
            span.set_attribute("email.outcome", came_to.outcome)
            if came_to.outcome not in WELL:
                tracing.failed(span, came_to.outcome)
            return came_to.problem

    async def _carry(self, parcel: Parcel) -> CameTo:
        ready = await self._results.look(parcel)
        if ready is None:
            return CameTo(KEPT)
        message_id = message_id_of(parcel.episode_id, self._sender.domain)
        began = time.monotonic()
        try:
            outcome = await self._exchange(parcel, ready, message_id)
        except Unavailable as error:
            self._metrics.delivered("unavailable", time.monotonic() - began)
            await self._give_back(parcel, error)
            return CameTo("unavailable", str(error))
        except Refused as error:
            self._metrics.delivered("refused", time.monotonic() - began)
            refused = self._judged(parcel, error)
            await self._results.refuse(parcel, message_id, refused)
            return CameTo("refused", str(refused) if refused.ours else None)
        if outcome != KEPT:
            self._metrics.delivered(outcome, time.monotonic() - began)
        return CameTo(outcome)

    async def _exchange(self, parcel: Parcel, ready: Ready, message_id: str) -> str:
        """Go to the server in a span of its own, and hand the message over; return the outcome."""
        with tracing.within("smtp", kind=tracing.SpanKind.CLIENT):
            async with self._smtp.exchange(ready.address) as exchange:
                self._refused.clear()
                del self._put_off[parcel.episode_id]
                return await self._hand_over(parcel, ready, message_id, exchange)

    async def _give_back(self, parcel: Parcel, error: Unavailable) -> None:
        """It may be this recipient that the server fails over: then the next is another's turn."""
        if error.at_recipient:
            self._put_off[parcel.episode_id] += 1
        await self._results.release(parcel, self._put_off[parcel.episode_id])

    def _judged(self, parcel: Parcel, refused: Refused) -> Refused:
        """One client after another has no wrong address: then it is us whom the server refuses."""
        if not refused.for_good:
            return refused
        self._refused.add(parcel.client_id)
        if len(self._refused) < REFUSED_IN_A_ROW:
            return refused
        text = f"{refused}, for one client after another"
        return Refused(text, refused.code, for_good=False, ours=True)

    async def _hand_over(
        self, parcel: Parcel, ready: Ready, message_id: str, exchange: Exchange
    ) -> str:
        """Commit that the data goes out, let it, and note what the server says.

        Returns what it came to.

        The commit is also what a sender fails at that slept while its lease ran out. Between it
        and the first byte lies no wait, only a look at the clock: who slept there sends nothing.
        """
        message = self._message(parcel, ready, message_id)
        asked = time.monotonic()
        try:
            number = await self._results.begin(parcel, ready, message_id)
        except TRANSIENT:
            await self._results.abandon(parcel, UNKNOWN_COMMIT)
            return "uncertain"
        if number is None:
            return KEPT
        if time.monotonic() - asked > self._lease_s:
            reply = Reply(None, TOO_LATE)
        else:
            reply = await exchange.send(message)
        await _to_its_end(self._results.finish(parcel, number, reply))
        return "sent" if reply.accepted else "uncertain"

    def _message(self, parcel: Parcel, ready: Ready, message_id: str) -> bytes:
        key = self._settings.link_key
        assert key is not None  # noqa: S101 - the settings demand it of everyone who sends
        return build(
            Outgoing(
                sender=self._sender,
                recipient=ready.address,
                letter=ready.letter,
                message_id=message_id,
                link=link_of(self._settings.unsubscribe_base_url, parcel.client_id, key),
                date=datetime.now(UTC),
            )
        )


async def _to_its_end(noting: Coroutine[Any, Any, None]) -> None:
    """Note what is known now, though we are cancelled meanwhile: later nobody knows it any more."""
    task = asyncio.create_task(noting)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=NOTE_LIMIT_S)
        raise
