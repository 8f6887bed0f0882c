"""Asking the model for one claim: a free slot, an open gate, a grant of the budget, the call."""

import asyncio
import random
import time
from dataclasses import dataclass

from common import tracing
from common.logs import Logger
from mailer.metrics import Metrics
from mailer.model import calls
from mailer.model.budget import Need, Spent, need_of
from mailer.model.directory import LookUpFailed
from mailer.model.gate import Gate
from mailer.model.grants import Grants
from mailer.model.openrouter import COMPLETION_TOKENS_MAX, Call, OpenRouter
from mailer.model.verdicts import Answer
from mailer.words.prompt import Messages, facts_of, messages_for
from mailer.writing.claims import STOPPING, Claim
from mailer.writing.pace import Pace

GRANTS_MAX = 3
"""So often a grant may run out before its call begins; then this process is too slow for now."""
LOOK_GOOD_FOR_S = 2.0
"""A client who was looked at longer ago is looked at again before the call."""
HOLD_MAX_S = 5.0
"""Budgets are looked at again after this: calls may turn out to use less than was reserved."""
HOLD_SPREAD_S = 0.25
"""Mailers that wait for the same moment come one by one."""
SAY_AGAIN_S = 60.0


@dataclass(frozen=True)
class Asked:
    """A call that was made, and its number in the log of calls."""

    call_id: int
    call: Call


@dataclass(frozen=True)
class NotAsked:
    """No call was made; the claim is to be given back, at no attempt's cost."""

    reason: str
    look_again: bool = False
    """Rather than given back: so much time passed that the client is to be looked at again."""


class Asker:
    """Keeps at most ``concurrency`` calls in flight, within the budgets."""

    def __init__(
        self,
        model: OpenRouter,
        gate: Gate,
        grants: Grants,
        concurrency: int,
        *,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Ask ``model`` while ``gate`` and ``grants`` let us."""
        self._model = model
        self._gate = gate
        self._grants = grants
        self.concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._pace = Pace(concurrency)
        self._metrics = metrics
        self._log = log
        self._said: tuple[str, float] = ("", 0.0)
        self._stopping = False

    @property
    def claims_ahead(self) -> int:
        """How many claims may wait for a slot, so that none stays empty while work is claimed.

        None where budgets decide: what cannot be asked soon is not claimed.
        """
        return 0 if self._grants.limits.any else self.concurrency // 4

    @property
    def claims_max(self) -> int:
        """How many claims may be in work at once."""
        return self.concurrency + self.claims_ahead

    def stop(self) -> None:
        """Begin no more calls: those in flight may still end."""
        self._stopping = True

    async def ask(self, claim: Claim, ticket: int, messages: Messages) -> Asked | NotAsked:
        """Ask once, as soon as a slot is free and unless the gate or a budget forbid it."""
        began = time.monotonic()
        async with self._slots:
            await asyncio.sleep(self._pace.wait_s(time.monotonic()))
            if (why := self._forbidden(ticket, began)) is not None:
                return why
            try:
                need = await self._need(messages)
            except LookUpFailed as failed:
                return NotAsked(self._price_unknown(failed))
            for _ in range(GRANTS_MAX):
                granted = await self._grants.begin(claim.episode_id, claim.attempt, need)
                if isinstance(granted, Spent):
                    return NotAsked(self._wait(granted))
                call = await self._complete(messages, granted.send_before)
                if call is not None:
                    self._pace.took(call.latency_ms / 1000)
                    self._note(claim, call)
                    return Asked(granted.call_id, call)
                await self._grants.give_up(granted.call_id)
        return NotAsked("the mailer was too slow to use what it was granted")

    async def _complete(self, messages: Messages, send_before: float | None) -> Call | None:
        """Ask the model in a span: what was used, and nothing of what was said."""
        with tracing.within("chat", kind=tracing.SpanKind.CLIENT) as span:
            call = await self._model.complete(messages, send_before)
            if call is not None:
                _describe(span, call)
            return call

    def _forbidden(self, ticket: int, began: float) -> NotAsked | None:
        """Return why a call that has waited since ``began`` may not begin now, if so."""
        if self._stopping:
            return NotAsked(STOPPING)
        if not self._gate.admits(ticket):
            return NotAsked("the model was paused before this was asked")
        late = time.monotonic() - began > LOOK_GOOD_FOR_S
        return NotAsked("it took long until a slot was free", look_again=True) if late else None

    def _price_unknown(self, failed: LookUpFailed) -> str:
        reason = f"the cost of a call is not known: {failed}"
        self._gate.close(reason)
        return reason

    async def room(self, wanted: int) -> int:
        """Return how many of ``wanted`` calls the budgets would let begin now.

        When there is none, nobody begins until there may be.
        """
        if wanted <= 0 or not self._grants.limits.any:
            return wanted
        try:
            need = await self._need(USUAL)
        except LookUpFailed as failed:
            self._price_unknown(failed)
            return 0
        left = await self._grants.room(need)
        if isinstance(left, Spent):
            self._wait(left)
            return 0
        return min(wanted, left)

    async def _need(self, messages: Messages) -> Need:
        priced = self._grants.limits.cost_per_day_usd is not None
        price = await self._model.price() if priced else None
        return need_of(messages, COMPLETION_TOKENS_MAX, price)

    def _wait(self, spent: Spent) -> str:
        """Begin nothing until the budget may allow it; return the reason."""
        reason = f"waits for the budget: {spent.reason}"
        wait = min(spent.wait_s, HOLD_MAX_S) + random.uniform(0, HOLD_SPREAD_S)  # noqa: S311
        self._gate.hold(wait, reason if spent.lasting else None)
        now = time.monotonic()
        if self._said[0] != reason or now - self._said[1] > SAY_AGAIN_S:
            self._said = (reason, now)
            say = self._log.warning if spent.lasting else self._log.info
            say("budget used up", reason=spent.reason, wait_s=round(spent.wait_s, 1))
        return reason

    def _note(self, claim: Claim, call: Call) -> None:
        self._metrics.called(call)
        self._log.info(
            "model called",
            episode=claim.episode_id,
            attempt=claim.attempt,
            outcome=calls.outcome_of(call),
            status=call.receipt.status,
            generation=call.receipt.generation_id,
            latency_ms=call.latency_ms,
        )


def _describe(span: tracing.Span, call: Call) -> None:
    """Tell of a call by the names of OpenTelemetry's conventions for generative AI."""
    receipt = call.receipt
    used = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.response.model": receipt.model,
        "gen_ai.usage.input_tokens": receipt.prompt_tokens,
        "gen_ai.usage.output_tokens": receipt.completion_tokens,
        "http.response.status_code": receipt.status,
    }
    for name, value in used.items():
        if value is not None:
            span.set_attribute(name, value)
    if not isinstance(call.verdict, Answer):
        tracing.failed(span, type(call.verdict).__name__.lower())


USUAL = messages_for(facts_of("Maximiliane", ["boho", "vintage"], ["shoes", "dresses"], 60))
"""A prompt as they usually are, to estimate how many calls a budget has room for."""
