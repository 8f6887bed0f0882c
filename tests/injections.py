"""Client texts that give orders to a model, and what must not come of them."""

import tomllib
import unicodedata
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "unit" / "mailer" / "texts" / "injections.toml"
FIELDS = ("first_name", "style_tags", "categories")
"""Where clients' own text may get into a prompt."""


class Injection(NamedTuple):
    """One such text."""

    style: str
    text: str
    obeyed: str
    """What a model that obeys would add to its email."""
    leaks: tuple[str, ...]
    """What may stand in no stored email, in small letters."""

    def leaked_in(self, text: str) -> list[str]:
        """Return what came of it in a text, as people read it."""
        shown = unicodedata.normalize("NFKC", text).casefold()
        return [leak for leak in self.leaks if leak in shown or leak in text.casefold()]


INJECTIONS = [
    Injection(row["style"], row["text"], row["obeyed"], tuple(row["leaks"]))
    for row in tomllib.loads(FILE.read_text(encoding="utf-8"))["injection"]
]
