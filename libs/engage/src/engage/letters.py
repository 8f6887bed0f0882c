"""Dead letters: what was parked, why, and up to where people have dealt with it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Message

from common.topics import READ_BY_US, Topic, dead_letters_of
from engage.broker import Broker

GROUP = "engage-dlq"
"""Its committed offset says how far a topic's letters were dealt with. Nobody joins it."""
COUNT_DIGITS = 10
DEALT_WITH = "dealt_with"
"""The header of a letter that was dealt with, and then written again behind those that wait."""
SOURCES: dict[str, Topic] = {topic.name: topic for topic in READ_BY_US}
"""Every topic whose readers park what they cannot use."""


@dataclass(frozen=True)
class Letter:
    """One parked record: as it came, and what was said about it."""

    source: str
    """The topic that it was read from."""
    offset: int
    """Where it lies in the topic of dead letters; that has one partition."""
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]
    parked_ms: int

    @property
    def reason(self) -> str:
        """Why it was parked, in a word."""
        return self.headers.get("reason", "unknown")

    def waits(self, done: int) -> bool:
        """Say whether it is still to be dealt with, where ``done`` is up to where that is so."""
        return self.offset >= done and DEALT_WITH not in self.headers

    @property
    def attempt(self) -> int:
        """How often it was parked."""
        return int(self.headers.get("attempt", "1"))

    def document(self) -> dict[str, Any]:
        """Return it as plain data; what is no JSON is shown as text."""
        return {
            "topic": self.source,
            "offset": self.offset,
            "headers": self.headers,
            "key": _text(self.key),
            "value": _value(self.value),
        }


def letters(broker: Broker, source: str, start: int | None = None) -> Iterator[Letter]:
    """Yield a topic's dead letters in order, from an offset on if given. Raises Transient."""
    topic = dead_letters_of(SOURCES[source]).name
    begins, ends = broker.begins([topic]), broker.ends([topic])
    starts = {place: max(begin, start or 0) for place, begin in begins.items()}
    for message in broker.read(starts, ends):
        yield letter_of(source, message)


def letter_of(source: str, message: Message) -> Letter:
    """Make a letter of a record. A header that comes twice counts as it was said last."""
    own: Any = message.headers() or []
    headers = own.items() if isinstance(own, dict) else own
    told = [(name, (value or b"").decode(errors="replace")) for name, value in headers]
    # Whoever parked it again may have begun to count anew.
    tries = [int(value) for name, value in told if name == "attempt" and _is_count(value)]
    return Letter(
        source,
        message.offset() or 0,
        message.key(),
        message.value(),
        {**dict(told), "attempt": str(max(tries, default=1))},
        message.timestamp()[1],
    )


def handled(broker: Broker) -> dict[str, int]:
    """Return up to which offset each topic's letters were dealt with, by source topic."""
    found = broker.committed(GROUP)
    return {source: found.get((f"{source}.dlq", 0), 0) for source in SOURCES}


def summary(broker: Broker, source: str, done: int) -> dict[str, Any]:
    """Count a topic's letters: all that are kept, those still to deal with, and by reason."""
    kept, waiting, reasons = 0, 0, dict[str, int]()
    newest: Letter | None = None
    for letter in letters(broker, source):
        kept += 1
        if letter.waits(done):
            waiting += 1
            reasons[letter.reason] = reasons.get(letter.reason, 0) + 1
        newest = letter
    return {
        "topic": source,
        "waiting": waiting,
        "kept": kept,
        "reasons": reasons,
        "newest": None
        if newest is None
        else {
            "reason": newest.reason,
            "detail": newest.headers.get("detail", ""),
            "parked_at": newest.headers.get("parked_at"),
            "offset": newest.offset,
        },
    }


def _is_count(value: str) -> bool:
    """Say whether a header, which anybody may have written, is a number that we would write."""
    return value.isascii() and value.isdigit() and len(value) < COUNT_DIGITS


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="backslashreplace")


def _value(raw: bytes | None) -> Any:
    try:
        return json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return _text(raw)
