"""Who can sign in here: three people of a shop, and what each may do."""

from dataclasses import dataclass

EVERY_SCOPE = (
    "clients:read clients:write emails:read emails:approve policy:read policy:write "
    "ops:read ops:replay pii:read"
)


@dataclass(frozen=True)
class Persona:
    """One person, or one program."""

    key: str
    """What the sign-in form and ``stack token --as`` call it; also the subject of its tokens."""
    name: str
    does: str
    scopes: frozenset[str]


def _persona(key: str, name: str, does: str, scopes: str) -> Persona:
    return Persona(key, name, does, frozenset(scopes.split()))


PERSONAS = {
    persona.key: persona
    for persona in (
        _persona("olivia", "Olivia", "owns the shop: may do everything", EVERY_SCOPE),
        _persona(
            "mark",
            "Mark",
            "does the marketing: reads clients and emails, approves emails",
            "clients:read emails:read emails:approve policy:read pii:read",
        ),
        _persona(
            "ana",
            "Ana",
            "analyses: reads figures, sees no names and no texts",
            "clients:read emails:read policy:read ops:read",
        ),
    )
}
TOOLS = _persona("command-line", "Command line", "programs with the secret", EVERY_SCOPE)
"""Whom a token is of that was got by client credentials."""
