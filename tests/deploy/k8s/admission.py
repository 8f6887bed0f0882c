"""Would a real API server take every overlay? Asked with warnings as errors; nothing is kept."""

from collections.abc import Callable

import yaml

from tests.deploy.k8s import control_plane
from tests.deploy.k8s.cluster import Cluster, Document, Refused
from tests.deploy.k8s.overlays import NAMES, Overlays

DRY = ("apply", "--dry-run=server", "--warnings-as-errors", "--filename", "-")


class Wrong(Exception):
    """The server took what it must refuse, or refused what it must take."""


class Occupied(Exception):
    """The cluster has namespaces of ours already; whoever made them may need them."""


def check(cluster: Cluster, overlays: Overlays) -> None:
    """Let the server judge all overlays, and some that are spoilt.

    Namespaces are made, since what lies in one that is not there cannot be judged, and removed.
    Raises Wrong, Missing, Occupied.
    """
    built = {name: cluster.build(overlays.folder(name)) for name in NAMES}
    namespaces = [
        one
        for text in built.values()
        for one in yaml.safe_load_all(text)
        if one["kind"] == "Namespace"
    ]
    names = {one["metadata"]["name"] for one in namespaces}
    if occupied := names & cluster.names("namespaces"):
        raise Occupied(f"the cluster has {', '.join(sorted(occupied))}: use one without")
    control_plane.define(cluster)
    try:
        cluster.apply(yaml.safe_dump_all(namespaces))
        for name, text in built.items():
            _check(cluster, name, text)
    finally:
        for one in sorted(names):
            cluster.forget(one)


def _check(cluster: Cluster, name: str, text: str) -> None:
    """Let the server judge one overlay, as it is and spoilt."""
    documents = list(yaml.safe_load_all(text))
    judged = _judge(cluster, documents)
    if len(judged) != len(documents):
        raise Wrong(f"{name}: {len(judged)} judged of {len(documents)}")
    print(f"  {name}: {len(judged)} objects admitted without a warning", flush=True)
    for what, (spoil, said) in SPOILT.items():
        spoilt = list(yaml.safe_load_all(text))
        if spoil(spoilt):
            _must_refuse(cluster, spoilt, f"{name}: {what}", said)


def _judge(cluster: Cluster, documents: list[Document]) -> list[str]:
    """Return a line for each object that the server would take. Raises Refused."""
    return cluster.kubectl(*DRY, given=yaml.safe_dump_all(documents)).splitlines()


def _must_refuse(cluster: Cluster, documents: list[Document], what: str, said: str) -> None:
    try:
        _judge(cluster, documents)
    except Refused as refused:
        if said not in str(refused):
            raise Wrong(f"{what}: refused, but for another reason: {refused}") from None
        print(f"  {what}: refused", flush=True)
    else:
        raise Wrong(f"{what}: admitted")


def _first(documents: list[Document], kind: str) -> Document | None:
    return next((one for one in documents if one["kind"] == kind), None)


def _misspell(documents: list[Document]) -> bool:
    one = _first(documents, "StatefulSet")
    assert one is not None
    one["spec"]["replcas"] = 2
    return True


def _root(documents: list[Document]) -> bool:
    one = _first(documents, "Deployment")
    assert one is not None
    del one["spec"]["template"]["spec"]["securityContext"]
    return True


def _selector(documents: list[Document]) -> bool:
    one = _first(documents, "Deployment")
    assert one is not None
    one["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/name": "somebody-else"}
    return True


def _operators(documents: list[Document]) -> bool:
    one = _first(documents, "KafkaTopic")
    if one is None:
        return False
    one["spec"]["partitions"] = 0
    return True


Spoil = Callable[[list[Document]], bool]
SPOILT: dict[str, tuple[Spoil, str]] = {
    "a field that nobody knows": (_misspell, "replcas"),
    "a pod that may run as root": (_root, "would violate PodSecurity"),
    "a selector that selects nothing": (_selector, "selector"),
    "a topic without partitions": (_operators, "spec.partitions"),
}
"""What is done to an overlay, where it can be, and what the server says then."""
