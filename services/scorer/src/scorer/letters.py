"""Pure: what the scorer tells, as records: topic, partition, key and bytes."""

from datetime import datetime
from typing import NamedTuple

from common.told import Closed, Opened, Scored, write_closed, write_opened, write_scored
from common.topics import AT_RISK, SCORES
from scorer.engine import Outcome
from scorer.rows import head_key

SOURCE = "scorer"


class Told(NamedTuple):
    """One record to be sent."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


def letter(outcome: Outcome, partition: int, time: datetime) -> Told:
    """Return the record that tells an outcome; ``time`` is wall time, one for a whole run.

    A client who is forgotten leaves a tombstone on the scores.
    """
    key = head_key(outcome.client_id)
    if type(outcome) is Scored:
        return Told(SCORES.name, partition, key, write_scored(outcome, SOURCE, time))
    if type(outcome) is Opened:
        return Told(AT_RISK.name, partition, key, write_opened(outcome, SOURCE, time))
    if type(outcome) is Closed:
        return Told(AT_RISK.name, partition, key, write_closed(outcome, SOURCE, time))
    return Told(SCORES.name, partition, key, None)
