"""Words that belong to one client alone: wherever one turns up, it says whose text that is."""

import re
from collections.abc import Iterable

CONSONANTS = "bcdfghjklmnpqrstvwxz"
VOWELS = "aeiou"
PAIRS = 5
ROLES = ("name", "tag", "category")
_SPREAD = 7_368_787
"""Has no divisor in common with the number of words, so no two numbers give the same word."""

WORD = re.compile(
    rf"(?<![^\W\d_])(?:[{CONSONANTS}][{VOWELS}]){{{PAIRS}}}(?![^\W\d_])", re.IGNORECASE
)
"""A word of this form, on its own; no English word of our prompts and letters has it."""


def word_of(client: int, role: str) -> str:
    """Return the word of a client in a role: lower case, of fixed length, never another's."""
    pairs = len(CONSONANTS) * len(VOWELS)
    number = (client * len(ROLES) + ROLES.index(role)) * _SPREAD % pairs**PAIRS
    letters = []
    for _ in range(PAIRS):
        number, pair = divmod(number, pairs)
        letters.append(CONSONANTS[pair // len(VOWELS)] + VOWELS[pair % len(VOWELS)])
    return "".join(letters)


def words_of(client: int) -> tuple[str, ...]:
    """Return all words of a client."""
    return tuple(word_of(client, role) for role in ROLES)


def words_in(texts: Iterable[str]) -> set[str]:
    """Return the words of this form in some texts, in lower case."""
    return {found.lower() for text in texts for found in WORD.findall(text)}
