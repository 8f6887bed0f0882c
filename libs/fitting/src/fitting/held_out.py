"""Who is held out: a list in a file, or the mailer's own standing draw, repeated.

Emails change the labels that the next fit learns from; these clients get none. The draw is over all
clients. Those whose episodes ended as ``held_out`` would not do: they all fell at risk.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from common.errors import Misconfigured

DRAW = "draw"
SALT = "HOLDOUT_SALT"


def clients_of(asked: str, percent: float, clients: Iterable[str]) -> set[str]:
    """Return the ids held out: by a file with one a line, or ``draw``; raises Misconfigured."""
    if asked != DRAW:
        try:
            lines = Path(asked).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"--held-out: {asked} cannot be read: {error}") from None
        found = {line.strip() for line in lines if line.strip()}
        if not found:
            raise Misconfigured(f"--held-out: {asked} names no client")
        return found
    salt = os.environ.get(SALT)
    if not salt:
        raise Misconfigured(f"--held-out draw needs the mailer's {SALT} in the environment")
    return {client for client in clients if drawn(salt, client, percent)}


def drawn(salt: str, client: str, percent: float) -> bool:
    """Draw a client as ``mailer.episodes.rules.in_holdout`` does; a test keeps the two equal."""
    digest = hashlib.sha256(f"{salt}:{client}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * 100 < percent * 2**64
