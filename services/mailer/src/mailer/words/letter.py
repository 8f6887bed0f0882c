"""The letter: our own template around a checked text, and the hash by which people approve it."""

import hashlib
import re
from typing import NamedTuple

from mailer.words.told import Draft

SIGN_OFF = "Warm regards,\nYour shop"


class Letter(NamedTuple):
    """An email as it is stored and shown."""

    subject: str
    body: str

    @property
    def draft_hash(self) -> str:
        """Return the SHA-256 of the letter: a decision names the very text it was made about."""
        return hashlib.sha256(f"{self.subject}\n\n{self.body}".encode()).hexdigest()


def render(draft: Draft) -> Letter:
    """Set a checked draft into the template."""
    body = re.sub(r"\n{3,}", "\n\n", draft.body.strip())
    return Letter(draft.subject.strip(), f"{body}\n\n{SIGN_OFF}")
