"""On a cluster: it gets all rules and dashboards, and monitors find the pods that they speak of."""

import json
import re

from client_api.metrics import CAPTURE
from deploy.manifests.dashboards import texts
from tests.unit.deploy import compose_file
from tests.unit.deploy.kustomized import named, of_kind, ours
from tests.unit.deploy.rulebook import FOLDER, rules
from tests.unit.deploy.rulebook import named as named_rule


def monitored() -> list[str]:
    """Return the services that our monitor scrapes."""
    (wanted,) = named("overlays/prod", "PodMonitor", "services")["spec"]["selector"][
        "matchExpressions"
    ]
    values: list[str] = wanted["values"]
    return values


def test_the_cluster_gets_all_rules():
    """Those for everywhere and those for a cluster, as they stand in the component."""
    (document,) = of_kind("tests/monitoring", "PrometheusRule")

    alerts = [rule for group in document["spec"]["groups"] for rule in group["rules"]]
    assert alerts == rules()


def test_the_cluster_gets_all_dashboards():
    """As they stand beside those that Docker Compose shows."""
    found = {
        name: json.loads(text)
        for one in of_kind("tests/monitoring", "ConfigMap")
        if "grafana_dashboard" in one["metadata"].get("labels", {})
        for name, text in one["data"].items()
    }

    assert found == {f"engagement-{name}.json": json.loads(text) for name, text in texts().items()}


def test_monitors_scrape_every_service_on_a_port_that_it_has():
    """The label and the port of the monitor are those of the pods."""
    monitor = named("overlays/prod", "PodMonitor", "services")["spec"]
    (wanted,) = monitor["selector"]["matchExpressions"]
    serving = [one for one in ours("overlays/prod") if one.kind != "Job"]

    assert {one.labels[wanted["key"]] for one in serving} == set(wanted["values"])
    for endpoint in monitor["podMetricsEndpoints"]:
        for workload in serving:
            assert endpoint["port"] in {port["name"] for port in workload.main["ports"]}


def test_services_have_the_same_names_on_a_cluster_and_with_compose():
    """The label ``service``, by which one rule speaks of both."""
    text = (FOLDER / "prometheus.yml").read_text()
    named_by_compose = re.findall(r"labels: {service: ([a-z-]+), pod: [a-z-]+}", text)
    (endpoint,) = named("overlays/prod", "PodMonitor", "services")["spec"]["podMetricsEndpoints"]
    (relabeling,) = endpoint["relabelings"]

    assert sorted(named_by_compose) == sorted(monitored())
    assert relabeling["targetLabel"] == "service"
    assert relabeling["sourceLabels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
    targets = set(re.findall(r'targets: \["([a-z-]+):', text))
    assert targets <= compose_file.usual()["services"].keys()


def test_rules_name_services_and_readers_that_there_are():
    """A misspelt one would never come."""
    text = "".join(rule["expr"] for rule in rules())
    asked = {name for names in re.findall(r'service=~"([^"]+)"', text) for name in names.split("|")}

    assert asked == set(monitored())
    assert set(re.findall(r'reader="([^"]+)"', text)) == {CAPTURE}


def test_every_service_is_missed_when_it_has_no_pod():
    """Each by its kind and name: by a number that is zero, and by one that is not there."""
    expression = named_rule("ServiceHasNoPod")["expr"]
    serving = {(one.kind.lower(), one.name) for one in ours("overlays/prod") if one.kind != "Job"}

    zero = re.findall(r'{(deployment|statefulset)=~?"([^"]+)"} == 0', expression)
    gone = re.findall(r'absent[(][a-z_]+{(deployment|statefulset)="([^"]+)"}[)]', expression)
    assert {(kind, name) for kind, names in zero for name in names.split("|")} == serving
    assert set(gone) == serving
