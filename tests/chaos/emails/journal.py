"""The journal of what went in: one JSON line each, written before and after every request."""

import json
import threading
import time
from pathlib import Path
from typing import Any

from tests.chaos.emails.books import Doc


class Journal:
    """What was asked of the system, what it said is done, and what harm was done to it."""

    def __init__(self, file: Path) -> None:
        """Begin a journal in ``file``."""
        self._file = file.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self._entries: list[Doc] = []

    def note(self, what: str, **entry: Any) -> None:
        """Write an entry; the time is now, unless one is given."""
        whole = {"what": what, "at": time.time(), **entry}
        with self._lock:
            self._entries.append(whole)
            self._file.write(json.dumps(whole) + "\n")
            self._file.flush()

    @property
    def entries(self) -> list[Doc]:
        """All entries until now."""
        with self._lock:
            return list(self._entries)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
