"""What Docker Compose is told in secret: made once, kept, and the model chosen as a whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack import compose_env

REAL = {
    "OPENROUTER_API_KEY": "sk-or-v1-abc",
    "OPENROUTER_MODEL": "maker/model",
    "OPENROUTER_PROVIDER": "host",
}


def test_secrets_are_made_once_and_kept_for_the_owner_alone(tmp_path: Path):
    """A second run changes nothing; two machines share no secret; nobody else may read them."""
    file, other = tmp_path / ".env", tmp_path / "other.env"
    assert compose_env.write(file, {})
    first = compose_env.read(file.read_text())
    assert not compose_env.write(file, {})
    assert compose_env.read(file.read_text()) == first
    assert file.stat().st_mode & 0o777 == 0o600
    compose_env.write(other, {})
    second = compose_env.read(other.read_text())
    assert all(first[name] != second[name] for name in compose_env.SECRETS)
    assert len({first[name] for name in compose_env.SECRETS}) == len(compose_env.SECRETS)
    assert all(compose_env.PLAIN.fullmatch(first[name]) for name in compose_env.SECRETS)


def test_what_a_person_wrote_stays_and_what_is_missing_is_added(tmp_path: Path):
    """A file of an older version is completed; ports and passwords in it are not touched."""
    file = tmp_path / ".env"
    file.write_text("# mine\nPOSTGRES_PASSWORD=kept\n\nISSUER_PORT=9020\n")
    assert compose_env.write(file, {})
    found = compose_env.read(file.read_text())
    assert found["POSTGRES_PASSWORD"] == "kept"
    assert found["ISSUER_PORT"] == "9020"
    assert set(compose_env.SECRETS) <= set(found)


def test_a_key_a_model_and_a_provider_choose_the_real_model():
    """Then no sandbox is started, and OpenRouter's own address is asked."""
    found = compose_env.completed({}, {**REAL, "PATH": "/bin"})
    assert REAL.items() <= found.items()
    assert found["MODEL_SANDBOX"] == "false"
    assert found["COMPOSE_PROFILES"] == ""
    assert "OPENROUTER_BASE_URL" not in found
    assert "PATH" not in found


def test_a_model_once_chosen_is_not_mixed_with_another():
    """What the file says counts as a whole, whatever the environment says by now."""
    sandboxed = compose_env.completed({}, {})
    assert compose_env.completed(sandboxed, REAL) == sandboxed


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ({"OPENROUTER_API_KEY": "key"}, "OPENROUTER_MODEL and OPENROUTER_PROVIDER must be"),
        ({**REAL, "OPENROUTER_API_KEY": "a$b"}, "OPENROUTER_API_KEY"),
    ],
)
def test_half_a_choice_and_what_compose_would_misread_are_refused(
    ours: dict[str, str], message: str
):
    """The message names the variables, and no value."""
    with pytest.raises(ValueError, match=message) as caught:
        compose_env.completed({}, ours)
    assert "a$b" not in str(caught.value)


def test_it_runs_without_our_environment():
    """Any Python can run it as a file: nothing is imported but the standard library."""
    script = f"import runpy; runpy.run_path({compose_env.__file__!r})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
