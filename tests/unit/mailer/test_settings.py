"""The mailer starts only when it is set up to work, and says in one line what is missing."""

import os
import subprocess
import sys

import pytest

GOOD = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "DATABASE_URL": "postgresql://mailer:canary-db@127.0.0.1:9/engage",
    "OPENROUTER_API_KEY": "canary-key",
    "OPENROUTER_MODEL": "maker/model",
    "OPENROUTER_PROVIDER": "provider",
    "HOLDOUT_SALT": "salt",
}


def start(**changes):
    """Start the mailer with these settings; None takes one away."""
    env = {"PATH": os.environ["PATH"], **GOOD, **changes}
    return subprocess.run(
        [sys.executable, "-m", "mailer"],
        env={key: value for key, value in env.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENROUTER_API_KEY", None),
        ("OPENROUTER_API_KEY", "   "),
        ("OPENROUTER_API_KEY", "two words"),
        ("OPENROUTER_MODEL", None),
        ("OPENROUTER_MODEL", "openrouter/auto"),
        ("OPENROUTER_MODEL", "~maker/latest"),
        ("OPENROUTER_PROVIDER", None),
        ("HOLDOUT_SALT", None),
        ("HOLDOUT_SALT", " "),
        ("DATABASE_URL", None),
        ("OPENROUTER_BASE_URL", "http://openrouter.ai/api/v1"),
        ("OPENROUTER_BASE_URL", "http://127.0.0.1.evil.test/api/v1"),
        ("OPENROUTER_BASE_URL", "http://key@127.0.0.1/api/v1"),
        ("OPENROUTER_BASE_URL", "ftp://127.0.0.1"),
        ("MAILER_CONCURRENCY", "0"),
    ],
)
def test_a_bad_setting_is_one_clear_line(name, value):
    """A missing or unsafe setting ends the start with code 2 and one line that names it."""
    done = start(**{name: value})
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert name in line
    assert "canary" not in line


def test_an_absent_broker_is_one_clear_line():
    """With good settings, but no broker there, one line says so; the code is 2."""
    done = start(OPENROUTER_BASE_URL="http://127.0.0.1:9/api/v1")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("cannot start: ")]
    assert len(lines) == 1
    assert "no Kafka broker answers" in lines[0]
    assert "canary" not in done.stderr
