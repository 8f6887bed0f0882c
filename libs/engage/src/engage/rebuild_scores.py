"""What client.scores says of every client in the end, followed as it grows, and its hash."""

import hashlib
from collections.abc import Iterator, Mapping
from math import isclose
from typing import NamedTuple

from common.cluster import Cluster
from common.codec import decode
from common.errors import PoisonMessage
from common.events import ClientScored, ScoreFeatures
from common.score.model import Features, crossing_day_of, entry_and_exit, state_on
from common.score.policy import Policy
from common.topics import SCORES
from engage.broker import Broker, Offsets
from engage.history import read_policies

PRECISION = 1e-9
"""What scorers of any version agree to, relative."""


class Told(NamedTuple):
    """The newest score of a client, without what depends on the moment it was told at."""

    generation: int
    version: int
    policy_version: int
    features: ScoreFeatures | None


class Scores:
    """The newest score of every client; ``follow`` reads what was told since."""

    def __init__(self, broker: Broker) -> None:
        """Begin at the beginning of the topic; raises Misconfigured without it."""
        self._broker = broker
        self._at: Offsets = broker.begins((SCORES.name,))
        self.of: dict[int, Told] = {}
        """By client; erased ones are gone."""

    def follow(self) -> None:
        """Read on to the present end. Raises Transient."""
        ends = self._broker.ends((SCORES.name,))
        for message in self._broker.read(self._at, ends):
            key, value = message.key(), message.value()
            if key is None or not key.isdigit():
                continue
            if value is None:
                self.of.pop(int(key), None)
                continue
            try:
                data = decode(value).data
            except PoisonMessage:  # the projector parks it
                continue
            if isinstance(data, ClientScored):
                self._note(data)
        self._at = ends

    def _note(self, data: ClientScored) -> None:
        known = self.of.get(data.client_id)
        # A generation that was told off may have had a record on its way: it counts no more.
        if known is None or data.generation >= known.generation:
            self.of[data.client_id] = Told(
                data.generation, data.version, data.policy_version, data.features
            )

    def not_of(self, generation: int) -> int:
        """Return how many clients' newest score was told by a lower generation."""
        return sum(told.generation < generation for told in self.of.values())


def differing(before: Mapping[int, Told], after: Mapping[int, Told]) -> Iterator[int]:
    """Give the clients whom two tables judge differently although they know the same of them.

    Those whose rows changed in between, or who came or went, are passed over: a difference proves
    nothing there.
    """
    for client, one in before.items():
        other = after.get(client)
        if other is None or (one.version, one.policy_version) != (
            other.version,
            other.policy_version,
        ):
            continue
        if not _alike(one.features, other.features):
            yield client


def hash_of(cluster: Cluster, partitions: int, day: int) -> str:
    """Return the hash of what client.scores says of all clients in the end: see ``table_hash``.

    Raises Misconfigured where broker or topics are missing, Transient.
    """
    policies = read_policies(cluster, partitions)
    scores = Scores(Broker(cluster))
    scores.follow()
    return table_hash(scores.of, policies, day)


def table_hash(scores: Mapping[int, Told], policies: Mapping[int, Policy], day: int) -> str:
    """Return a hash of what is known of all clients, whoever told it, when, and in what order.

    Over (client, version, policy, features, entry, crossing, state on ``day``): two runs over the
    same events give the same. ``policies`` must hold every policy that a score names.
    """
    total = hashlib.sha256()
    for client in sorted(scores):
        told = scores[client]
        policy = policies[told.policy_version]
        features = None if told.features is None else _features(told.features)
        entry = crossing = None
        if features is not None and features.n > 1:
            entry, _ = entry_and_exit(features, policy)
            crossing = crossing_day_of(features, entry, policy)
        state = state_on(features, crossing, day, policy)
        total.update(
            repr((client, told.version, policy.version, features, entry, crossing, state)).encode()
        )
    return total.hexdigest()


def _features(told: ScoreFeatures) -> Features:
    return Features(told.frequency, told.value, told.n, told.first_day, told.last_day)


def _alike(one: ScoreFeatures | None, other: ScoreFeatures | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        (one.n, one.first_day, one.last_day) == (other.n, other.first_day, other.last_day)
        and isclose(one.frequency, other.frequency, rel_tol=PRECISION)
        and isclose(one.value, other.value, rel_tol=PRECISION)
    )
