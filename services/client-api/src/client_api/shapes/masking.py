"""What is personal in an answer, and the same answer without it.

Everything about a person has one of these names, wherever it stands; ids, dates, states and figures
stay. A row that can be masked says so by its field ``masked``.
"""

from typing import Any

MASK = "•••"
ABOUT_CLIENTS = frozenset({"first_name", "surname", "phone", "address"})
WORDS = frozenset({"difference", "facts_used", "payload"})
"""What was written to or about a client: all text below these names."""
EMAIL = "email"
"""An address in a client; in an episode the email itself, of which subject and body are words."""
WORDS_OF_EMAIL = frozenset({"subject", "body"})
MASKED = "masked"


def hidden(document: Any) -> Any:
    """Return a JSON document with everything personal in it masked; null stays null."""
    match document:
        case dict():
            found = {name: _field(name, value) for name, value in document.items()}
            if MASKED in found:
                found[MASKED] = True
            return found
        case list():
            return [hidden(item) for item in document]
    return document


def _field(name: str, value: Any) -> Any:
    if name in ABOUT_CLIENTS or name in WORDS or (name == EMAIL and isinstance(value, str)):
        return _without_text(value)
    if name == EMAIL and isinstance(value, dict):
        return {
            inner: _without_text(one) if inner in WORDS_OF_EMAIL else hidden(one)
            for inner, one in value.items()
        }
    return hidden(value)


def _without_text(value: Any) -> Any:
    match value:
        case str():
            return MASK
        case dict():
            return {name: _without_text(one) for name, one in value.items()}
        case list():
            return [_without_text(one) for one in value]
    return value
