"""The rows at hand: touched in memory, assessed once, told and acknowledged, and only then written.

A crash at any point leaves the old rows, and the records that changed them come again. Had a row
been written before its alert was acknowledged, the record coming again would be no news, and the
alert would never be sent.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from common.codec import encode
from common.errors import PoisonMessage
from common.events import ClientScored, EpisodeClosed, EpisodeOpened
from common.kafka import dead_letter_headers
from common.score.ledger import MERGED_KEPT
from common.topics import AT_RISK, SCORES
from scorer.engine import Forgotten, Moment, Outcome, Row, Rules, reassess
from scorer.outbox import Letter, Outbox
from scorer.shard import Shard, decode_row, encode_row, key_of
from scorer.table import Rows

DEAD_LETTER_PARTITION = 0


class Desk:
    """What a batch of records touched and has not settled yet."""

    def __init__(self, rows: Rows, outbox: Outbox, generation: int) -> None:
        """Read rows from ``rows``; tell through ``outbox``, as ``generation``."""
        self._rows = rows
        self._outbox = outbox
        self._generation = generation
        self._at_hand: dict[tuple[int, int], Row] = {}
        self._changed: dict[tuple[int, int], tuple[Shard, int]] = {}
        self._letters: list[Letter] = []
        self._writes: dict[int, dict[bytes, bytes]] = {}
        self._due: list[tuple[Shard, int, int | None]] = []

    def row(self, shard: Shard, client_id: int) -> Row:
        """Return a client's row: the one at hand, the stored one, or a new one."""
        place = (shard.partition, client_id)
        row = self._at_hand.get(place)
        if row is None:
            stored = self._rows.read(shard.partition, key_of(client_id))
            row = self._at_hand[place] = Row() if stored is None else decode_row(stored)
        return row

    def changed(self, shard: Shard, client_id: int, at: Moment) -> None:
        """Note that the ledger of a row at hand has changed.

        A score names the newest entities merged; so that none goes by unnamed, a client that is
        changed again and again is told of in between.
        """
        place = (shard.partition, client_id)
        _, times = self._changed.get(place, (shard, 0))
        self._changed[place] = (shard, times + 1)
        if times + 1 >= MERGED_KEPT:
            self.assess(shard, client_id, at)

    def assess(self, shard: Shard, client_id: int, at: Moment, *, opens: bool = False) -> None:
        """Assess a row at hand and queue what it has to tell, and the row itself.

        Until the partition's policy is known there is no score to tell: the ledger is kept, and the
        policy's coming assesses it.
        """
        row = self._at_hand[shard.partition, client_id]
        self._changed.pop((shard.partition, client_id), None)
        if shard.policy is not None:
            rules = Rules(shard.policy, self._generation)
            for outcome in reassess(client_id, row, at, rules, opens=opens):
                self._letters.append(_letter(outcome, shard.partition))
            self._due.append((shard, client_id, row.due))
        self.keep(shard.partition, key_of(client_id), encode_row(row))

    def keep(self, partition: int, key: bytes, value: bytes) -> None:
        """Queue a row to be written."""
        self._writes.setdefault(partition, {})[key] = value

    def park(
        self,
        error: PoisonMessage,
        *,
        topic: str,
        partition: int,
        offset: int,
        key: bytes | None,
        value: bytes | None,
    ) -> None:
        """Queue a record that can never be used for the topic's dead letters."""
        headers = dead_letter_headers(error, topic=topic, partition=partition, offset=offset)
        self._letters.append(
            Letter(f"{topic}.dlq", DEAD_LETTER_PARTITION, key, value, tuple(headers))
        )

    async def settle(self, at: Moment) -> None:
        """Assess what changed, tell, wait for the acknowledgements, and write the rows.

        Raises Transient when something could not be told or written; the process must then end.
        """
        for (_, client_id), (shard, _) in list(self._changed.items()):
            self.assess(shard, client_id, at)
        if self._letters:
            await self._outbox.send(self._letters)
        if self._writes:
            await self._rows.write(self._writes)
        for shard, client_id, due in self._due:
            shard.due.put(client_id, due)
        self._at_hand, self._letters, self._writes, self._due = {}, [], {}, []


def _letter(outcome: Outcome, partition: int) -> Letter:
    key = key_of(outcome.client_id)
    if isinstance(outcome, Forgotten):
        return Letter(SCORES.name, partition, key, None)
    topic = SCORES if isinstance(outcome, ClientScored) else AT_RISK
    value = encode(
        outcome,
        id=":".join(str(part) for part in _identity(outcome)),
        source="scorer",
        subject=str(outcome.client_id),
        time=datetime.now(UTC),
    )
    return Letter(topic.name, partition, key, value)


def _identity(outcome: ClientScored | EpisodeOpened | EpisodeClosed) -> Iterable[object]:
    """Name the fact: the same for every copy of it."""
    match outcome:
        case ClientScored():
            yield from ("score", outcome.client_id, outcome.version, outcome.policy_version)
            yield from (outcome.day, outcome.generation)
        case EpisodeOpened():
            yield from ("opened", outcome.episode_id, outcome.as_of.isoformat())
        case EpisodeClosed():
            yield from ("closed", outcome.episode_id, outcome.as_of.isoformat())
