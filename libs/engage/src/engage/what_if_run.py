"""Runs a what-if: reads the policies and the whole history, compares, and changes nothing."""

import time
from collections.abc import Callable
from datetime import tzinfo

from common.clock import BusinessClock, day_of
from common.cluster import Cluster
from common.score.policy import Policy
from engage.history import in_force, read_history, read_policies
from engage.progress import Watcher
from engage.what_if import Report, WhatIf, compare


class WhatIfResult(Report):
    """A comparison, and what was read for it."""

    what_if: WhatIf
    events: int
    """Records read from both lanes."""
    unreadable: dict[str, int]
    """Records that scorers park and that count for nothing here either, by reason."""
    seconds: float
    events_per_s: float


def what_if(
    cluster: Cluster,
    partitions: int,
    zone: tzinfo,
    clock: BusinessClock,
    watcher: Watcher,
    *,
    propose: Callable[[Policy], Policy],
    day: int | None = None,
    list_clients: int | None = 0,
    cost_per_email: float | None = None,
) -> WhatIfResult:
    """Compare the policy in force with another one over the whole history on Kafka.

    ``propose`` makes the other one of it: see ``what_if_policy``. ``day`` is in days since
    1970-01-01; business today without. Raises BadInput, Misconfigured (no broker, topic or policy
    in force) and Transient; no topic, offset or row is changed.
    """
    present = in_force(read_policies(cluster, partitions))
    candidate = propose(present)
    began = time.monotonic()
    reading = read_history(cluster, partitions, zone, watcher)
    seconds = time.monotonic() - began
    found = compare(
        reading.history,
        day_of(clock.now(), zone) if day is None else day,
        present,
        candidate,
        list_clients=list_clients,
        cost_per_email=cost_per_email,
    )
    return WhatIfResult(
        what_if=found,
        events=reading.events,
        unreadable=dict(reading.unreadable),
        seconds=time.monotonic() - began,
        events_per_s=reading.events / seconds if seconds else 0.0,
    )
