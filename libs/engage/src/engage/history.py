"""Reads the whole history from both lanes by a private reader: no group, no commit, no trace."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple

from confluent_kafka import Message

from common.cluster import Cluster
from common.codec import decode
from common.errors import Misconfigured, PoisonMessage
from common.events import PolicyPublished
from common.kafka import verify
from common.partition import partition_of
from common.score.calendar import calendar_of
from common.score.policy import Policy
from common.topics import BACKFILL, CONTROL, LIVE
from common.wire import ClientImage, ErasureImage, LaneImage, OrderImage, RemovalImage, read_lane
from engage.broker import Broker, Offsets
from engage.history_columns import History, Journal, join
from engage.history_reader import Reader
from engage.progress import Watcher

POLICY_KEY = b"policy/"


class Reading(NamedTuple):
    """The history, and what was read to know it."""

    history: History
    events: int
    unreadable: Mapping[str, int]
    """Records that no scorer could use either, by reason; the scorer parks them."""
    ends: Offsets
    """Where each partition of both lanes ended when the reading began."""


def read_history(cluster: Cluster, partitions: int, zone: tzinfo, watcher: Watcher) -> Reading:
    """Read both lanes from their beginnings to their present ends.

    Partition by partition, so that memory holds one partition's images and the days of the rest.
    Raises Misconfigured where topics or broker are missing, Transient when reading breaks off.
    """
    verify(cluster, (LIVE, BACKFILL), partitions)
    parts: list[History] = []
    unreadable: Counter[str] = Counter()
    events = 0
    with Reader(cluster) as reader:
        lanes = [[(lane.name, p) for lane in (BACKFILL, LIVE)] for p in range(partitions)]
        reader.survey([place for both in lanes for place in both])
        watcher.step("offsets of both lanes", reader.distance())
        for partition, both in enumerate(lanes):
            journal = Journal()
            for batch in reader.batches(both, watcher):
                events += len(batch)
                _take_all(journal, batch, zone, unreadable)
                journal.fold_when_long()
            strays = [
                client
                for client in journal.clients().tolist()
                if partition_of(client, partitions) != partition
            ]
            if strays:
                unreadable["clients_of_another_partition"] += len(strays)
            parts.append(journal.history(without=strays))
        return Reading(join(parts), events, dict(unreadable), reader.ends)


def read_policies(cluster: Cluster, partitions: int) -> dict[int, Policy]:
    """Return every policy that was published, by version; all partitions carry the same ones.

    Raises Misconfigured where topic or broker are missing, Transient when reading breaks off.
    """
    verify(cluster, (CONTROL,), partitions)
    broker = Broker(cluster)
    found: dict[int, Policy] = {}
    one = (CONTROL.name, 0)
    starts = {one: broker.begins((CONTROL.name,))[one]}
    for message in broker.read(starts, broker.ends((CONTROL.name,))):
        value = message.value()
        if value is None or not (message.key() or b"").startswith(POLICY_KEY):
            continue
        try:
            data = decode(value).data
        except PoisonMessage:  # parked by every scorer, so in force nowhere
            continue
        if isinstance(data, PolicyPublished):
            found[data.policy.version] = data.policy
    return found


def in_force(policies: Mapping[int, Policy]) -> Policy:
    """Return the policy in force, as scorers choose it; raises Misconfigured when there is none."""
    if not policies:
        raise Misconfigured(f"no policy is in force: none was ever published on {CONTROL.name}")
    return policies[max(policies)]


def _take_all(
    journal: Journal, batch: Sequence[Message], zone: tzinfo, unreadable: Counter[str]
) -> None:
    for message in batch:
        value = message.value()
        if value is None:  # a tombstone only serves the compaction of its topic
            continue
        try:
            _take(journal, read_lane(value), zone)
        except PoisonMessage as error:
            unreadable[error.reason] += 1


def _take(journal: Journal, image: LaneImage, zone: tzinfo) -> None:
    match image:
        case OrderImage():
            journal.order(
                image.client_id,
                image.order_id,
                image.version,
                day=calendar_of(zone).day(image.ordered_at),
                cents=image.cents,
                counts=image.counts,
            )
        case RemovalImage():
            journal.removal(image.client_id, image.order_id, image.version)
        case ClientImage():
            journal.client(image.client_id, image.version)
        case ErasureImage():
            journal.erasure(image.client_id, image.version)
