"""A broker that asks whoever comes from outside for a certificate."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.cluster import Certificates, Cluster
from stack.kafka import Kafka
from stack.places import HOST, free_port
from tests.certificates import Authority


@dataclass(frozen=True)
class Guarded:
    """A broker at whose one address for clients certificates are asked for."""

    servers: str
    authority: Authority
    inside: Cluster
    """As the broker itself sees it, without a certificate: for whoever sets it up."""

    def shown(self, name: str) -> Cluster:
        """Return the cluster as somebody sees it whom the authority vouches for."""
        return Cluster(self.servers, self.authority.sign(name))


@contextmanager
def guarded_kafka(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Guarded]:
    """Run one, with ``more`` properties, until the block ends."""
    authority = Authority(folder)
    inner, outer, controller = free_port(), free_port(), free_port()
    properties = {
        "listeners": f"PLAINTEXT://{HOST}:{inner},SSL://{HOST}:{outer},"
        f"CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{inner},SSL://{HOST}:{outer}",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT",
        "ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(_keystore(authority.sign("broker"))),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        **(more or {}),
    }
    with Kafka.start(folder / "kafka", inner, more=properties) as broker:
        yield Guarded(f"{HOST}:{outer}", authority, Cluster(broker.bootstrap_servers))


def _keystore(certificates: Certificates) -> Path:
    """Return the key and its certificate in one file, as Java takes PEM."""
    file = certificates.key.with_suffix(".pem")
    file.write_bytes(certificates.key.read_bytes() + certificates.certificate.read_bytes())
    return file
