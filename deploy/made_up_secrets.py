"""Makes up the secrets of an overlay that has its own: ``made_up_secrets.py FOLDER…``.

What is there stays, so it can be run again. The files are git-ignored; production takes its secrets
from the platform's store instead (components/external-secrets).

Runs as a file on a machine that has kubectl and no environment of ours: like compose_env.py it
imports nothing but the standard library.
"""

from __future__ import annotations

import re
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NAMED = re.compile(r"^ +- (secrets/[a-z-]+\.env)$", re.MULTILINE)
"""How a kustomization names a file of secrets."""


def _made_up() -> str:
    """Return what nobody guesses, of characters that need no escape in a URL."""
    return secrets.token_urlsafe(24)


def _login(role: str) -> Callable[[], dict[str, str]]:
    return lambda: {"username": role, "password": _made_up()}


RECIPES: dict[str, Callable[[], dict[str, str]]] = {
    "postgres-client-api.env": _login("client_api"),
    "postgres-mailer.env": _login("mailer"),
    "postgres-engage.env": _login("engage"),
    "postgres-cdc.env": _login("cdc"),
    "postgres-owner.env": _login("postgres"),
    "links.env": lambda: {"LINK_KEY": secrets.token_urlsafe(32)},
    "mailer.env": lambda: {"OPENROUTER_API_KEY": "sandbox", "HOLDOUT_SALT": _made_up()},
    "issuer.env": lambda: {"ISSUER_TOOLS_SECRET": _made_up()},
}
"""What stands in each file that an overlay may ask for."""


def make(overlay: Path) -> list[Path]:
    """Write the secret files that the overlay names and lacks; return them."""
    made = []
    for named in NAMED.findall((overlay / "kustomization.yaml").read_text()):
        file = overlay / named
        if file.exists():
            continue
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
        lines = (f"{name}={value}\n" for name, value in RECIPES[file.name]().items())
        file.write_text("".join(lines))
        made.append(file)
    return made


def main(arguments: list[str]) -> int:
    """Make the secrets of the overlays named; return the exit code."""
    for overlay in arguments:
        if not (Path(overlay) / "kustomization.yaml").is_file():
            sys.stderr.write(f"{overlay} is no overlay\n")
            return 2
        made = make(Path(overlay))
        sys.stdout.write(f"{overlay}: {len(made)} secrets made up\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
