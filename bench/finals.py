"""Each client's final score: as a contender told it, and as it must be."""

from collections.abc import Iterable, Mapping

import msgspec

from bench.broker import Broker
from bench.errors import BenchFailed
from bench.work import Work, read, unpacked
from bench.workload import MOMENT, Written
from common.topics import SCORES
from scorer.rows import Row


class Judged(msgspec.Struct):
    """What must be the same, whoever computed it."""

    client_id: int
    version: int
    day: int
    score: float | None
    state: str
    crossing_day: int | None
    lapse_day: int | None


class _Event(msgspec.Struct):
    data: Judged


_read = msgspec.json.Decoder(_Event).decode


def reference(load: Iterable[Written]) -> dict[int, Judged]:
    """Return each client's final score, by the pure functions alone, one client at a time."""
    work = Work(lambda: MOMENT)
    rows: dict[int, Row] = {}
    for record in load:
        image = read(record.value)
        work.merge(rows.setdefault(image.client_id, unpacked(image.client_id, None)), image)
    told = (value for one in rows.items() for _, value in work.assess([one]))
    found = (_read(value).data for value in told if value is not None)
    return {judged.client_id: judged for judged in found}


class Finals:
    """The newest score of each client, and where it lies, as far as the topic was read."""

    def __init__(self, begin: dict[int, int]) -> None:
        """Begin at these offsets of the scores."""
        self.scores: dict[int, Judged] = {}
        self._at = dict(begin)
        self._place: dict[int, tuple[int, int]] = {}

    def read(self, broker: Broker) -> None:
        """Read on to where the scores end now."""
        for message in broker.read(SCORES, self._at):
            partition, offset = message.partition() or 0, message.offset() or 0
            self._at[partition] = offset + 1
            value = message.value()
            if value is None:
                continue
            found = _read(value).data
            known = self.scores.get(found.client_id)
            if known is None or found.version > known.version:
                self.scores[found.client_id] = found
                self._place[found.client_id] = partition, offset

    def complete(self, expected: dict[int, int]) -> bool:
        """Whether every client's last order is counted in its score."""
        scores = self.scores
        return len(scores) >= len(expected) and all(
            scores[client].version == version for client, version in expected.items()
        )

    @property
    def last(self) -> dict[int, int]:
        """The offset of the last final score in each partition."""
        found: dict[int, int] = {}
        for partition, offset in self._place.values():
            found[partition] = max(offset, found.get(partition, 0))
        return found


def check_same(name: str, finals: Mapping[int, Judged], expected: Mapping[int, Judged]) -> None:
    """Raise BenchFailed unless a contender gave every client the final score it must have.

    Clients of the warm-up may be among the finals; nothing is expected of them.
    """
    differ = [client for client, judged in expected.items() if finals.get(client) != judged]
    if differ:
        client = differ[0]
        raise BenchFailed(
            f"{name} scores {len(differ)} clients otherwise than it should, such as {client}:"
            f" {finals.get(client)}, not {expected[client]}"
        )
