"""Prometheus' rule files as one PrometheusRule, so that promtool tests what a cluster gets."""

from pathlib import Path

import yaml

from deploy.manifests.documents import Document


def rules(folder: Path) -> Document:
    """Return all groups of the rule files: those for everywhere, then those for a cluster alone."""
    files = [*sorted((folder / "rules").glob("*.yaml")), folder / "kubernetes" / "alerts.yaml"]
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "engage"},
        "spec": {"groups": groups},
    }
