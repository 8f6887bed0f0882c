"""Pure: medians and percentiles, the targets, and the file that one run after another adds to."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple


class Target(NamedTuple):
    """What a figure must be."""

    figure: str
    bound: Literal["≥", "≤", "<"]
    value: float

    def met(self, found: float) -> bool:
        """Whether a figure is what it must be."""
        if self.bound == "≥":
            return found >= self.value
        return found < self.value if self.bound == "<" else found <= self.value


HOT = (
    *("list_by_id", "search_by_name", "filter_by_state", "sort_by_score", "state_by_score"),
    *("one_client", "orders_of_client", "newest_orders", "emails_by_value", "episodes_of_client"),
)
"""The API's lists and single rows."""
RECKONED = ("one_score", "score_curve")
"""What the API works out from the rows."""
OF_ONE_CLIENT = ("one_client", "orders_of_client", "one_score", "score_curve", "episodes_of_client")

TARGETS = (
    Target("scorer.ratio_to_plain_loop", "≥", 0.5),
    Target("scorer.ratio_to_plain_faust", "≥", 5.0),
    Target("scorer.ratio_to_quix_streams", "≥", 1.5),
    Target("relay.ratio_to_raw_copy", "≥", 0.5),
    Target("row_to_score_ms.p95", "<", 500.0),
    Target("two_lanes.ratio_p95", "≤", 2.0),
    Target("growth.ratio_100k_to_10k", "≤", 11.0),
    Target("growth.ratio_1m_to_100k", "≤", 11.0),
    Target("emails.per_s", "≥", 180.0),
    Target("emails.calls_in_flight", "≥", 180.0),
    *(Target(f"api.{kind}.ratio_to_bare", "≥", 0.5) for kind in HOT),
    *(Target(f"api.{kind}.ratio_to_bare", "≥", 0.2) for kind in RECKONED),
    *(Target(f"api.{kind}.ms_at_100_per_s.p95", "≤", 20.0) for kind in OF_ONE_CLIENT),
    *(
        Target(f"api.{kind}.ms_at_100_per_s.p95", "≤", 50.0)
        for kind in HOT
        if kind not in OF_ONE_CLIENT
    ),
    Target("page.interaction_ms.p98", "<", 100.0),
    Target("memory_mb.mailer", "<", 300.0),
    Target("memory_mb.scorer_1m_clients", "<", 4000.0),
    Target("memory_mb.due_index_1m", "<", 300.0),
    Target("memory_mb.client_api", "<", 1024.0),
    Target("memory_mb.relay", "<", 512.0),
    Target("memory_mb.projector", "<", 512.0),
)
"""Ratios are of medians of one run. Every other figure has no target: it depends on the machine."""


def percentiles(values: Sequence[float], *wanted: int) -> list[float]:
    """Return the wanted percentiles (1 to 99) of at least two values."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return [cuts[percent - 1] for percent in wanted]


def spread(values: Sequence[float]) -> float:
    """Return how far the values lie apart: the highest less the lowest, over the median."""
    return (max(values) - min(values)) / statistics.median(values)


def rounded(value: float) -> float:
    """Return a figure with the digits that mean something: three for small ones."""
    return round(value, 3) if abs(value) < 100 else round(value, 1)  # noqa: PLR2004


def merged(
    old: Mapping[str, Any], machine: Mapping[str, Any], figures: Mapping[str, float]
) -> dict[str, Any]:
    """Return the report: the machine first, then the figures of earlier runs and the new ones.

    Figures of another machine, or of a quick run beside a full one, are dropped: they do not
    compare.
    """
    known = old.get("machine")
    same = isinstance(known, Mapping) and all(
        known.get(name) == machine.get(name) for name in ("quick", "cores", "python", "processor")
    )
    kept = old.get("figures", {}) if same else {}
    found = {**kept, **{name: rounded(value) for name, value in figures.items()}}
    return {"machine": dict(machine), "figures": dict(sorted(found.items()))}


def table(figures: Mapping[str, float]) -> list[str]:
    """Return one line a figure; where there is a target, with it and whether it was met."""
    targets = {target.figure: target for target in TARGETS}
    width = max(map(len, figures), default=0)
    lines = []
    for name in sorted(figures):
        line = f"{name:<{width}} {rounded(figures[name]):>14,}"
        target = targets.get(name)
        if target is not None:
            word = "met" if target.met(figures[name]) else "NOT MET"
            line += f"   target {target.bound} {target.value:g}: {word}"
        lines.append(line)
    return lines
