"""Writes what Docker Compose needs and nobody else may know: random secrets, and which model.

Runs as a file, ``python3 compose_env.py``, on a machine that has Docker and no environment of ours:
like doctor.py it imports nothing but the standard library.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).resolve().parents[3] / "deploy" / ".env"
"""Beside docker-compose.yml, where Compose looks for it; git-ignored."""

SECRETS = (
    "POSTGRES_PASSWORD",
    "CLIENT_API_PASSWORD",
    "MAILER_PASSWORD",
    "CDC_PASSWORD",
    "ENGAGE_PASSWORD",
    "HOLDOUT_SALT",
    "LINK_KEY",
    "TOOLS_SECRET",
    "GRAFANA_PASSWORD",
)

SANDBOX = {
    "COMPOSE_PROFILES": "sandbox",
    "MODEL_SANDBOX": "true",
    "OPENROUTER_BASE_URL": "http://127.0.0.1:8010/api/v1",
    "OPENROUTER_API_KEY": "sandbox",
    "OPENROUTER_MODEL": "sandbox/writer-1",
    "OPENROUTER_PROVIDER": "sandbox",
}
NAMED = ("OPENROUTER_API_KEY", "OPENROUTER_MODEL", "OPENROUTER_PROVIDER")
"""Either all of them are in our environment, and the real model is asked, or none."""

PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]+")
"""Means the same to Compose, which knows quotes, comments and variables, and to everybody else."""

HEAD = """\
# Written by `make compose-env` for deploy/docker-compose.yml on this machine. Not for git.
# Lines that are here stay as they are. For another model, take out all lines of the present one and
# set OPENROUTER_API_KEY, OPENROUTER_MODEL and OPENROUTER_PROVIDER for the next `make compose-env`.
"""


def model(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the model's variables; raises ValueError when it is named in part only."""
    named = {name: ours[name] for name in NAMED if ours.get(name)}
    if not named:
        return SANDBOX
    if missing := [name for name in NAMED if name not in named]:
        raise ValueError(f"{' and '.join(named)} is set, so {' and '.join(missing)} must be, too")
    if odd := [name for name, value in named.items() if not PLAIN.fullmatch(value)]:
        raise ValueError(f"Compose would not read {' and '.join(odd)} as it stands")
    return {"COMPOSE_PROFILES": "", "MODEL_SANDBOX": "false", **named}


def read(text: str) -> dict[str, str]:
    """Return the variables of a file that this module wrote, and perhaps a person since."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def completed(known: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Return what was known and what was lacking; raises ValueError.

    The model is chosen as a whole: by what was known, else by our environment.
    """
    chosen = {} if known.keys() & SANDBOX.keys() else model(ours)
    made = {name: secrets.token_urlsafe(32) for name in SECRETS}
    return {**made, **chosen, **known}


def write(file: Path, ours: Mapping[str, str]) -> bool:
    """Complete the file; return whether that was needed. Its owner alone may read it."""
    known = read(file.read_text()) if file.is_file() else {}
    wanted = completed(known, ours)
    if wanted == known:
        return False
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(HEAD + "".join(f"{name}={value}\n" for name, value in wanted.items()))
    draft.replace(file)
    return True


def main() -> int:
    """Write the file, say which model will be asked; return the exit code."""
    try:
        changed = write(FILE, os.environ)
    except ValueError as error:
        print(f"cannot choose the model: {error}", file=sys.stderr)
        return 2
    asked = read(FILE.read_text()).get("OPENROUTER_MODEL", "none")
    print(f"{FILE} {'written' if changed else 'is complete'}; model: {asked}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
