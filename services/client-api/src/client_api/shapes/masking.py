"""What is personal in an answer, and the same answer without it.

Everything about a person has one of these names, wherever it stands; ids, dates, states and figures
stay. A row that can be masked says so by its field ``masked``.
"""

from typing import Any

from client_api.shapes import letters
from client_api.shapes.letters import MASK

ABOUT_CLIENTS = frozenset({"first_name", "surname", "phone", "address"})
WORDS = frozenset({"difference", "facts_used", "payload"})
"""What was written to or about a client: all text below these names."""
EMAIL = "email"
"""An address in a client; in an episode the email itself, of which subject and body are words."""
WORDS_OF_EMAIL = frozenset({"subject", "body"})
ADDRESS = "address_hash"
"""Whoever guesses an address can tell by its hash that it is the one."""
OF_ADDRESS = frozenset({ADDRESS, "reason"})
"""What is personal beside the hash of an address: there people wrote the reason."""
RESOURCE, OF_HASH = "resource", "address/"
"""In the audit an address is named by its hash."""
MASKED = "masked"


def hidden(document: Any) -> Any:
    """Return a JSON document with everything personal in it masked; null stays null."""
    match document:
        case dict():
            if document.keys() >= letters.SHAPE:
                found = letters.veiled(document)
            else:
                found = {name: _field(name, value) for name, value in document.items()}
            if ADDRESS in document:
                found |= {name: _without_text(found[name]) for name in OF_ADDRESS & found.keys()}
            if MASKED in found:
                found[MASKED] = True
            return found
        case list():
            return [hidden(item) for item in document]
    return document


def _field(name: str, value: Any) -> Any:
    if name == RESOURCE and isinstance(value, str) and value.startswith(OF_HASH):
        return OF_HASH + MASK
    if name in ABOUT_CLIENTS or name in WORDS or (name == EMAIL and isinstance(value, str)):
        return _without_text(value)
    if name == EMAIL and isinstance(value, dict):
        words = WORDS_OF_EMAIL & value.keys()
        return hidden(value) | {inner: _without_text(value[inner]) for inner in words}
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
