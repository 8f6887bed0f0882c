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
from engage.late import LateErasures
from engage.letters import Letter
from engage.postgres import Database, connect
from engage.rebuild_generation import Announced
from engage.settings import Settings

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


class FlowMeter:
    """Measures again and again, by connections to Kafka that are kept while it answers."""

    def __init__(self, settings: Settings) -> None:
        """Take where the system is; nothing connects before it must."""
        self._settings = settings
        self._broker: Broker | None = None
        self._announced = Announced()
        self._late = LateErasures()

    def measure(self) -> Flow:
        """Ask Kafka and Postgres. Raises nothing for what does not answer; one caller at a time."""
        found = Gatherer()
        try:
            broker = found.part("Kafka", self._connected)
            lags = waiting = None
            if broker is not None:
                lags = self._lags(broker, found)
                waiting = found.part("dead letters", lambda: _waiting(broker))
            well = not found.problems
            stored = found.part("Postgres", lambda: self._stored(broker, found))
        except Exception:
            self._let_go()
            raise
        if not well:
            self._let_go()
        slot, late = stored or (None, None)
        return Flow(lags, slot, waiting, late, tuple(found.problems))

    def _connected(self) -> Broker:
        if self._broker is None:
            self._broker = Broker(self._settings.kafka, keep=True)
        else:
            self._broker.look_again()
        return self._broker

    def _let_go(self) -> None:
        """Connect anew next time: what was kept may be the reason."""
        if self._broker is not None:
            self._broker.close()
        self._broker = None

    def _lags(self, broker: Broker, found: Gatherer) -> tuple[Lag, ...] | None:
        groups = found.part("groups", broker.groups)
        speaking = found.part("generation", lambda: self._announced.latest(broker))
        if groups is None:
            return None
        return tuple(measure_all(broker, groups, speaking, found))

    def _stored(self, broker: Broker | None, found: Gatherer) -> tuple[Slot | None, int | None]:
        with connect(self._settings.database) as database:
            return (
                found.part("slot", lambda: _slot(database, broker, found)),
                found.part("erasures", lambda: self._late.count(database)),
            )


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


def _slot(database: Database, broker: Broker | None, found: Gatherer) -> Slot:
    told: dict[str, Any] = source.slot(database)
    age = None
    if broker is not None:
        age = found.part("heartbeat", lambda: source.beat_age(broker, database))
    return Slot(told["active"], told["wal_status"], told["kept_bytes"], told["safe_wal_size"], age)
