"""Delivery is off unless it is set up whole, and says in one line what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from mailer.delivery.settings import DeliverySettings
from tests.unit.mailer.test_settings import GOOD

SMTP = {
    "DELIVERY": "smtp",
    "SMTP_HOST": "smtp.example",
    "SMTP_USER": "user",
    "SMTP_PASSWORD": "canary-password",
    "MAIL_FROM": "Your Shop <news@shop.example>",
    "UNSUBSCRIBE_BASE_URL": "https://shop.example/",
    "LINK_KEY": "canary-key-of-more-than-32-bytes!",
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):
    """Read the settings from an environment; None takes a variable away."""

    def _read(**changes: str | None) -> DeliverySettings:
        for name in [*SMTP, "SMTP_TLS", "SMTP_CA_FILE", "SMTP_PORT"]:
            monkeypatch.delenv(name, raising=False)
        for name, value in {**SMTP, **changes}.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return DeliverySettings()

    return _read


def test_it_is_off_by_default(read):
    """Nothing is sent until somebody says so, and nothing else is needed until then."""
    assert read(**dict.fromkeys(SMTP)).delivery == "off"


def test_a_whole_set_is_taken(read, tmp_path: Path):
    """The usual: a relay with STARTTLS and a login; the base URL's slash is dropped."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    found = read(SMTP_CA_FILE=str(tmp_path / "ca.pem"))
    assert (found.delivery, found.smtp_tls, found.smtp_port) == ("smtp", "starttls", 587)
    assert found.unsubscribe_base_url == "https://shop.example"
    assert (found.sender.display_name, found.sender.addr_spec) == ("Your Shop", "news@shop.example")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"DELIVERY": "post"}, "'off' or 'smtp'"),
        ({"SMTP_HOST": None}, "DELIVERY=smtp needs SMTP_HOST"),
        ({"SMTP_HOST": "smtp..example"}, "should match pattern"),
        ({"SMTP_HOST": "https://smtp.example"}, "should match pattern"),
        ({"MAIL_FROM": None, "LINK_KEY": None}, "DELIVERY=smtp needs MAIL_FROM, LINK_KEY"),
        ({"UNSUBSCRIBE_BASE_URL": None}, "DELIVERY=smtp needs UNSUBSCRIBE_BASE_URL"),
        ({"LINK_KEY": "short"}, "at least 32 bytes"),
        ({"MAIL_FROM": "news@shop.example"}, "a name and an address"),
        ({"MAIL_FROM": "Your Shop"}, "a name and an address"),
        ({"MAIL_FROM": "Shop <a@b.example>\r\nBcc: x@y"}, "a name and an address"),
        ({"MAIL_FROM": "Shop <ä@b.example>"}, "a name and an address"),
        ({"UNSUBSCRIBE_BASE_URL": "http://shop.example"}, "must be https"),
        ({"UNSUBSCRIBE_BASE_URL": "ftp://127.0.0.1"}, "must be https"),
        ({"UNSUBSCRIBE_BASE_URL": "https://shop.example/?a=b"}, "query"),
        ({"UNSUBSCRIBE_BASE_URL": "https://a:b@shop.example"}, "user"),
        ({"UNSUBSCRIBE_BASE_URL": "https://shop.example/a b"}, "https URL"),
        ({"UNSUBSCRIBE_BASE_URL": "https://shop.example/>"}, "https URL"),
        ({"SMTP_PASSWORD": None}, "go together"),
        ({"SMTP_USER": None}, "go together"),
        ({"SMTP_TLS": "none"}, "loopback only"),
        ({"SMTP_TLS": "perhaps"}, "'starttls', 'tls' or 'none'"),
        ({"SMTP_PORT": "0"}, "greater than or equal to 1"),
        ({"SMTP_CA_FILE": "/nowhere/ca.pem"}, "readable PEM"),
    ],
)
def test_what_is_unsafe_or_missing_is_refused(read, changes: dict[str, str | None], why: str):
    """Each setting is checked before anything is sent."""
    with pytest.raises(ValidationError, match=why):
        read(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"SMTP_TLS": "none", "SMTP_HOST": "127.0.0.1"},
        {"SMTP_TLS": "tls", "SMTP_PORT": "465"},
        {"UNSUBSCRIBE_BASE_URL": "http://localhost:8000"},
        {"SMTP_USER": None, "SMTP_PASSWORD": None},
    ],
)
def test_what_is_safe_is_taken(read, changes: dict[str, str | None]):
    """Plain ways stay on this machine; a relay may know us without a login."""
    assert read(**changes).delivery == "smtp"


def test_the_mailer_says_in_one_line_what_is_missing():
    """It exits with 2 before it asks anything outside, and shows no secret."""
    env = {"PATH": os.environ["PATH"], **GOOD, **SMTP, "SMTP_HOST": "", "LINK_KEY": "canary-short"}
    done = subprocess.run(
        [sys.executable, "-m", "mailer"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "LINK_KEY (Value error, must have at least 32 bytes)" in line
    assert "canary" not in line
