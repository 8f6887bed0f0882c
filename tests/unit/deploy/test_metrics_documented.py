"""docs/metrics.md has every metric that a service tells, once, and no other."""

import ast
import re
from collections import Counter

import pytest
from prometheus_client.metrics import MetricWrapperBase

from stack.places import ROOT
from tests.unit.deploy.exposed import SERVICES, metrics

PAGE = ROOT / "docs" / "metrics.md"
NAME = re.compile(r"[a-z]+(_[a-z]+)*")
SOURCES = ("libs", "services", "stack", "issuer", "sandbox", "demo")
TELLING = {"inc", "set", "observe", "labels", "set_function", "time"}
DECLARING = {
    "libs/common/src/common/metrics.py",
    "services/client-api/src/client_api/metrics.py",
    "services/client-api/src/client_api/projector/metrics.py",
    "services/cdc-relay/src/cdc_relay/metrics.py",
    "services/scorer/src/scorer/metrics.py",
    "services/mailer/src/mailer/metrics.py",
}
"""The only files that may know Prometheus: what is declared elsewhere would be seen by nobody."""


def documented() -> list[str]:
    """Return the rows of the page's table."""
    return [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]


def test_every_metric_is_documented_once_as_it_is_declared():
    """Name, type, labels, services and meaning; a row of a metric that is gone fails as well."""
    declared = {metric.row for metric in metrics()}
    rows = Counter(documented())

    missing, gone = sorted(declared - rows.keys()), sorted(rows.keys() - declared)
    assert not missing, "docs/metrics.md lacks these rows:\n" + "\n".join(missing)
    assert not gone, "docs/metrics.md has rows of no metric:\n" + "\n".join(gone)
    assert set(rows.values()) == {1}


def test_metrics_are_declared_where_the_table_looks():
    """No other file imports the library."""
    found = {
        str(file.relative_to(ROOT))
        for folder in SOURCES
        for file in (ROOT / folder).rglob("src/**/*.py")
        if "prometheus_client" in imported(file.read_text())
    }

    assert found == DECLARING
    assert len(DECLARING) == len(SERVICES) + 1


def imported(text: str) -> set[str]:
    """Return the packages that a source file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_declared_is_told(service: str):
    """Each metric is counted, set or observed somewhere in its service."""
    metrics = SERVICES[service]()
    declared = {name for name, one in vars(metrics).items() if isinstance(one, MetricWrapperBase)}
    package = type(metrics).__module__.partition(".")[0]
    (folder,) = (ROOT / "services").glob(f"*/src/{package}")
    used = {name for file in folder.rglob("*.py") for name in told(file.read_text())}

    assert declared
    assert not declared - used


def told(text: str) -> set[str]:
    """Return the names of the attributes on which a metric's methods are called."""
    return {
        node.value.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and node.attr in TELLING
        and isinstance(node.value, ast.Attribute)
    }


def test_our_metrics_are_named_as_prometheus_wants_it():
    """Ours begin with engage_, in base units; what they say is one sentence."""
    for metric in metrics():
        assert NAME.fullmatch(metric.name), metric.name
        assert metric.name.startswith(("engage_", "process_"))
        assert not metric.name.endswith(("_ms", "_minutes", "_kb", "_mb", "_percent", "_total"))
        if metric.name.startswith("engage_"):
            assert metric.says.endswith(".")


def test_no_label_can_grow_without_bound():
    """Nothing that names a client, an episode, a request or a path is a label."""
    known = {"topic", "reason", "outcome", "kind", "rule", "state", "reader", "pool"}
    http = {"method", "route", "status"}

    for metric in metrics():
        assert set(metric.labels) <= known | http, metric.name
