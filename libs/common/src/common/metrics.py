"""Metrics for Prometheus: what services share. Each declares its own in its ``metrics``."""

from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from common.health import Page

QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of histograms of what takes milliseconds."""
LATE_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
"""Bounds of histograms of how late something is: milliseconds as a rule, hours on a bad day."""
CALL_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 60.0)
"""Bounds of histograms of calls to others on the Internet."""

# When a counter was made is a series of its own beside each counter, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]


def new_registry() -> CollectorRegistry:
    """Make a registry that tells of the process itself: processor, memory, open files."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def pages(registry: CollectorRegistry) -> Mapping[str, Page]:
    """Return what ``health.serve`` is to serve, so that Prometheus finds what is in a registry."""
    return {"/metrics": lambda: (CONTENT_TYPE_LATEST, generate_latest(registry))}


def dead_letters(registry: CollectorRegistry) -> Counter:
    """Declare the count of parked records; a ``PoisonMessage`` knows only a few reasons."""
    return Counter(
        "engage_dead_letters",
        "Records parked because they can never be used; in a rebuild by both generations.",
        ["topic", "reason"],
        registry=registry,
    )
