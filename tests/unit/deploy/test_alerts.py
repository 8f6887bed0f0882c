"""Alerts: what promtool says of them passes, and each leads to a page that says what to do."""

import re
from pathlib import Path

import pytest
import yaml

from cdc_relay.connector import NAME
from client_api.web.app import HOT, ROUTES
from engage import source
from stack import postgres
from stack.places import ROOT
from tests.unit.deploy import compose_file
from tests.unit.deploy.kustomized import named as named_document
from tests.unit.deploy.rulebook import EVERYWHERE, FOLDER, TESTS, named, promtool, rules

RUNBOOKS = ROOT / "docs" / "runbooks"
GI = 1024**3
EACH_FILE = pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
EACH_RULE = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])


def tried(*, coming: bool) -> set[str]:
    """Return the alerts that some test sees coming, or staying away."""
    return {
        one["alertname"]
        for file in TESTS.values()
        for test in yaml.safe_load(file.read_text())["tests"]
        for one in test["alert_rule_test"]
        if bool(one.get("exp_alerts")) == coming
    }


def test_prometheus_takes_its_configuration():
    """And the rules that it names."""
    done = promtool(FOLDER, "check", "config", "prometheus.yml")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(EVERYWHERE)} rule files found" in done.stdout


@EACH_FILE
def test_rules_are_what_prometheus_takes(file: Path):
    """Names, labels and expressions."""
    done = promtool(file.parent, "check", "rules", file.name)

    assert done.returncode == 0, done.stdout + done.stderr


@EACH_FILE
def test_alerts_come_when_they_should_and_not_before(file: Path):
    """`promtool test rules`."""
    done = promtool(TESTS[file].parent, "test", "rules", TESTS[file].name)

    assert done.returncode == 0, done.stdout + done.stderr


@EACH_RULE
def test_each_alert_is_tested_to_come_and_to_stay_away(rule):
    """One that never comes is as bad as one that always does."""
    assert rule["alert"] in tried(coming=True) & tried(coming=False)
    assert rule["labels"]["severity"] in {"critical", "warning"}


@EACH_RULE
def test_each_alert_leads_to_its_page(rule):
    """The page is a file of this repository with the alert's name."""
    url = rule["annotations"]["runbook_url"]

    place, page, name = url.partition("docs/runbooks/")
    assert (page, name) == ("docs/runbooks/", f"{rule['alert']}.md")
    assert place == named("ApiSlow")["annotations"]["runbook_url"].partition("docs/")[0]
    assert (RUNBOOKS / name).read_text().startswith(f"# {rule['alert']}\n")


def test_no_page_is_about_an_alert_that_is_gone():
    """And no two alerts have one name."""
    alerts = [rule["alert"] for rule in rules()]

    assert sorted(alerts) == sorted(page.stem for page in RUNBOOKS.glob("*.md"))


def test_the_slots_alert_comes_at_half_of_what_postgres_keeps():
    """In the embedded stack, with Docker Compose and on a cluster."""
    assert NAME == source.CONNECTOR
    bound = eval(named("CaptureSlotGrows")["expr"].rpartition(">")[2].replace("^", "**"))  # noqa: S307 - our own number
    kept = f"{2 * bound // GI}GB"

    cluster = named_document("overlays/prod", "Cluster", "engage-postgres")["spec"]
    assert cluster["postgresql"]["parameters"]["max_slot_wal_keep_size"] == kept
    compose = compose_file.raw()["services"]["postgres"]["command"]
    assert f"--max_slot_wal_keep_size={kept}" in compose
    assert postgres.SETTINGS["max_slot_wal_keep_size"] == kept


def test_the_reads_that_must_be_quick_are_the_hot_ones():
    """All of them, by the patterns of their routes, and no others."""
    hot = {
        route.path
        for part in ROUTES
        for route in part.router.routes
        if getattr(route, "endpoint", None) in HOT
    }
    (pattern,) = re.findall(r'route=~"([^"]+)"', named("ApiSlow")["expr"])

    assert len(hot) == len(HOT)
    assert {path.replace("[{]", "{").replace("[}]", "}") for path in pattern.split("|")} == hot
