"""Rules and dashboards ask for metrics that services tell, in words that Prometheus can read."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from stack.places import ROOT
from tests.unit.deploy.exposed import metrics
from tests.unit.deploy.promql import Asked, asked
from tests.unit.deploy.rulebook import CLUSTER, EVERYWHERE, promtool, rules

FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
DASHBOARDS = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
SCRAPED = {"namespace", "service", "pod", "le"}
"""Labels that Prometheus, or the type of a metric, adds."""
PLATFORM = re.compile(r"kube_\w+|kubelet_\w+|kafka_server_\w+|cnpg_\w+")
"""Metrics of others, on a cluster alone: what a promtool test plays to them is all that we know."""
COLUMNS = 24


class Expression(NamedTuple):
    """Where something is asked, and what."""

    where: str
    expr: str


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pictures of a dashboard."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def shown() -> Iterator[Expression]:
    """Yield what dashboards ask."""
    for name, dashboard in DASHBOARDS.items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield Expression(f"{name}: {panel['title']}", target["expr"])


EVERY = (*(Expression(rule["alert"], rule["expr"]) for rule in rules(*EVERYWHERE)), *shown())


def test_only_metrics_that_are_told_are_asked_for():
    """By their full names, and with labels that they have."""
    known = {series: metric for metric in metrics() for series in metric.series}
    assert len(EVERY) > len(DASHBOARDS)

    for one in EVERY:
        found = asked(one.expr)
        ours = found.series - {"up"}
        assert found.series, one
        assert ours <= known.keys(), one
        labels = {label for series in ours for label in known[series].labels}
        assert found.labels <= labels | SCRAPED, one


def test_on_a_cluster_metrics_of_others_are_asked_for_and_none_of_ours():
    """What is ours is judged everywhere alike."""
    for rule in rules(CLUSTER):
        for series in asked(rule["expr"]).series:
            assert PLATFORM.fullmatch(series), rule["alert"]


def test_every_metric_of_ours_is_looked_at():
    """What nobody shows or judges need not be told."""
    looked_at = {series for one in EVERY for series in asked(one.expr).series}

    assert not [
        metric.name
        for metric in metrics()
        if metric.name.startswith("engage_") and not metric.series & looked_at
    ]


def test_prometheus_can_read_what_dashboards_ask(tmp_path):
    """Grafana's variables filled in, promtool takes each as the expression of a rule."""
    filled = [
        one.expr.replace("$__rate_interval", "1m").replace("$namespace", ".*") for one in shown()
    ]
    assert not [expr for expr in filled if "$" in expr]
    recorded = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(filled)]
    document = {"groups": [{"name": "panels", "rules": recorded}]}
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump(document))

    done = promtool(tmp_path, "check", "rules", "panels.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_whole(name: str):
    """It has an id of its own; nothing overlaps, and nothing is edited in Grafana."""
    dashboard = DASHBOARDS[name]
    ids = [one["uid"] for one in DASHBOARDS.values()]

    assert ids.count(dashboard["uid"]) == 1
    assert dashboard["editable"] is False
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= COLUMNS
        taken |= cells
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert sorted(set(numbers)) == sorted(numbers)


def test_the_dashboards_are_those_that_people_need():
    """The system with its hops, and the services that have something of their own to show."""
    assert set(DASHBOARDS) == {"system", "client-api", "scorer", "mailer"}


def test_alerts_about_figures_on_a_dashboard_have_the_same_bounds():
    """What turns red in a picture is what somebody is told of."""
    bounds = {
        (target["expr"].count("rate("), series): panel["fieldConfig"]["defaults"]["thresholds"]
        for dashboard in DASHBOARDS.values()
        for panel in panels(dashboard)
        if "thresholds" in panel["fieldConfig"]["defaults"]
        for target in panel["targets"]
        for series in asked(target["expr"]).series
    }
    for alert, series, bound in (
        ("TicksWait", "engage_scorer_tick_wait_seconds", 120),
        ("ReaderFallsBehind", "engage_lag_seconds", 300),
        ("CaptureSlotGrows", "engage_slot_bytes", 2 * 1024**3),
        ("LedgerNotRead", "engage_ledger_read_timestamp_seconds", 900),
    ):
        (rule,) = [rule for rule in rules(*EVERYWHERE) if rule["alert"] == alert]
        assert series in asked(rule["expr"]).series
        written = bound if bound < 1024 else f"{bound // 1024**3} * 1024 ^ 3"
        assert f"> {written}" in rule["expr"]
        assert bounds[0, series]["steps"][-1]["value"] == bound


@pytest.mark.parametrize(
    ("expr", "series", "labels"),
    [
        ('sum by (a, b) (rate(x_total{c=~"d|{e}"}[5m])) / 2', {"x_total"}, {"a", "b", "c"}),
        ("time() - max(y) > 300 and on (a) z offset 5m == 0", {"y", "z", "m"}, {"a"}),
        ("histogram_quantile(0.9, sum by (le) (rate(q_bucket[$__x])))", {"q_bucket"}, {"le"}),
        ("a:b:c or vector(0)", {"a:b:c"}, set()),
    ],
)
def test_names_are_found_in_expressions(expr, series, labels):
    """Functions, strings, ranges and operators are none; the unit of an offset, which we never use,
    is taken for one and so would fail.
    """
    assert asked(expr) == Asked(frozenset(series), frozenset(labels))
