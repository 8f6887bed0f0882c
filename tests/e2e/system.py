"""The running system as an outsider meets it: a command, a state file, HTTP; nothing of ours.

``SYSTEM_STATE_FILE`` names the state file of a system that somebody else has started, as in
containers: then that one is met. ``api_url``, ``issuer_url`` and ``clock_file`` are all it takes.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from stack.tokens import As
from tests.e2e.waiting import wait_for

START_LIMIT_S = 240.0
STOP_LIMIT_S = 60.0


@dataclass(frozen=True)
class System:
    """One running system."""

    url: str
    issuer_url: str
    clock_file: Path
    http: httpx.Client

    def get(self, path: str, **params: str | int) -> Any:
        """Read a document that must be there."""
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Create something that must be accepted."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def business_now(self) -> datetime:
        """Return the business time."""
        return datetime.fromisoformat(self.get("/api/stats")["business_now"])

    def run_clock(self, days_per_second: float) -> None:
        """Let business time run from here on at a rate; 0.0 means real time."""
        anchor = {
            "wall": datetime.now(UTC).isoformat(),
            "business": self.business_now().isoformat(),
            "rate": days_per_second * 86_400 or 1.0,
        }
        draft = self.clock_file.with_suffix(".new")
        draft.write_text(json.dumps(anchor))
        draft.replace(self.clock_file)


@contextmanager
def running(folder: Path) -> Iterator[System]:
    """Meet the system that ``SYSTEM_STATE_FILE`` names, or run one until the block ends."""
    named = os.environ.get("SYSTEM_STATE_FILE")
    if named:
        with met(Path(named)) as system:
            yield system
    else:
        with _started(folder) as state_file, met(state_file) as system:
            yield system


@contextmanager
def met(state_file: Path) -> Iterator[System]:
    """Meet the system of a state file."""
    state = json.loads(state_file.read_text())
    with httpx.Client(
        base_url=state["api_url"], auth=As(state["issuer_url"]), trust_env=False, timeout=30
    ) as http:
        yield System(state["api_url"], state["issuer_url"], Path(state["clock_file"]), http)


@contextmanager
def _started(folder: Path) -> Iterator[Path]:
    """Run ``python -m stack up`` until the block ends; it must then stop tidily."""
    state_file = folder / "run" / "state.json"
    log = folder / "stack.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "stack", "up"),
                *("--folder", str(folder / "run"), "--state-file", str(state_file)),
                "--any-ports",
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={key: value for key, value in os.environ.items() if "OPENROUTER" not in key},
        )

    def started() -> bool | None:
        assert process.poll() is None, f"the system did not start:\n{log.read_text()}"
        return True if "Ctrl-C stops everything" in log.read_text() else None

    try:
        wait_for("the system is up", started, START_LIMIT_S)
        yield state_file
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_LIMIT_S) == 130, log.read_text()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_LIMIT_S)
