"""Kustomizations that put components together as overlays may: each alone, every two, and all.

Components meet in pairs: two that patch the same pod, or one that opens what another one closes.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations as choose

from deploy.manifests.documents import Document

NAMESPACE = "engage"
COMPONENTS = (
    *("autoscaling", "external-secrets", "gateway", "monitoring", "network-policies"),
    "rebuild",
)


def combinations(components: Sequence[str] = COMPONENTS) -> Iterator[tuple[str, Document]]:
    """Yield the folder's name and the kustomization of each combination."""
    some = [chosen for size in (1, 2) for chosen in choose(components, size)]
    yield from ((_name(chosen), _kustomization(chosen)) for chosen in some)
    yield "all", _kustomization(tuple(components))


def namespace() -> dict[str, Document]:
    """Return the files of a folder that all combinations take their namespace from."""
    return {
        "kustomization.yaml": {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["namespace.yaml"],
        },
        "namespace.yaml": {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE},
        },
    }


def _name(chosen: Sequence[str]) -> str:
    return "+".join(chosen)


def _kustomization(chosen: Sequence[str]) -> Document:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [
            "../namespace",
            "../../base",
            "../../platform/kafka",
            "../../platform/postgres",
        ],
        "components": [
            "../../components/operators",
            *(f"../../components/{one}" for one in chosen),
        ],
    }
