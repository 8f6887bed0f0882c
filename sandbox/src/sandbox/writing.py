"""The sandbox's author: writes an email from the facts in a prompt, the same for the same facts.

It knows nothing of who asks: facts are found between ``<facts>`` and ``</facts>``, as JSON.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_FENCE = re.compile(r"<facts>\s*(\{.*?\})\s*</facts>", re.DOTALL)

SUBJECTS = (
    "A note from your shop",
    "It would be lovely to see you again",
    "We kept a place for you",
    "A warm hello from the shop",
    "Thinking of you",
)
SUBJECTS_BOUGHT = (
    "{Thing} made us think of you",
    "Still fond of {thing}?",
    "{Thing}, and a warm hello",
)
OPENINGS = (
    "You were with us {when}, and we would love to hear how you have been since.",
    "It was {when} that you last came by, and the shop is not quite the same without you.",
    "You last stopped by {when}, so this is simply a friendly word to say that we think of you.",
    "Since you were here {when}, the shelves have changed a little, and you came to our minds.",
)
BOUGHT = (
    "Your choice of {bought} back then was a fine one, and we hope it still makes you happy.",
    "We still remember how well you chose your {bought}, and hope you enjoy it every day.",
    "We hope that the {bought} found a good place in your home.",
)
STYLES = (
    "With your eye for {style}, we are sure that something here would speak to you.",
    "When we unpack something in the spirit of {style}, we often think of you.",
    "Your taste for {style} is one that we share, and we would gladly talk about it again.",
)
PLAIN = (
    "If you feel like it, have a quiet look around; there is no hurry at all.",
    "Perhaps there is something here that would please you; have a look whenever you like.",
)
CLOSINGS = (
    "Come by whenever it suits you. You are always welcome here.",
    "Whenever you feel like a visit, we would be delighted to have you.",
    "We would be happy to see you again, in your own time.",
    "Take good care, and do come by when the mood takes you.",
)


def facts_in(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Find the facts in a prompt; None when there are none."""
    for message in reversed(messages):
        content = message.get("content")
        found = _FENCE.search(content) if isinstance(content, str) else None
        if found is None:
            continue
        try:
            facts = json.loads(found[1])
        except ValueError:
            return None
        return facts if isinstance(facts, dict) else None
    return None


def write(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write an email as {subject, body, facts_used}."""
    draw = _Draw(facts)
    name = str(facts.get("first_name") or "")
    styles, bought = _texts(facts.get("style_tags")), _texts(facts.get("order_categories"))
    when = str(facts.get("last_order") or "a while ago")
    thing = draw.one(bought) if bought else ""
    greeting = f"Hello {name}," if name else "Hello,"
    middle = []
    if bought:
        middle.append(draw.one(BOUGHT).format(bought=_listed(bought[:2])))
    if styles:
        middle.append(draw.one(STYLES).format(style=_listed(styles[:2])))
    if not middle:
        middle.append(draw.one(PLAIN))
    paragraphs = [greeting, draw.one(OPENINGS).format(when=when), " ".join(middle)]
    subject = draw.one(SUBJECTS + SUBJECTS_BOUGHT if bought else SUBJECTS).format(
        thing=thing, Thing=thing[:1].upper() + thing[1:]
    )
    used = [key for key in ("first_name", "style_tags", "order_categories") if facts.get(key)]
    return {
        "subject": subject,
        "body": "\n\n".join([*paragraphs, draw.one(CLOSINGS)]),
        "facts_used": [*used, "last_order"] if facts.get("last_order") else used,
    }


class _Draw:
    """Choices that vary from person to person and stay the same for each."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._seed = json.dumps(facts, sort_keys=True)
        self._turn = 0

    def one(self, options: Sequence[str]) -> str:
        self._turn += 1
        digest = hashlib.sha256(f"{self._turn}:{self._seed}".encode()).digest()
        return options[int.from_bytes(digest[:8], "big") % len(options)]


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(texts)
