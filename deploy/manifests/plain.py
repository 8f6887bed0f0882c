"""Kafka and Connect as plain pods, for the journey: as the embedded stack sets them up.

Only addresses and folders differ.
"""

from pathlib import Path

from deploy.manifests.documents import HEADER
from stack import connect, kafka

BOOTSTRAP = "engage-kafka-bootstrap"
"""The plain pod's service has the name of the operator's, so that clients are told the same."""
PORT = 9092
CONTROLLER_PORT = 9093
CONNECT_HOST = "engage-connect-api"
CONNECT_PORT = 8083
PLUGINS = "/opt/kafka/plugins"
DATA = "/var/lib/kafka/data"
PASSWORD = "CDC_DATABASE_PASSWORD"  # noqa: S105 - a variable's name
LOOPBACK = "127.0.0.1"


def broker_properties() -> str:
    """Return ``server.properties`` of the one broker: listens everywhere, tells its service."""
    text = kafka.PROPERTIES.format(
        host=BOOTSTRAP, port=PORT, controller_port=CONTROLLER_PORT, data=DATA
    )
    listeners = (
        f"PLAINTEXT://{BOOTSTRAP}:{PORT},CONTROLLER://{BOOTSTRAP}:{CONTROLLER_PORT}",
        f"PLAINTEXT://0.0.0.0:{PORT},CONTROLLER://{LOOPBACK}:{CONTROLLER_PORT}",
    )
    quorum = (f"1@{BOOTSTRAP}:", f"1@{LOOPBACK}:")
    return HEADER.format(source="stack.kafka") + text.replace(*listeners).replace(*quorum)


def worker_properties() -> str:
    """Return ``connect.properties`` of the one worker."""
    text = connect.PROPERTIES.format(
        servers=f"{BOOTSTRAP}:{PORT}",
        host=CONNECT_HOST,
        port=CONNECT_PORT,
        plugins=PLUGINS,
        secrets=PASSWORD,
    )
    listener = (f"listeners=http://{CONNECT_HOST}:", "listeners=http://0.0.0.0:")
    return HEADER.format(source="stack.connect") + text.replace(*listener)


def logging(file: Path) -> str:
    """Return how both log: as in Docker Compose. A kustomization reads its own folder alone."""
    return HEADER.format(source="deploy/kafka") + file.read_text()
