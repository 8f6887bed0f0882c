"""Certificates of the tests' own: an authority, and what it signs, as PEM files."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from common.cluster import Certificates
from stack.places import HOST

DAYS = 2


class Authority:
    """Signs certificates that are good for a day, for whoever is at the loopback address."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Make up the authority; all files lie in ``folder``."""
        self._folder = folder
        self._name = _named(name)
        self._key = generate_private_key(SECP256R1())
        self.file = folder / f"{name}.crt"
        """Its own certificate."""
        itself = _certificate(self._name, self._key, self._name).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file.write_bytes(itself.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def sign(self, name: str) -> Certificates:
        """Make a key and sign its certificate.

        Without the authority's key identifier, as Strimzi signs: stricter readers must put up with
        it.
        """
        key = generate_private_key(SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
        signed = _certificate(_named(name), key, self._name).add_extension(here, critical=False)
        made = Certificates(self.file, self._folder / f"{name}.crt", self._folder / f"{name}.key")
        made.certificate.write_bytes(
            signed.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        )
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, key: EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
