"""A clone of this repository as it stands, in which commands of the guides are run as written."""

import os
import shutil
import subprocess
from pathlib import Path

from stack.places import ROOT

CLONE_LIMIT_S = 300.0


def clone(folder: Path) -> Path:
    """Clone what is committed into ``folder``, put what is not yet on top, and return it."""
    _git("clone", "--quiet", str(ROOT), str(folder))
    words = ("ls-files", "--modified", "--others", "--exclude-standard", "--deduplicate", "-z")
    for name in filter(None, _git("-C", str(ROOT), *words).split("\0")):
        source, target = ROOT / name, folder / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        else:
            target.unlink(missing_ok=True)
    return folder


def environment(base: dict[str, str]) -> dict[str, str]:
    """Return an environment as whoever has just cloned it has: none of ours, no make around it."""
    inner = str(ROOT / ".venv")
    path = base["PATH"].split(os.pathsep)
    kept = {
        name: value
        for name, value in base.items()
        if not name.startswith(("MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON"))
    }
    return {**kept, "PATH": os.pathsep.join(one for one in path if not one.startswith(inner))}


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], timeout=CLONE_LIMIT_S, check=True, capture_output=True, text=True
    ).stdout
