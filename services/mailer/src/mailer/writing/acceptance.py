"""What becomes of checked texts: those that come at about the same time, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from common.logs import Logger
from mailer.database import Connection, Pool
from mailer.episodes import ledger
from mailer.episodes.emails import Provenance, Text, store
from mailer.episodes.ledger import POLICY, Change
from mailer.episodes.policies import Policies
from mailer.episodes.standing import Days, Standing
from mailer.model import calls
from mailer.model.calls import Asking, Ended
from mailer.model.openrouter import Call
from mailer.words.checks import RULES
from mailer.words.letter import render
from mailer.words.prompt import PROMPT_VERSION
from mailer.words.told import Draft
from mailer.writing.claims import Claim
from mailer.writing.recheck import recheck

CHECKED = "the text passed the checks"
ACCEPTED = "accepted"
DISCARDED = "discarded"
LOCK_WAIT = "200ms"
"""Texts that wait longer for one client's lock are done one by one, so that only that one waits.
Less than Postgres waits (1 s) before it looks for deadlocks: nobody else is ended over it."""
LOCK_CLIENTS = "SELECT count(lock_client(which)) FROM unnest($1::bigint[]) AS which"
RULE_NAMES = [rule.name for rule in RULES]


class Written(NamedTuple):
    """A text that passed the checks, the claim it was written under and the call it came from."""

    claim: Claim
    call_id: int
    call: Call
    draft: Draft
    prompt_hash: str


class Crowded(Exception):
    """Somebody holds one of the clients: nothing was done for any of them."""


class Acceptance:
    """Stores texts, unless anything changed while they were written."""

    def __init__(
        self, pool: Pool, policies: Policies, days: Days, asking: Asking, log: Logger
    ) -> None:
        """Name the model as in ``asking`` where its answer does not; log what else is settled."""
        self._pool = pool
        self._policies = policies
        self._days = days
        self._asking = asking
        self._log = log

    async def accept(self, texts: Sequence[Written]) -> list[str]:
        """Accept or discard each text, all in one transaction; return the outcomes in their order.

        Each is fenced by its claim's token and judged with its client's row locked, as if it came
        alone. Raises Crowded when one of several clients is held by somebody else.
        """
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                return await self._accept(conn, texts)
        except asyncpg.LockNotAvailableError:
            if len(texts) > 1:
                raise Crowded from None
            raise

    async def _accept(self, conn: Connection, texts: Sequence[Written]) -> list[str]:
        if len(texts) > 1:
            await conn.execute("SELECT set_config('lock_timeout', $1, true)", LOCK_WAIT)
        # Orders of these clients wait from here on; those committed before are seen by the
        # statements that follow, since each takes a new snapshot. All lock in one order.
        await conn.execute(LOCK_CLIENTS, sorted({text.claim.client_id for text in texts}))
        found: dict[Claim, Standing | str] = {}
        for group in _one_a_client(texts):
            held = [text.claim for text in group]
            now_found = await recheck(conn, held, self._policies, self._days, self._log)
            await self._store(conn, group, now_found)
            found |= now_found
        outcomes = [_outcome(found[text.claim]) for text in texts]
        ended = zip(texts, outcomes, strict=True)
        await calls.finish(conn, [Ended(text.call_id, text.call, how) for text, how in ended])
        return outcomes

    async def _store(
        self, conn: Connection, texts: Sequence[Written], found: dict[Claim, Standing | str]
    ) -> None:
        now = self._days.now()
        accepted: list[Text] = []
        drafts: list[str] = []
        final: dict[int, list[str]] = {}
        for text in texts:
            standing = found[text.claim]
            if isinstance(standing, str):
                continue
            as_of = now if standing.auto_approve else None
            accepted.append(self._text(text, as_of))
            group = final.setdefault(standing.policy_version, []) if as_of else drafts
            group.append(text.claim.episode_id)
        if not accepted:
            return
        await store(conn, accepted)
        checked = Change("writing", "draft", CHECKED)
        if drafts:
            await ledger.move_all(conn, drafts, checked)
        for version, ids in final.items():
            approved = Change("draft", "written", f"approved by policy {version}", POLICY)
            await ledger.pass_through(conn, ids, checked, approved)

    def _text(self, text: Written, as_of: datetime | None) -> Text:
        receipt, claim = text.call.receipt, text.claim
        origin = Provenance(
            text.draft.facts_used,
            PROMPT_VERSION,
            text.prompt_hash,
            receipt.model or self._asking.model,
            receipt.provider or self._asking.provider,
            receipt.generation_id or "",
            self._asking.sandbox,
            RULE_NAMES,
        )
        return Text(claim.episode_id, claim.client_id, render(text.draft), origin, as_of)


def _one_a_client(texts: Sequence[Written]) -> list[list[Written]]:
    """Group texts so that no client is twice in a group: a text may cap the client's next one."""
    groups: list[list[Written]] = []
    turn: Counter[int] = Counter()
    for text in texts:
        at = turn[text.claim.client_id]
        turn[text.claim.client_id] += 1
        if at == len(groups):
            groups.append([])
        groups[at].append(text)
    return groups


def _outcome(found: Standing | str) -> str:
    return f"{DISCARDED}: {found}" if isinstance(found, str) else ACCEPTED
