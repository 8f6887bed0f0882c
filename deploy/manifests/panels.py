"""Grafana's JSON: dashboards of panels, put one after another, all from one source of figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deploy.manifests.documents import Document

Kind = Literal["timeseries", "stat"]

SOURCE = {"type": "prometheus", "uid": "${source}"}
SCHEMA = 41
"""Of Grafana 12."""
WRITTEN = "Written by `make manifests` from deploy/manifests/dashboards.py; do not edit."
WIDTH = 24
HEIGHT = {"timeseries": 8, "stat": 4}


@dataclass(frozen=True)
class Query:
    """One line, or several that the legend tells apart."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture: what it shows, in which unit, and what to think of it."""

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: Kind = "timeseries"
    width: int = 8
    stacked: bool = False
    bad_from: float | None = None
    """From here on it is red."""
    says: str = ""


@dataclass(frozen=True)
class Row:
    """Panels that belong together, under a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    """A page."""

    uid: str
    title: str
    rows: Sequence[Row]
    hours: int = 3


def of(metric: str, labels: str = "") -> str:
    """Return a metric in the namespace that is looked at; without a cluster there is none."""
    return f'{metric}{{namespace=~"$namespace"{", " if labels else ""}{labels}}}'


def rate(metric: str, labels: str = "") -> str:
    """Return how fast a counter grows."""
    return f"rate({of(metric, labels)}[$__rate_interval])"


def quantile(q: float, histogram: str, by: str = "", labels: str = "") -> str:
    """Return a quantile of a histogram, told apart by labels."""
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({grouped}) ({rate(f'{histogram}_bucket', labels)}))"


def document(dashboard: Dashboard) -> Document:
    """Return a dashboard as Grafana reads it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": WRITTEN,
        "tags": ["engagement"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "refresh": "30s",
        "time": {"from": f"now-{dashboard.hours}h", "to": "now"},
        "timezone": "browser",
        "links": [
            {"type": "dashboards", "tags": ["engagement"], "title": "Others", "asDropdown": True}
        ],
        "templating": {"list": [_source(), _namespace()]},
        "panels": _panels(dashboard.rows),
    }


def _source() -> Document:
    return {"type": "datasource", "name": "source", "label": "Source", "query": "prometheus"}


def _namespace() -> Document:
    return {
        "type": "query",
        "name": "namespace",
        "label": "Namespace",
        "datasource": SOURCE,
        "query": "label_values(engage_ledger_imbalance, namespace)",
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(rows: Sequence[Row]) -> list[Document]:
    found: list[Document] = []
    y = 0
    for row in rows:
        found.append(_placed({"type": "row", "title": row.title}, len(found), 0, y, WIDTH, 1))
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            height = HEIGHT[panel.kind]
            found.append(_placed(_panel(panel), len(found), x, y, panel.width, height))
            x, tallest = x + panel.width, max(tallest, height)
        y += tallest
    return found


def _placed(panel: dict[str, Any], number: int, x: int, y: int, w: int, h: int) -> Document:  # noqa: PLR0917
    return {"id": number + 1, **panel, "gridPos": {"x": x, "y": y, "w": w, "h": h}}


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.bad_from is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.bad_from}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind == "timeseries":
        stacking = {"mode": "normal" if panel.stacked else "none"}
        fill = 40 if panel.stacked else 0
        defaults["custom"] = {"stacking": stacking, "fillOpacity": fill, "showPoints": "never"}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel.kind),
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
            }
            for number, query in enumerate(panel.queries)
        ],
    }


def _options(kind: Kind) -> Document:
    if kind == "stat":
        return {"colorMode": "background", "graphMode": "none", "textMode": "auto"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
