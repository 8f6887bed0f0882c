"""How the records flow, for who asks all the time: every figure has a bound on what it costs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, get_args

from common.errors import Reason
from common.topics import dead_letters_of
from engage import letters, source
from engage.broker import Broker
from engage.gatherer import Gatherer
from engage.lag import Lag, measure_all
from engage.letters import Letter
from engage.postgres import Database, connect
from engage.rebuild_generation import current
from engage.settings import Settings
from engage.status import OPEN

REASONS = frozenset(get_args(Reason))
OTHER = "other"
"""The reason of letters that none of our readers parked: anybody may write a header."""
LETTERS_MAX = 1_000
"""So many waiting letters of a topic are counted: more are the same to whoever looks at them."""


@dataclass(frozen=True)
class Slot:
    """The capture's replication slot."""

    active: bool
    wal_status: str | None
    """One of ``source.WAL_STATUSES``."""
    kept_bytes: int | None
    """Postgres' log that is kept for it; None when it is lost."""
    safe_bytes: int | None
    """Log that may still be written before it is in danger; None without a limit, or when lost."""
    beat_age_s: float | None
    """Age of the newest heartbeat that came through; what was committed before it did, too."""


@dataclass(frozen=True)
class Flow:
    """What could be measured; the rest is None, and ``problems`` says why."""

    lags: tuple[Lag, ...] | None
    """One for each reader that could be measured, in the order of the flow."""
    slot: Slot | None
    waiting: Mapping[tuple[str, str], int] | None
    """Dead letters that nobody has dealt with, by topic and reason, up to ``LETTERS_MAX``."""
    late_erasures: int | None
    """Erasures that are not finished an hour after they were asked for."""
    problems: tuple[str, ...]


def unknown(problem: str) -> Flow:
    """Return what is known when nothing could be measured."""
    return Flow(None, None, None, None, (problem,))


def measure(settings: Settings) -> Flow:
    """Ask Kafka and Postgres. Raises nothing for what does not answer."""
    found = Gatherer()
    broker = found.part("Kafka", lambda: Broker(settings.kafka))
    lags = waiting = None
    if broker is not None:
        groups = found.part("groups", broker.groups)
        speaking = found.part("generation", lambda: current(broker))
        if groups is not None:
            lags = tuple(measure_all(broker, groups, speaking, found))
        waiting = found.part("dead letters", lambda: _waiting(broker))
    stored = found.part("Postgres", lambda: _stored(settings, broker, found))
    slot, late = stored or (None, None)
    return Flow(lags, slot, waiting, late, tuple(found.problems))


def _waiting(broker: Broker) -> dict[tuple[str, str], int]:
    """Count what waits, by topic and reason; where nothing does, nothing is read."""
    done = letters.handled(broker)
    found: Counter[tuple[str, str]] = Counter()
    for topic, start in done.items():
        if dead_letters_of(letters.SOURCES[topic]).name not in broker.topics:
            continue
        waiting = (one for one in letters.letters(broker, topic, start) if one.waits(start))
        found.update((topic, _reason(one)) for one in islice(waiting, LETTERS_MAX))
    return dict(found)


def _reason(letter: Letter) -> str:
    return letter.reason if letter.reason in REASONS else OTHER


def _stored(
    settings: Settings, broker: Broker | None, found: Gatherer
) -> tuple[Slot | None, int | None]:
    with connect(settings.database) as database:
        return (
            found.part("slot", lambda: _slot(database, broker, found)),
            found.part("erasures", lambda: int(database.value(OPEN))),
        )


def _slot(database: Database, broker: Broker | None, found: Gatherer) -> Slot:
    told: dict[str, Any] = source.slot(database)
    age = None
    if broker is not None:
        age = found.part("heartbeat", lambda: source.beat_age(broker, database))
    return Slot(told["active"], told["wal_status"], told["kept_bytes"], told["safe_wal_size"], age)
