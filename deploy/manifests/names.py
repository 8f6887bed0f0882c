"""Names that manifests, operators and tests agree on."""

CLUSTER = "engage"
"""The Kafka cluster, and the Connect cluster beside it."""

STRIMZI = "kafka.strimzi.io/v1"
CLUSTER_LABEL = {"strimzi.io/cluster": CLUSTER}

WAVE = "argocd.argoproj.io/sync-wave"


def wave(number: int) -> dict[str, dict[str, str]]:
    """Return the metadata that puts a document into one of Argo CD's waves."""
    return {"annotations": {WAVE: str(number)}}
