"""Fetches the operators' custom resource definitions: ``python -m deploy.crds``.

They are a cluster's, not ours; ``locks/crds.txt`` names each by its address and its content. A
second run fetches only what is missing.
"""

import hashlib
import re
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "locks" / "crds.txt"
FOLDER = ROOT / ".cache" / "crds"
"""Where they lie, and nothing else; what DEPLOY_CRDS may name."""
LIMIT_S = 60
LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


class Refused(Exception):
    """A definition cannot be had as it is pinned; the message says why in one line."""


def read_lock(text: str) -> dict[str, str]:
    """Return the sha256 of each address. Raises Refused."""
    locked = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found = LINE.fullmatch(line)
            if found is None:
                raise Refused(f"not a sha256 and an address: {line}")
            locked[found[2]] = found[1]
    return locked


def fetch(locked: dict[str, str], folder: Path) -> list[Path]:
    """Bring the files into a folder that has nothing else; return those fetched now.

    Raises Refused; a file that is not what is pinned is not kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    targets = {folder / address.rpartition("/")[2]: address for address in locked}
    for stranger in set(folder.iterdir()) - set(targets):
        stranger.unlink()
    new = []
    for target, address in targets.items():
        if not (target.exists() and _hash(target.read_bytes()) == locked[address]):
            target.write_bytes(_asked(address, locked[address]))
            new.append(target)
    return new


def _asked(address: str, pinned: str) -> bytes:
    try:
        # Whatever the address is, the content is pinned.
        with urllib.request.urlopen(address, timeout=LIMIT_S) as answer:  # noqa: S310
            content: bytes = answer.read()
    except OSError as error:
        raise Refused(f"{address}: {error}") from None
    if _hash(content) != pinned:
        raise Refused(f"{address} is not what locks/{LOCK.name} pins")
    return content


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    """Fetch all; return the exit code."""
    try:
        new = fetch(read_lock(LOCK.read_text()), FOLDER)
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"fetched {file.name}\n" for file in new))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
