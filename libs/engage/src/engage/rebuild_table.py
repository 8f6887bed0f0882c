"""Whether a generation's table holds all clients, as far as its changelog's keys tell."""

from collections.abc import Iterable

from common.cluster import Cluster
from common.topics import changelog_of
from engage.broker import Broker


def missing(cluster: Cluster, generation: int, clients: Iterable[int]) -> list[int]:
    """Return those clients, ascending, of whom a generation has no row.

    The key of a client's row is its id, in every layout of rows. Raises Misconfigured without the
    changelog, Transient.
    """
    name = changelog_of(generation).name
    broker = Broker(cluster)
    left = {b"%d" % client for client in clients}
    for message in broker.read(broker.begins((name,)), broker.ends((name,))):
        left.discard(message.key() or b"")
        if not left:
            break
    return sorted(map(int, left))
