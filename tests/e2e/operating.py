"""What operators do, as they do it: by the command line."""

import json
import subprocess
import sys
from typing import Any

from stack.launcher import Stack

ENGAGE_LIMIT_S = 240.0


def engage(stack: Stack, *words: str) -> dict[str, Any]:
    """Run a command of ``engage`` as an operator does; return what it tells as JSON."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "engage", *words, "--json"),
            *("--stack-file", str(stack.folder / "state.json")),
        ],
        capture_output=True,
        text=True,
        timeout=ENGAGE_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    told: dict[str, Any] = json.loads(done.stdout)
    return told
