"""Pure: records of client.scores to rows, and of many records of one client the one that counts."""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

import orjson

from common.clock import date_of, number_of
from common.codec import decode
from common.errors import PoisonMessage
from common.events import ClientScored
from common.score.model import Features, State, score_on, state_on
from common.score.policy import Policy

INT4_MAX = 2**31 - 1
INT8_MAX = 2**63 - 1


class FeatureRow(NamedTuple):
    """One row of score_features, in the order of its columns."""

    client_id: int
    generation: int
    merged_version: int
    record_offset: int
    policy_version: int
    frequency: float | None
    value: float | None
    order_days: int
    first_day: date | None
    last_day: date | None
    entry: float | None
    exit: float | None
    crossing_day: date | None
    lapse_day: date | None
    episode_id: str | None
    merged: str
    """JSON."""
    scored_at: datetime

    @property
    def guard(self) -> tuple[int, int, int]:
        """What orders the records of one client: the newest state wins."""
        return self.generation, self.merged_version, self.record_offset


class Forgotten(NamedTuple):
    """A tombstone: what was known of the client before this offset is to go."""

    client_id: int
    record_offset: int


class Batch(NamedTuple):
    """What a run of records comes to: at most one of each per client."""

    rows: list[FeatureRow]
    forgotten: list[Forgotten]


def read(key: bytes | None, value: bytes | None, offset: int) -> FeatureRow | Forgotten:
    """Read one record; raises PoisonMessage when it can never be used."""
    client_id = _client_of(key)
    if value is None:
        return Forgotten(client_id, offset)
    event = decode(value)
    if not isinstance(event.data, ClientScored):
        raise PoisonMessage("unexpected_type", f"{event.type} does not belong here")
    if event.data.client_id != client_id:
        raise PoisonMessage("wrong_key", "the key names another client than the event")
    return _row_of(event.data, event.time, offset)


def reduce(items: Iterable[FeatureRow | Forgotten]) -> Batch:
    """Keep the newest row of each client that no later tombstone forgets, in order of client."""
    forgotten: dict[int, int] = {}
    rows: dict[int, FeatureRow] = {}
    found = list(items)
    for item in found:
        if isinstance(item, Forgotten):
            known = forgotten.get(item.client_id, -1)
            forgotten[item.client_id] = max(known, item.record_offset)
    for item in found:
        if isinstance(item, FeatureRow) and item.record_offset > forgotten.get(item.client_id, -1):
            best = rows.get(item.client_id)
            if best is None or best.guard < item.guard:
                rows[item.client_id] = item
    return Batch(
        [rows[client_id] for client_id in sorted(rows)],
        [Forgotten(client_id, forgotten[client_id]) for client_id in sorted(forgotten)],
    )


def score_of(
    row: FeatureRow, day: date, policies: Mapping[int, Policy]
) -> tuple[float | None, State]:
    """Return score and state of a row on a day, by the policy that it names."""
    policy = policies[row.policy_version]
    number = number_of(day)
    features = _features_of(row)
    crossing = None if row.crossing_day is None else number_of(row.crossing_day)
    state = state_on(features, crossing, number, policy)
    return (None if features is None else score_on(features, number, policy)), state


def _features_of(row: FeatureRow) -> Features | None:
    if row.frequency is None or row.value is None or row.first_day is None or row.last_day is None:
        return None
    return Features(
        row.frequency, row.value, row.order_days, number_of(row.first_day), number_of(row.last_day)
    )


def _client_of(key: bytes | None) -> int:
    if key is None or not key.isdigit() or len(key) > 19 or not 0 < int(key) <= INT8_MAX:  # noqa: PLR2004
        raise PoisonMessage("no_client", "the key is no client id")
    return int(key)


def _row_of(data: ClientScored, time: datetime, offset: int) -> FeatureRow:
    features = data.features
    _check(data)
    try:
        return FeatureRow(
            client_id=data.client_id,
            generation=data.generation,
            merged_version=data.version,
            record_offset=offset,
            policy_version=data.policy_version,
            frequency=None if features is None else features.frequency,
            value=None if features is None else features.value,
            order_days=0 if features is None else features.n,
            first_day=None if features is None else date_of(features.first_day),
            last_day=None if features is None else date_of(features.last_day),
            entry=data.entry,
            exit=data.exit,
            crossing_day=None if data.crossing_day is None else date_of(data.crossing_day),
            lapse_day=None if data.lapse_day is None else date_of(data.lapse_day),
            episode_id=data.episode_id,
            merged=_json(data.merged),
            scored_at=time,
        )
    except OverflowError:
        raise PoisonMessage("out_of_range", "a day lies beyond the calendar") from None


def _check(data: ClientScored) -> None:
    """Refuse figures from which no score can follow, or that no column can hold."""
    features = data.features
    figures = [data.entry, data.exit]
    if features is not None:
        figures += [features.frequency, features.value]
        if features.n < 1 or features.n > INT4_MAX or features.frequency <= 0:
            raise PoisonMessage("out_of_range", "features without an order-day")
        if features.first_day > features.last_day:
            raise PoisonMessage("out_of_range", "the first order-day comes after the last")
    if not all(figure is None or math.isfinite(figure) for figure in figures):
        raise PoisonMessage("not_finite", "a figure is infinite or no number")
    if not 0 < data.generation <= INT4_MAX:
        raise PoisonMessage("out_of_range", "the generation is out of range")
    if not 0 <= data.version <= INT8_MAX or not 0 < data.policy_version <= INT8_MAX:
        raise PoisonMessage("out_of_range", "a version is out of range")
    if "\x00" in (data.episode_id or "") or any("\x00" in entity for entity, _ in data.merged):
        raise PoisonMessage("out_of_range", "a name holds a NUL character")


def _json(merged: list[tuple[str, int]]) -> str:
    return orjson.dumps(merged).decode()
