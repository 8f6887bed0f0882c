"""The rows at hand: touched in memory, assessed once a batch, and handed on as a sheet.

Nothing is told or written here. A crash at any point leaves the old rows, and the records that
changed them come again.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from common.errors import PoisonMessage
from common.kafka import dead_letter_headers
from common.score.ledger import MERGED_KEPT
from common.tracing import Span
from scorer.engine import Moment, Outcome, Rules, reassess_many
from scorer.letters import letter
from scorer.pipeline import Pipeline
from scorer.records import Record
from scorer.rows import Row, dump, head_key, load
from scorer.shard import Shard
from scorer.sheet import Sheet
from scorer.table import Store
from scorer.traces import Traces
from scorer.voice import Voice
from scorer.writer import Letter

DEAD_LETTER_PARTITION = 0

LONG_ROWS_KEPT = 256
"""Long ledgers kept decoded: some 100 kB each, and to read one again takes milliseconds."""


class Desk:
    """What a batch has touched and not handed on yet."""

    def __init__(
        self, store: Store, pipeline: Pipeline, voices: dict[int, Voice], generation: int
    ) -> None:
        """Read rows from ``pipeline`` where they are on their way, else from ``store``.

        Partitions in which a generation does not speak, by ``voices``, have nothing to tell.
        """
        self._store = store
        self._pipeline = pipeline
        self._voices = voices
        self._generation = generation
        self._long: OrderedDict[tuple[int, int], Row] = OrderedDict()
        self._sheet = Sheet()
        self._changed: dict[int, dict[int, int]] = {}
        self._shards: dict[int, Shard] = {}
        self.traces = Traces()
        pipeline.on_settled = self._settled

    def read(self, topic: str, records: int, oldest_ms: int | None = None) -> None:
        """Note what the sheet is about; ``oldest_ms`` is a record's time on its lane."""
        sheet = self._sheet
        sheet.records[topic] += records
        if oldest_ms is not None and (sheet.oldest_ms is None or oldest_ms < sheet.oldest_ms):
            sheet.oldest_ms = oldest_ms

    def trace(self, client_id: int, topic: str, partition: int, record: Record) -> None:
        """Go on with the trace of a client's change; one without a trace ends the one before."""
        span = self.traces.take(client_id, record.headers, (topic, partition, record.offset))
        if span is not None:
            self.follow(span)

    def follow(self, span: Span) -> None:
        """End a record's span once what becomes of the record is durable."""
        self._sheet.spans.append(span)

    def fetch(self, shard: Shard, clients: Collection[int]) -> dict[int, Row]:
        """Get the rows of clients to hand, all of them at once; unknown ones get a new row.

        Returns all rows of the partition that are at hand, by client.
        """
        partition = shard.partition
        at_hand = self._sheet.touched.setdefault(partition, {})
        missing: list[int] = []
        for client_id in clients:
            if client_id in at_hand:
                continue
            row = self._pipeline.find(partition, client_id)
            if row is None:
                row = self._long.get((partition, client_id))
            if row is None:
                missing.append(client_id)
            else:
                at_hand[client_id] = row
        if missing:
            heads = self._store.read(partition, [head_key(client_id) for client_id in missing])
            for client_id, head in zip(missing, heads, strict=True):
                at_hand[client_id] = load(
                    client_id, head, lambda key: self._store.read(partition, [key])[0]
                )
        return at_hand

    def changed(self, shard: Shard, client_id: int, at: Moment) -> None:
        """Note that the ledger of a row at hand has changed.

        A score names the newest entities merged; so that none goes by unnamed, a client that is
        changed again and again is told of in between.
        """
        self._shards[shard.partition] = shard
        changed = self._changed.setdefault(shard.partition, {})
        times = changed.get(client_id, 0) + 1
        changed[client_id] = times
        if times >= MERGED_KEPT:
            self.assess(shard, [client_id], at)

    def assess(
        self,
        shard: Shard,
        clients: Collection[int],
        at: Moment,
        *,
        opens: bool = False,
        takes_over: bool = False,
    ) -> None:
        """Assess rows at hand together, and queue what they have to tell, and the rows.

        Until the partition's policy is known there is no score to tell: the ledger is kept, and the
        policy's coming assesses it.
        """
        partition = shard.partition
        at_hand = self._sheet.touched[partition]
        changed = self._changed.get(partition, {})
        items = [(client_id, at_hand[client_id]) for client_id in clients]
        page = self._sheet.page(partition)
        if shard.policy is not None:
            rules = Rules(shard.policy, self._generation)
            told = reassess_many(items, at, rules, opens=opens, takes_over=takes_over)
            if self._voices[partition].speaks:
                page.letters += self._letters(told, partition)
                self._sheet.told.update(type(one).__name__.lower() for one in told)
            for client_id, row in items:
                shard.due.put(client_id, row.due)
        for client_id, row in items:
            changed.pop(client_id, None)
            page.rows.update(dump(client_id, row))

    def _letters(self, told: Sequence[Outcome], partition: int) -> list[Letter]:
        time, traces = datetime.now(UTC), self.traces
        if not traces:
            return [Letter(*letter(one, partition, time)) for one in told]
        return [
            Letter(*letter(one, partition, time), traces.headers(one.client_id)) for one in told
        ]

    def keep(self, partition: int, key: bytes, value: bytes) -> None:
        """Queue a row of the partition's own to be written."""
        self._sheet.page(partition).rows[key] = value

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
        """Queue a record that can never be used for the topic's dead letters.

        A silent generation parks as well: twice is harmless, and between two generations nobody
        may pass over it.
        """
        self._sheet.parked[topic, error.reason] += 1
        headers = dead_letter_headers(error, topic=topic, partition=partition, offset=offset)
        self._sheet.page(partition).letters.append(
            Letter(f"{topic}.dlq", DEAD_LETTER_PARTITION, key, value, tuple(headers))
        )

    def close(self, at: Moment, events: Collection[Any] = ()) -> Sheet:
        """Assess what changed, and return the sheet that settles ``events``."""
        for partition, changed in self._changed.items():
            if changed:
                self.assess(self._shards[partition], list(changed), at)
        sheet, self._sheet = self._sheet, Sheet()
        self._changed, self._shards = {}, {}
        sheet.events += events
        return sheet

    def forget(self) -> None:
        """Drop every row at hand: partitions were taken away."""
        self._sheet, self._changed, self._shards = Sheet(), {}, {}
        self._long.clear()
        self.traces.forget()

    def _settled(self, sheet: Sheet) -> None:
        """Keep long rows decoded; the others are read again faster than they would be kept."""
        long = self._long
        for partition, rows in sheet.touched.items():
            for client_id, row in rows.items():
                if row.directory:
                    long[partition, client_id] = row
                    long.move_to_end((partition, client_id))
                elif long:
                    long.pop((partition, client_id), None)
        while len(self._long) > LONG_ROWS_KEPT:
            self._long.popitem(last=False)
