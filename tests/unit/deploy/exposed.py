"""Every metric of every service, as its registry declares it."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

import cdc_relay.metrics
import client_api.metrics
import client_api.projector.metrics
import mailer.metrics
import scorer.metrics

SERVICES: dict[str, Callable[[], Any]] = {
    "client-api": client_api.metrics.Metrics,
    "projector": client_api.projector.metrics.Metrics,
    "cdc-relay": cdc_relay.metrics.Metrics,
    "scorer": scorer.metrics.Metrics,
    "mailer": mailer.metrics.Metrics,
}
"""What declares the metrics of each."""
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}
"""How the series of each type are called after it."""


class Metric(NamedTuple):
    """One metric, whoever tells it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    says: str
    services: tuple[str, ...]

    @property
    def series(self) -> frozenset[str]:
        """The names under which it can be asked for."""
        return frozenset(f"{self.name}{suffix}" for suffix in SUFFIXES[self.kind])

    @property
    def row(self) -> str:
        """Its row in docs/metrics.md."""
        name = self.name + ("_total" if self.kind == "counter" else "")
        labels = ", ".join(self.labels) or "none"
        return f"| `{name}` | {self.kind} | {labels} | {', '.join(self.services)} | {self.says} |"


@cache
def metrics() -> tuple[Metric, ...]:
    """Return all metrics, in the order in which they are declared."""
    found: dict[str, Metric] = {}
    for service, declare in SERVICES.items():
        for one in _declared(declare().registry, service):
            known = found.get(one.name)
            if known is not None:
                assert known[:-1] == one[:-1], f"{one.name} is not the same everywhere"
                one = one._replace(services=(*known.services, service))  # noqa: PLW2901
            found[one.name] = one
    return tuple(found.values())


def _declared(registry: CollectorRegistry, service: str) -> Iterator[Metric]:
    for collector in registry._collector_to_names:
        if isinstance(collector, MetricWrapperBase):
            (family,) = collector.describe()
            labels = tuple(collector._labelnames)
            yield Metric(family.name, family.type, labels, family.documentation, (service,))
        else:
            for family in collector.collect():
                yield Metric(family.name, family.type, (), family.documentation, (service,))
