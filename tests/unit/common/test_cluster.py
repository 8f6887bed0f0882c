"""How Kafka is spoken to: whole settings or one clear line, never half of them."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from common.cluster import FILES, Certificates, Cluster, KafkaSecurity
from common.errors import Misconfigured
from common.settings import ServiceSettings, load
from tests.certificates import Authority

SERVERS = "broker-1:9093,broker-2:9093"


@pytest.fixture
def whole(tmp_path: Path) -> Certificates:
    """Three files that belong together."""
    return Authority(tmp_path).sign("service")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_SECURITY_PROTOCOL", *FILES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", SERVERS)


def told(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Cluster:
    """Return the cluster as a service with this environment sees it."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load(ServiceSettings).kafka


def test_without_a_word_of_it_kafka_is_spoken_to_in_the_clear():
    """As the embedded stack and compose do."""
    assert load(ServiceSettings).kafka == Cluster(SERVERS)
    assert Cluster(SERVERS).client == {"bootstrap.servers": SERVERS}


def test_librdkafka_is_told_of_all_three_files(whole, monkeypatch):
    """By the names that it knows them under."""
    assert told(monkeypatch, Cluster(SERVERS, whole).environment).client == {
        "bootstrap.servers": SERVERS,
        "security.protocol": "SSL",
        "ssl.ca.location": str(whole.authority),
        "ssl.certificate.location": str(whole.certificate),
        "ssl.key.location": str(whole.key),
    }


def test_a_child_process_is_told_the_same_wherever_it_runs(whole, monkeypatch, tmp_path):
    """Its environment leads back to the same cluster, also from relative names of files."""
    monkeypatch.chdir(tmp_path)
    near = Certificates(*(Path(file.name) for file in whole.files.values()))
    assert told(monkeypatch, Cluster(SERVERS, near).environment) == Cluster(SERVERS, whole)
    assert Cluster(SERVERS).environment == {"KAFKA_BOOTSTRAP_SERVERS": SERVERS}


def test_the_chain_and_the_hosts_name_are_checked_and_nothing_that_strimzi_lacks(whole):
    """Python's clients trust whom librdkafka trusts: one authority, no strictness beyond."""
    context = whole.context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("missing", FILES)
def test_tls_without_one_of_its_files_is_one_line(missing, whole, monkeypatch, capsys):
    """The settings are refused, and the missing one is named."""
    environment = Cluster(SERVERS, whole).environment
    with pytest.raises(SystemExit, match="2"):
        told(monkeypatch, {**environment, missing: ""})
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"KAFKA_SECURITY_PROTOCOL=SSL without {missing})" in said


def test_a_certificate_that_nobody_would_look_at_is_one_line(whole, monkeypatch, capsys):
    """Whoever names one does not mean a connection in the clear."""
    environment = Cluster(SERVERS, whole).environment
    with pytest.raises(SystemExit, match="2"):
        told(monkeypatch, {**environment, "KAFKA_SECURITY_PROTOCOL": ""})
    assert "without KAFKA_SECURITY_PROTOCOL=SSL" in capsys.readouterr().err


@pytest.mark.parametrize("protocol", ["SASL_SSL", "ssl", "TLS"])
def test_another_protocol_is_refused(protocol, whole, monkeypatch, capsys):
    """There are two."""
    environment = Cluster(SERVERS, whole).environment
    with pytest.raises(SystemExit, match="2"):
        told(monkeypatch, {**environment, "KAFKA_SECURITY_PROTOCOL": protocol})
    assert "KAFKA_SECURITY_PROTOCOL" in capsys.readouterr().err


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_is_named(name, whole, monkeypatch):
    """With its variable, its path and the reason."""
    whole.files[name].unlink()
    with pytest.raises(Misconfigured, match=f"{name} .*{whole.files[name].name} .*No such file"):
        told(monkeypatch, Cluster(SERVERS, whole).environment)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_something_else_is_named(name, whole, monkeypatch):
    """A file that is no PEM shows at start, not at the first connection."""
    whole.files[name].write_text("no certificate, no key")
    with pytest.raises(Misconfigured, match=name) as refused:
        told(monkeypatch, Cluster(SERVERS, whole).environment)
    assert "\n" not in str(refused.value)


def test_the_key_of_another_certificate_is_refused(whole, monkeypatch, tmp_path):
    """A key that was renewed without its certificate."""
    other = Authority(tmp_path, "other").sign("another service")
    mixed = Certificates(whole.authority, whole.certificate, other.key)
    with pytest.raises(Misconfigured, match="KEY_VALUES_MISMATCH"):
        told(monkeypatch, Cluster(SERVERS, mixed).environment)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(whole, monkeypatch):
    """A service has nobody at its terminal."""
    key = load_pem_private_key(whole.key.read_bytes(), None)
    lock = BestAvailableEncryption(b"password")
    whole.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    with pytest.raises(Misconfigured, match="the key is encrypted"):
        told(monkeypatch, Cluster(SERVERS, whole).environment)


def test_a_command_that_takes_the_address_itself_takes_the_rest_from_the_environment(
    whole, monkeypatch
):
    """As ``score-fit --kafka`` does."""
    for name, value in Cluster(SERVERS, whole).environment.items():
        monkeypatch.setenv(name, value)
    assert load(KafkaSecurity).cluster("elsewhere:9093") == Cluster("elsewhere:9093", whole)
