"""One claimed episode, from prompt to result: look, ask outside of transactions, check, settle."""

import random

from common.clock import EPOCH
from common.logs import Logger
from mailer import calls, rules
from mailer.checks import Draft, broken_rules, read
from mailer.claims import Claim
from mailer.gate import Gate
from mailer.ledger import Change
from mailer.openrouter import Call, OpenRouter
from mailer.prompt import Facts, Messages, facts_of, hash_of, messages_for
from mailer.results import Results
from mailer.rules import ATTEMPTS_MAX, RETRY_AFTER_MAX_S
from mailer.standing import Days
from mailer.verdicts import Answer, Failed, Paused, Refused, Retry, Unusable, Verdict

TEXTS_MAX = 2
"""A text that cannot be used is written anew once."""


class Writer:
    """Works off claims, many at once; each ends in exactly one change of state."""

    def __init__(
        self,
        model: OpenRouter,
        gate: Gate,
        results: Results,
        days: Days,
        *,
        retry_base_s: float,
        log: Logger,
    ) -> None:
        """Ask ``model``, tell ``gate`` how it went, and write ``results``."""
        self._model = model
        self._gate = gate
        self._results = results
        self._days = days
        self._retry_base_s = retry_base_s
        self._log = log

    async def write(self, claim: Claim) -> None:
        """Work off one claim; the client is looked at anew before each call."""
        problems: tuple[str, ...] = ()
        while (seen := await self._results.look(claim)) is not None:
            profile, texts = seen
            if texts >= TEXTS_MAX:
                said = ", ".join(problems) or "see the calls"
                reason = f"no usable text in {TEXTS_MAX} tries: {said}"
                await self._results.settle(claim, Change("writing", "rejected", reason))
                break
            silent_days = self._days.today() - (claim.last_order_day - EPOCH).days
            facts = facts_of(
                profile.first_name, profile.style_tags, profile.categories, silent_days
            )
            messages = messages_for(facts, problems)
            call_id, call = await self._ask(claim, messages)
            draft, problems = checked(call.verdict, facts)
            if draft is not None:
                self._gate.worked()
                await self._results.accept(claim, call_id, call, draft, hash_of(messages))
                return
            if not problems:
                change = self._change_after(claim, call.verdict)
                made = (call_id, call, calls.outcome_of(call))
                await self._results.settle(claim, change, made)
                return
            self._gate.worked()
            await self._results.note_unusable(call_id, call, problems)
        self._gate.leave()

    async def _ask(self, claim: Claim, messages: Messages) -> tuple[int, Call]:
        call_id = await self._results.begin_call(claim)
        call = await self._model.complete(messages)
        self._log.info(
            "model called",
            episode=claim.episode_id,
            attempt=claim.attempt,
            outcome=calls.outcome_of(call),
            status=call.receipt.status,
            generation=call.receipt.generation_id,
            latency_ms=call.latency_ms,
        )
        return call_id, call

    def _change_after(self, claim: Claim, verdict: Verdict) -> Change:
        """Tell the gate what a call without a text means, and say what becomes of the episode."""
        match verdict:
            case Paused(reason):
                self._gate.close(reason)
                return Change("writing", "pending", f"paused: {reason}", attempts=-1)
            case Retry(reason, after_s):
                return self._after_failure(claim, reason, after_s)
            case Refused(reason):
                self._gate.worked()
                return Change("writing", "rejected", reason)
            case Failed(reason):
                self._gate.worked()
                return Change("writing", "failed", reason)
            case Answer() | Unusable():
                raise AssertionError("a text has problems or is accepted")

    def _after_failure(self, claim: Claim, reason: str, after_s: float | None) -> Change:
        bounded = None if after_s is None else min(after_s, RETRY_AFTER_MAX_S)
        self._gate.struggled(claim.episode_id, reason, bounded)
        if self._gate.closed:
            return Change("writing", "pending", f"paused: {reason}", attempts=-1)
        failures = claim.attempt - claim.lost
        if failures >= ATTEMPTS_MAX:
            return Change("writing", "failed", f"all attempts are used up: {reason}")
        wait = rules.wait_s(failures, self._retry_base_s, random.random(), bounded)  # noqa: S311
        return Change("writing", "pending", reason, wait_s=wait)


def checked(verdict: Verdict, facts: Facts) -> tuple[Draft | None, tuple[str, ...]]:
    """Return a draft that passed, or what is wrong with the text; neither when there is no text."""
    match verdict:
        case Answer(content):
            draft = read(content)
            if isinstance(draft, str):
                return None, (draft,)
            problems = broken_rules(draft, facts)
            return (None, problems) if problems else (draft, ())
        case Unusable(reason):
            return None, (reason,)
        case _:
            return None, ()
