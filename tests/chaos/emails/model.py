"""The sandbox model as a schedule uses it: its fault plan, and its journal."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.emails.books import Doc

CHAT = "/api/v1/chat/completions"
LIMIT_S = 60.0
AGAIN_S = 0.05


class Model:
    """One sandbox, which may be killed and started again in between."""

    def __init__(self, url: str) -> None:
        """Reach it at ``url``."""
        self._url = f"{url}/sandbox/faults"
        self._lock = threading.Lock()
        self._troubles: dict[int, dict[str, Any]] = {}

    def begin(
        self, troubles: dict[int, dict[str, Any]], passing: tuple[dict[str, Any], ...]
    ) -> None:
        """Put the trouble of these clients, and what passes by itself, in force."""
        with self._lock:
            self._troubles = troubles
            self._put([*troubles.values(), *passing])

    def forgive(self, client: int) -> None:
        """Let a client's next text come out well."""
        with self._lock:
            self._troubles.pop(client, None)
            self._put([*self._troubles.values()])

    def remind(self) -> None:
        """Tell a sandbox that was started again which clients have trouble."""
        with self._lock:
            self._put([*self._troubles.values()])

    def _put(self, faults: list[dict[str, Any]]) -> None:
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                answer = httpx.put(self._url, json={"faults": faults}, trust_env=False, timeout=5)
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the sandbox does not come back"
                time.sleep(AGAIN_S)
                continue
            assert answer.status_code == 200, answer.text
            return


class Asked:
    """Reads the sandbox's journal as it grows."""

    def __init__(self, file: Path) -> None:
        """Read ``file``, which need not be there yet."""
        self._file = file
        self._read = 0
        self._entries: list[Doc] = []

    def prompts(self) -> list[Doc]:
        """Return every completion that was asked for until now, and what was answered."""
        if self._file.exists():
            with self._file.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
            whole = fresh[: fresh.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.splitlines():
                entry = json.loads(line)
                if entry["path"] == CHAT:
                    self._entries.append(_prompt(len(self._entries), entry))
        return list(self._entries)


def _prompt(number: int, entry: dict[str, Any]) -> Doc:
    return {
        "number": number,
        "asked": "\n".join(m["content"] for m in entry["request"].get("messages", ())),
        "generation": entry.get("generation"),
        "answer": _answer(entry.get("answer")),
    }


def _answer(answer: Any) -> dict[str, str] | None:
    """Return subject and body of an answer that is an email."""
    try:
        found = json.loads(answer["choices"][0]["message"]["content"])
        return {"subject": found["subject"], "body": found["body"]}
    except (KeyError, IndexError, TypeError, ValueError):
        return None
