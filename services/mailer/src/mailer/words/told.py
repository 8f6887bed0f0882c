"""A draft beside the facts: what it says as a whole, and what in it was never given."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mailer.words.lexicon import folded, looks
from mailer.words.prompt import Facts

GIVEN = "\ue000"
"""Stands where a draft repeats a fact. No text may hold it by itself: it is for private use."""


class Draft(BaseModel):
    """The model's answer, exactly in the form that was asked for."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    subject: str
    body: str
    facts_used: Annotated[list[str], Field(max_length=20)]


@dataclass(frozen=True)
class Told:
    """A draft as the rules look at it. ``looks`` are folded as in ``mailer.words.lexicon``."""

    draft: Draft
    facts: Facts
    whole: str
    """Subject and body."""
    subject: str
    """The subject, with the facts taken out."""
    body: str
    """The body, with the facts taken out."""
    whole_looks: tuple[str, ...]
    own_looks: tuple[str, ...]
    """Of what the model added to the facts."""

    @classmethod
    def of(cls, draft: Draft, facts: Facts) -> "Told":
        """Lay a draft beside the facts that its author was given."""
        given = _pattern(_phrases(facts))
        subject, body = (
            given.sub(GIVEN, unicodedata.normalize("NFC", text))
            for text in (draft.subject, draft.body)
        )
        whole = f"{draft.subject}\n{draft.body}"
        return cls(draft, facts, whole, subject, body, looks(whole), looks(f"{subject}\n{body}"))

    @property
    def own(self) -> str:
        """What the model added to the facts."""
        return f"{self.subject}\n{self.body}"


def fact_words(facts: Facts) -> frozenset[str]:
    """Return the single words of all facts, folded."""
    return frozenset(re.findall(r"\w+", folded(" ".join(_phrases(facts)))))


def _phrases(facts: Facts) -> tuple[str, ...]:
    named = (facts.first_name,) if facts.first_name else ()
    return (*named, *facts.style_tags, *facts.order_categories, facts.last_order)


def _pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """Find any of the phrases, the longest first, however it is spaced or its quotes are bent."""
    ordered = sorted(phrases, key=len, reverse=True)
    written = (
        r"\s+".join(re.sub("['’]", "['’]", re.escape(word)) for word in phrase.split())  # noqa: RUF001
        for phrase in ordered
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(written)})(?!\w)", re.IGNORECASE)
