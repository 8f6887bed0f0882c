"""The sandbox's journal: what it was asked and what it answered, for tests to read."""

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Journal:
    """One JSON line for each request: what was asked, without the key, and what was answered."""

    def __init__(self, file: Path | None) -> None:
        """Append to ``file``, or keep none."""
        self._file = file.open("a", encoding="utf-8") if file else None
        self._numbers = itertools.count(1)

    def note(self, **entry: Any) -> None:
        """Write one line and hand it to the operating system at once."""
        number = next(self._numbers)
        if self._file is not None:
            line = {"n": number, "at": datetime.now(UTC).isoformat(), **entry}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
