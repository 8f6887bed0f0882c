"""A Kafka cluster as clients are told of it: where it is, whom to trust there, what to show it."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.errors import Misconfigured

PROTOCOL = "KAFKA_SECURITY_PROTOCOL"
CA, CERTIFICATE, KEY = FILES = (
    "KAFKA_SSL_CA_LOCATION",
    "KAFKA_SSL_CERTIFICATE_LOCATION",
    "KAFKA_SSL_KEY_LOCATION",
)
"""The variables that name the files."""


@dataclass(frozen=True)
class Certificates:
    """Three PEM files; the key is not encrypted, since what would open it lay beside it."""

    authority: Path
    """Who must have signed a broker's certificate: these authorities, and no others."""
    certificate: Path
    """What we show."""
    key: Path

    @property
    def files(self) -> dict[str, Path]:
        """The files by the variables that name them."""
        return dict(zip(FILES, (self.authority, self.certificate, self.key), strict=True))

    def context(self) -> ssl.SSLContext:
        """Return them as Python's own TLS takes them; raises Misconfigured where it does not.

        The chain and the host's name are checked, as librdkafka checks them. The strictness that
        Python 3.13 adds to its default is not asked for: certificates that Strimzi makes lack what
        it wants to see (strimzi-kafka-operator#11375).
        """
        for name, file in self.files.items():
            try:
                file.read_bytes()
            except OSError as error:
                raise Misconfigured(f"{name} {file} cannot be read: {error.strerror}") from None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(self.authority)
        except ssl.SSLError:
            raise Misconfigured(f"{CA} {self.authority} holds no certificate") from None
        try:
            # Without a password to try, that of an encrypted key is asked for at the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        except ssl.SSLError as error:
            why = error.reason or "one holds nothing of its kind, or the key is encrypted"
            raise Misconfigured(f"{CERTIFICATE} and {KEY} cannot be used: {why}") from None
        return context


@dataclass(frozen=True)
class Cluster:
    """Where Kafka is, and how it is spoken to: in the clear without certificates."""

    servers: str
    certificates: Certificates | None = None

    def __str__(self) -> str:
        """Return the address, for messages."""
        return self.servers

    @property
    def client(self) -> dict[str, str]:
        """What a client of librdkafka is told of the cluster."""
        if self.certificates is None:
            return {"bootstrap.servers": self.servers}
        return {
            "bootstrap.servers": self.servers,
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.certificates.authority),
            "ssl.certificate.location": str(self.certificates.certificate),
            "ssl.key.location": str(self.certificates.key),
        }

    @property
    def environment(self) -> dict[str, str]:
        """The variables that tell another service of the cluster, wherever it runs here."""
        told = {"KAFKA_BOOTSTRAP_SERVERS": self.servers}
        if self.certificates is None:
            return told
        files = {name: str(file.resolve()) for name, file in self.certificates.files.items()}
        return told | {PROTOCOL: "SSL"} | files


class KafkaSecurity(BaseSettings):
    """How Kafka is spoken to; the same variables for whoever speaks to it."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    kafka_security_protocol: Literal["PLAINTEXT", "SSL"] = "PLAINTEXT"
    kafka_ssl_ca_location: Path | None = None
    kafka_ssl_certificate_location: Path | None = None
    kafka_ssl_key_location: Path | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Refuse half of it: a file that nobody looks at is a connection in the clear."""
        given = {name for name in FILES if getattr(self, name.lower()) is not None}
        if self.kafka_security_protocol == "PLAINTEXT" and given:
            raise ValueError(f"{', '.join(sorted(given))} without {PROTOCOL}=SSL")
        if self.kafka_security_protocol == "SSL" and given != set(FILES):
            missing = ", ".join(name for name in FILES if name not in given)
            raise ValueError(f"{PROTOCOL}=SSL without {missing}")
        return self

    def cluster(self, servers: str) -> Cluster:
        """Return the cluster at ``servers``; raises Misconfigured where a file cannot be used."""
        authority, certificate, key = (
            self.kafka_ssl_ca_location,
            self.kafka_ssl_certificate_location,
            self.kafka_ssl_key_location,
        )
        if authority is None or certificate is None or key is None:
            return Cluster(servers)
        certificates = Certificates(authority, certificate, key)
        certificates.context()
        return Cluster(servers, certificates)
