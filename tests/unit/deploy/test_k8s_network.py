"""The network policies allow what deploy/k8s/network.md says, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from itertools import product

import pytest

from stack.places import ROOT
from tests.unit.deploy import kustomized
from tests.unit.deploy.kustomized import Document, of_kind, ours

HOME = "engage"


@dataclass(frozen=True)
class End:
    """Somebody who may speak or be spoken to."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = HOME
    address: str | None = None
    """Of who lies outside of the cluster."""


OPERATED = (
    End("kafka", {"strimzi.io/cluster": "engage", "strimzi.io/kind": "Kafka"}),
    End("connect", {"strimzi.io/cluster": "engage", "strimzi.io/kind": "KafkaConnect"}),
    End("postgres", {"cnpg.io/cluster": "engage-postgres"}),
)
"""Pods that operators make, with the labels that they give them."""
PLATFORM = (
    *(End(name, {}, name) for name in ("gateway", "monitoring", "keda", "cnpg-system")),
    End("kube-system", {"k8s-app": "kube-dns"}, "kube-system"),
    End("stranger", {}, "elsewhere"),
    End("neighbour", {"app.kubernetes.io/name": "somebody-else"}),
)
OUTSIDE = (End("outside", address="203.0.113.7"), End("private", address="10.1.2.3"))
PORTS = (53, 443, 465, 587, 4318, 5432, 8000, 8080, 8083, 9093, 9187, 9404)


def policies() -> list[Document]:
    """Return the policies as one list, with the one that Strimzi makes of the listener's peers."""
    (kafka,) = of_kind("overlays/prod", "Kafka")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    brokers = {
        "podSelector": {"matchLabels": OPERATED[0].labels},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": listener["networkPolicyPeers"], "ports": [{"port": listener["port"]}]}
        ],
    }
    return [*(one["spec"] for one in of_kind("overlays/prod", "NetworkPolicy")), brokers]


def selected(selector: Document, labels: dict[str, str]) -> bool:
    """Tell whether a label selector fits."""
    for wanted in selector.get("matchExpressions", []):
        assert wanted["operator"] == "In"
        if labels.get(wanted["key"]) not in wanted["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def is_peer(peer: Document, end: End) -> bool:
    """Tell whether somebody is meant by a peer of a policy."""
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        if end.address is None:
            return False
        inside = [ip_network(one) for one in block.get("except", [])]
        address = ip_address(end.address)
        return address in ip_network(block["cidr"]) and not any(address in one for one in inside)
    if end.address is not None:
        return False
    if "namespaceSelector" in peer:
        place = {"kubernetes.io/metadata.name": end.namespace}
        if not selected(peer["namespaceSelector"], place):
            return False
    elif end.namespace != HOME:
        return False
    return selected(peer.get("podSelector", {}), end.labels)


def chosen(all_policies: list[Document], end: End, way: str) -> list[Document]:
    """Return the policies that somebody is behind; the platform's own are not ours to know."""
    if end.namespace != HOME or end.address is not None:
        return []
    return [
        one
        for one in all_policies
        if way in one["policyTypes"] and selected(one["podSelector"], end.labels)
    ]


def may(behind: list[Document], way: str, other: End, port: int) -> bool:
    """Tell whether policies let speak to ``other`` (``Egress``), or be spoken to (``Ingress``)."""
    side = "to" if way == "Egress" else "from"
    return not behind or any(
        port in [one["port"] for one in rule["ports"]]
        and any(is_peer(peer, other) for peer in rule[side])
        for policy in behind
        for rule in policy.get(way.lower(), [])
    )


def pairs() -> Iterator[tuple[str, str, int]]:
    """Yield who may speak to whom, where one of the two is behind a policy for it."""
    everybody = [
        *(End(one.name, one.labels) for one in ours("overlays/prod")),
        *(*OPERATED, *PLATFORM, *OUTSIDE),
    ]
    found = policies()
    for speaker, heard in product(everybody, everybody):
        out = chosen(found, speaker, "Egress")
        into = chosen(found, heard, "Ingress")
        for port in PORTS if out or into else ():
            if may(out, "Egress", heard, port) and may(into, "Ingress", speaker, port):
                yield speaker.name, heard.name, port


def documented() -> list[tuple[str, str, int]]:
    """Return the table's rows."""
    lines = (ROOT / "deploy" / "k8s" / "network.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return [(row[0], row[1], int(row[2])) for row in rows[2:]]


def test_allowed_pairs_are_those_of_the_table():
    """Computed from the policies as they are rendered."""
    assert sorted(pairs()) == sorted(documented())


def test_nothing_of_ours_is_left_open():
    """Each pod of ours is behind a policy for what comes in and one for what goes out."""
    found = policies()

    for workload in ours("overlays/prod"):
        for way in ("Ingress", "Egress"):
            assert chosen(found, End(workload.name, workload.labels), way), (workload.name, way)


@pytest.mark.parametrize("name", ["stranger", "neighbour", "private"])
def test_who_is_not_in_the_table_speaks_to_nobody(name):
    """Neither another namespace's pods, nor others in ours, nor private addresses."""
    assert not [pair for pair in pairs() if name in pair[:2]]


def test_ports_in_the_table_are_those_that_containers_open():
    """For our own services; those of others are as their makers say."""
    opened = {
        one.name: {port["containerPort"] for port in one.main.get("ports", [])}
        for one in ours("overlays/prod")
    }

    for _, heard, port in documented():
        if heard in opened:
            assert port in opened[heard]
    assert kustomized.named("overlays/prod", "Service", "client-api")
