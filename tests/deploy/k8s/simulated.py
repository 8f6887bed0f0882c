"""Scheduling on simulated nodes in three zones: rollouts, volumes, jobs, and nodes drained."""

import time
from collections import Counter, defaultdict

import yaml

from tests.deploy.k8s import control_plane
from tests.deploy.k8s.cluster import Cluster, Document, Refused, is_ready
from tests.deploy.k8s.overlays import Overlays

ROLLED_LIMIT_S = 300.0
DRAIN_LIMIT_S = 180.0
REFUSED_LIMIT_S = 20.0
"""How long a drain is tried that must not come through."""
NODES = ("fake-0", "fake-1", "fake-2")
NAME = "app.kubernetes.io/name"


class Wrong(Exception):
    """The pods are not where, or not as many as, they must be."""


def check(cluster: Cluster, overlays: Overlays) -> None:
    """Run the overlays ``test`` and ``prod`` on simulated nodes. Raises Wrong, Refused, Missing.

    In ``prod`` the operators' documents are there, but nobody acts on them.
    """
    control_plane.define(cluster)
    _apply(cluster, overlays, "test")
    _drained(cluster, "engage-test")
    cluster.forget("engage-test")
    _apply(cluster, overlays, "prod")
    # As the autoscaler would: it is its operator's, and not here.
    for name in ("statefulset/scorer", "deployment/projector"):
        cluster.kubectl("scale", name, "--replicas=3", "--namespace", "engage")
    cluster.rolled_out("engage", ROLLED_LIMIT_S)
    _spread(cluster, "engage")
    _drained(cluster, "engage")
    _budgets_hold(cluster, "engage")


def _apply(cluster: Cluster, overlays: Overlays, name: str) -> None:
    """Apply an overlay; wait until all rollouts and jobs are done, and volumes bound."""
    began = time.monotonic()
    text = cluster.build(overlays.folder(name))
    namespace = _namespace(text)
    cluster.apply(text)
    cluster.rolled_out(namespace, ROLLED_LIMIT_S)
    cluster.completed(namespace, ROLLED_LIMIT_S)
    claims = cluster.documents("persistentvolumeclaims", namespace)
    unbound = [one["metadata"]["name"] for one in claims if one["status"]["phase"] != "Bound"]
    if unbound or not any("scorer" in one["metadata"]["name"] for one in claims):
        raise Wrong(f"{name}: not bound: {unbound} of {len(claims)} claims")
    took = time.monotonic() - began
    print(f"  {name}: rolled out, jobs done, {len(claims)} volumes, {took:.0f} s", flush=True)


def _namespace(text: str) -> str:
    """Return the namespace that an overlay makes."""
    (found,) = (one for one in yaml.safe_load_all(text) if one["kind"] == "Namespace")
    name: str = found["metadata"]["name"]
    return name


def _pods(cluster: Cluster, namespace: str) -> dict[str, list[Document]]:
    """Return the pods that serve, by the name of their service."""
    found: dict[str, list[Document]] = defaultdict(list)
    for pod in cluster.documents("pods", namespace, "--field-selector=status.phase!=Succeeded"):
        found[pod["metadata"]["labels"][NAME]].append(pod)
    return found


def _spread(cluster: Cluster, namespace: str) -> None:
    """Pods of more than one lie in as many zones as there are, or as there are pods."""
    for name, pods in _pods(cluster, namespace).items():
        zones = Counter(pod["spec"]["nodeName"] for pod in pods)
        if len(zones) < min(len(pods), len(NODES)):
            raise Wrong(f"{name}: {len(pods)} pods in {len(zones)} zones")
        print(f"  {name}: {len(pods)} pods in {len(zones)} zones", flush=True)


def _drained(cluster: Cluster, namespace: str) -> None:
    """Draining one node after the other moves every pod, one of a service at a time."""
    for node in NODES:
        before = sum(len(pods) for pods in _pods(cluster, namespace).values())
        _drain(cluster, node, DRAIN_LIMIT_S)
        cluster.rolled_out(namespace, ROLLED_LIMIT_S)
        left = [
            pod["metadata"]["name"]
            for pods in _pods(cluster, namespace).values()
            for pod in pods
            if pod["spec"].get("nodeName") == node
        ]
        after = sum(len(pods) for pods in _pods(cluster, namespace).values())
        cluster.kubectl("uncordon", node)
        if left or after != before:
            raise Wrong(f"{node} is drained, but {left} are there: {before} pods, now {after}")
    print(f"  {namespace}: each of {len(NODES)} nodes drained, every pod moved", flush=True)


def _drain(cluster: Cluster, node: str, limit_s: float) -> None:
    words = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data")
    cluster.kubectl(*words, f"--timeout={limit_s:.0f}s", limit_s=limit_s + 60)


def _budgets_hold(cluster: Cluster, namespace: str) -> None:
    """Where a moved pod finds no place, the next of its service is not moved."""
    wanted = {name: len(pods) for name, pods in _pods(cluster, namespace).items()}
    cluster.kubectl("cordon", *NODES)
    refused = []
    for node in NODES:
        try:
            _drain(cluster, node, REFUSED_LIMIT_S)
        except Refused as error:
            refused.append(str(error))
    ready = {
        name: sum(is_ready(pod) for pod in pods) for name, pods in _pods(cluster, namespace).items()
    }
    cluster.kubectl("uncordon", *NODES)
    few = [name for name, count in wanted.items() if ready[name] < count - 1]
    if few:
        raise Wrong(f"more than one pod was taken from {few}: {ready} of {wanted}")
    if not any("disruption budget" in text for text in refused):
        raise Wrong(f"all nodes were drained with no place to go: {refused}")
    cluster.rolled_out(namespace, ROLLED_LIMIT_S)
    print(f"  with no place to go, budgets kept {ready} of {wanted}", flush=True)
