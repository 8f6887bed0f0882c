"""The capture of changes as a KafkaConnector: ``cdc_relay.connector``, and what a cluster adds."""

from cdc_relay.connector import NAME, config_of
from cdc_relay.settings import ConnectorSettings
from deploy.manifests.documents import Document
from deploy.manifests.names import CLUSTER_LABEL, STRIMZI, wave

DATABASE_HOST = "engage-postgres-rw"
"""CloudNativePG's service of the primary."""
CA_FILE = "/mnt/postgres-ca/ca.crt"
"""Where Connect's pods find Postgres' authority (connect.yaml)."""

IN_A_CLUSTER = {
    # The slot is copied to the standbys, so capture goes on after a failover (Postgres 17).
    "slot.failover": "true",
    "database.sslmode": "verify-full",
    "database.sslrootcert": CA_FILE,
}
"""All that differs from what the embedded stack is given."""


def connector() -> Document:
    """Return the connector; Strimzi takes class and number of tasks as fields of their own."""
    settings = ConnectorSettings(kafka_bootstrap_servers="unused", cdc_database_host=DATABASE_HOST)
    config = {**config_of(settings), **IN_A_CLUSTER}
    return {
        "apiVersion": STRIMZI,
        "kind": "KafkaConnector",
        "metadata": {
            "name": NAME,
            "labels": {**CLUSTER_LABEL, "app.kubernetes.io/component": "capture"},
            **wave(3),
        },
        "spec": {
            "class": config.pop("connector.class"),
            "tasksMax": int(config.pop("tasks.max")),
            "autoRestart": {"enabled": True, "maxRestarts": 20},
            "config": config,
        },
    }
