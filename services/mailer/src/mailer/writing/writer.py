"""One claimed episode, from prompt to result: look, ask outside of transactions, check, settle."""

import random

from common import tracing
from common.clock import number_of
from common.logs import Logger
from mailer.episodes import rules
from mailer.episodes.ledger import Change
from mailer.episodes.rules import ATTEMPTS_MAX
from mailer.episodes.standing import Days
from mailer.model import calls
from mailer.model.gate import Gate
from mailer.model.verdicts import (
    Answer,
    Failed,
    Misrouted,
    Paused,
    Refused,
    Retry,
    Unusable,
    Verdict,
)
from mailer.words.checks import Draft, broken_rules, read
from mailer.words.prompt import Facts, facts_of, hash_of, messages_for
from mailer.writing.asking import Asked, Asker, NotAsked
from mailer.writing.claims import Claim
from mailer.writing.results import Results

TEXTS_MAX = 2
"""A text that cannot be used is written anew once."""


class Writer:
    """Works off claims, many at once; each ends in exactly one change of state."""

    def __init__(
        self,
        asker: Asker,
        gate: Gate,
        results: Results,
        days: Days,
        *,
        retry_base_s: float,
        log: Logger,
    ) -> None:
        """Ask by ``asker``, tell ``gate`` how it went, and write ``results``."""
        self._asker = asker
        self._gate = gate
        self._results = results
        self._days = days
        self._retry_base_s = retry_base_s
        self._log = log

    async def write(self, claim: Claim, ticket: int) -> None:
        """Work off one claim, made under the gate's ``ticket``.

        The client is looked at anew before each call.
        """
        with tracing.within("write email", claim.traceparent):
            await self._write(claim, ticket)

    async def _write(self, claim: Claim, ticket: int) -> None:
        problems: tuple[str, ...] = ()
        while (seen := await self._results.look(claim)) is not None:
            profile, texts = seen
            if texts >= TEXTS_MAX:
                said = ", ".join(problems) or "see the calls"
                reason = f"no usable text in {TEXTS_MAX} tries: {said}"
                await self._results.settle(claim, Change("writing", "rejected", reason))
                break
            silent_days = self._days.today() - number_of(claim.last_order_day)
            facts = facts_of(
                profile.first_name, profile.style_tags, profile.categories, silent_days
            )
            messages = messages_for(facts, problems)
            asked = await self._asker.ask(claim, ticket, messages)
            if isinstance(asked, NotAsked):
                if asked.look_again:
                    continue
                change = Change("writing", "pending", asked.reason, attempts=-1)
                await self._results.settle(claim, change)
                break
            draft, problems = checked(asked.call.verdict, facts)
            if draft is not None:
                self._gate.worked(ticket)
                await self._results.accept(
                    claim, asked.call_id, asked.call, draft, hash_of(messages)
                )
                return
            if not problems:
                await self._settle(claim, ticket, asked)
                return
            self._gate.worked(ticket)
            await self._results.note_unusable(asked.call_id, asked.call, problems)
        self._gate.leave(ticket)

    async def _settle(self, claim: Claim, ticket: int, asked: Asked) -> None:
        change = self._change_after(claim, ticket, asked.call.verdict)
        made = (asked.call_id, asked.call, calls.outcome_of(asked.call))
        await self._results.settle(claim, change, made)

    def _change_after(self, claim: Claim, ticket: int, verdict: Verdict) -> Change:
        """Tell the gate what a call without a text means, and say what becomes of the episode."""
        match verdict:
            case Paused(reason):
                self._gate.close(reason)
                return _excused(reason)
            case Retry(reason, after_s):
                if self._gate.struggled(ticket, claim.episode_id, reason, after_s):
                    return self._excused_for_now(reason)
                return self._after_failure(claim, reason, after_s)
            case Refused(reason):
                self._gate.worked(ticket)
                return Change("writing", "rejected", reason)
            case Failed(reason) | Misrouted(reason):
                misrouted = isinstance(verdict, Misrouted)
                if self._gate.refused(ticket, claim.episode_id, reason, misrouted=misrouted):
                    return self._excused_for_now(reason)
                return Change("writing", "failed", reason)
            case Answer() | Unusable():
                raise AssertionError("a text has problems or is accepted")

    def _excused_for_now(self, reason: str) -> Change:
        """The next trial is another episode's: this one's call may fail for its own sake."""
        return _excused(reason, 2 * self._gate.probe_wait_s)

    def _after_failure(self, claim: Claim, reason: str, after_s: float | None) -> Change:
        failures = claim.attempt - claim.lost
        if failures >= ATTEMPTS_MAX:
            return Change("writing", "failed", f"all attempts are used up: {reason}")
        wait = rules.wait_s(failures, self._retry_base_s, random.random(), after_s)  # noqa: S311
        return Change("writing", "pending", reason, wait_s=wait)


def _excused(reason: str, wait_s: float | None = None) -> Change:
    """Everybody's trouble is nobody's attempt."""
    return Change("writing", "pending", f"paused: {reason}", attempts=-1, wait_s=wait_s)


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
