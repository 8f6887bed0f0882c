"""Prometheus' rules as tests look at them: what is alerted of, and what promtool tries."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from deploy import tools
from stack.places import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
CAPTURE = FOLDER / "rules" / "capture.yaml"
SERVICES = FOLDER / "rules" / "services.yaml"
EVERYWHERE = (CAPTURE, SERVICES)
CLUSTER = FOLDER / "kubernetes" / "alerts.yaml"
TESTS = {
    CAPTURE: FOLDER / "tests" / "capture.yaml",
    SERVICES: FOLDER / "tests" / "services.yaml",
    CLUSTER: FOLDER / "kubernetes" / "tests.yaml",
}
"""The tests of each file of rules."""
LIMIT_S = 60

Rule = dict[str, Any]


def rules(*files: Path) -> list[Rule]:
    """Return the rules of files, those of all when none is named."""
    return [
        rule
        for file in files or TESTS
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


def named(alert: str) -> Rule:
    """Return one rule."""
    (found,) = [rule for rule in rules() if rule["alert"] == alert]
    return found


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run promtool in a folder."""
    return subprocess.run(
        [tools.tool("promtool"), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
