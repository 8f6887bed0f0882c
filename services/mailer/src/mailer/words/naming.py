"""Whether an email greets its client, and nobody else: the names in a text."""

import re

from mailer.words.lexicon import folded, table
from mailer.words.told import GIVEN, Told

_LISTS = table("names")
OPENERS = frozenset(map(folded, _LISTS["openers"]))
CAPITALS = frozenset(_LISTS["capitals"])
_NAMES = frozenset(_LISTS["names"]) | {name.upper() for name in _LISTS["names"]}

_GREETING = re.compile(
    r"\s*(?:hi|hello|hey|dear|good (?:morning|day|afternoon|evening))\b(?P<who>[^,!:;\n–—]*)",  # noqa: RUF001
    re.IGNORECASE,
)
_NOBODY = frozenset({"", "there", "again"})
_LONG = 4
"""Letters from which on words of a title are written with a capital."""

_WITHIN = re.compile(rf"(?<=[\w,’){GIVEN}]) +(?P<word>[A-Z][\w’]*)")  # noqa: RUF001
_ADDRESSED = re.compile(
    r"(?:^|[.!?…\n]\s*)(?P<word>[A-Z][\w’']+),\s+"  # noqa: RUF001
    rf"(?:{'|'.join(_LISTS['clauses'])})\b"
)
_TO_SOMEBODY = re.compile(r"\b(?i:of|for|to|from|with|dear|hi|hello|hey) [A-Z]")
_WORD = re.compile(r"[^\W\d_]+")


def greets_well(told: Told) -> bool:
    """Whether the body begins with a greeting, by the client's name if one is known."""
    greeting = _GREETING.match(told.draft.body)
    if greeting is None:
        return False
    who, name = folded(greeting["who"].strip(" .")), told.facts.first_name
    return who == folded(name.strip(" .")) if name else who in _NOBODY


def names_others(told: Told) -> bool:
    """Whether a text has somebody's or something's name that is not among the facts.

    A name is a common first name, a word that is addressed, or one with a capital within a
    sentence. In a subject where every longer word has one, only the first two can be told.
    """
    greeting = _GREETING.match(told.body)
    body = told.body[greeting.end() :].lstrip(" ,.!:;\n") if greeting else told.body
    texts = (body, told.subject)
    return (
        any(word in _NAMES for text in texts for word in _WORD.findall(text))
        or any(
            folded(found["word"]) not in OPENERS
            for text in texts
            for found in _ADDRESSED.finditer(text)
        )
        or any(
            found["word"] not in CAPITALS
            for text in (body, "" if _is_title(told.subject) else told.subject)
            for found in _WITHIN.finditer(text.replace("'", "’"))  # noqa: RUF001
        )
    )


def _is_title(subject: str) -> bool:
    """Whether all longer words but the first begin with a capital, and not for being a name."""
    longer = [word for word in _WORD.findall(subject)[1:] if len(word) >= _LONG]
    one_name = len(longer) == 1 and _TO_SOMEBODY.search(subject)
    return bool(longer) and all(word[0].isupper() for word in longer) and not one_name
