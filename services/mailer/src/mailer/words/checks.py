"""The checks that every text passes before it is an email: rules as data, all of them pure.

What each rule forbids stands in ``words/``; what each catches, and lets pass, in the tests.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from common.emails import BODY_CHARS, SUBJECT_CHARS
from mailer.words.english import is_english, is_plain
from mailer.words.grounding import names_goods, states_a_date, states_a_number
from mailer.words.lexicon import MATCHERS
from mailer.words.naming import greets_well, names_others
from mailer.words.prompt import SYSTEM, Facts
from mailer.words.told import Draft, Told
from mailer.words.wording import is_hidden

__all__ = ["FORM", "RULES", "Draft", "Rule", "broken_rules", "read"]

FORM = "form"
"""What an answer breaks that is no draft; it is followed by what is wrong with it."""
ANSWER_CHARS_MAX = 20_000
QUOTED_WORDS = 7
"""So many words in a row of our own instructions are a quotation, not a chance."""


@dataclass(frozen=True)
class Rule:
    """One thing that an email must never do."""

    name: str
    says: str
    """What the rule forbids, for people."""
    broken: Callable[[Told], bool]


def read(answer: str) -> Draft | str:
    """Read a draft from the model's answer; what is wrong with its form otherwise."""
    if len(answer) > ANSWER_CHARS_MAX:
        return f"{FORM}: the answer is too long"
    try:
        return Draft.model_validate_json(answer)
    except ValidationError as error:
        kinds = sorted({problem["type"] for problem in error.errors(include_input=False)})
        return f"{FORM}: {', '.join(kinds)}"


def broken_rules(draft: Draft, facts: Facts) -> tuple[str, ...]:
    """Return the names of the rules that a draft breaks, in the order of ``RULES``.

    A text of the wrong length is not looked at further: the other rules take their time over it.
    """
    if _length(draft):
        return ("length",)
    told = Told.of(draft, facts)
    return tuple(rule.name for rule in RULES if rule.broken(told))


def _length(draft: Draft) -> bool:
    return not (
        SUBJECT_CHARS[0] <= len(draft.subject.strip()) <= SUBJECT_CHARS[1]
        and BODY_CHARS[0] <= len(draft.body.strip()) <= BODY_CHARS[1]
    )


_MARKUP = re.compile(r"<|>|&#?\w+;|\*|__|`|~|^\s*(?:#|[-+•]\s|\d+[.)]\s)|\]\(", re.MULTILINE)


def _plain(told: Told) -> bool:
    return (
        "\n" in told.draft.subject
        or any(is_hidden(char) for char in set(told.whole))
        or bool(_MARKUP.search(told.whole))
        or not is_plain(told.own)
    )


def _says(name: str) -> Callable[[Told], bool]:
    """The rule of a table, about all that is said: facts never hold such words by themselves."""
    return lambda told: MATCHERS[name].sees(told.whole_looks)


def _watching(told: Told) -> bool:
    # Beside a fact harmless words would look like it, as in "your records" of a music shop.
    return MATCHERS["watching"].sees(told.own_looks)


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return frozenset(zip(*(words[start:] for start in range(QUOTED_WORDS)), strict=False))


_INSTRUCTIONS = _runs(SYSTEM)


def _machine(told: Told) -> bool:
    quoted = not _INSTRUCTIONS.isdisjoint(_runs(told.whole))
    return quoted or MATCHERS["machine"].sees(told.whole_looks)


def _signed(told: Told) -> bool:
    """A signature, or an end that is none: our template adds its own."""
    last = told.body.rstrip().rsplit("\n", 1)[-1].rstrip("\"'’”) ")  # noqa: RUF001
    return not last.endswith((".", "!", "?", "…")) or MATCHERS["signature"].sees(told.own_looks)


def _ungiven(told: Told) -> bool:
    used = told.draft.facts_used
    return len(set(used)) < len(used) or not set(used) <= set(told.facts.given())


RULES: tuple[Rule, ...] = (
    Rule("length", "subject or body too short or too long", lambda told: _length(told.draft)),
    Rule("plain", "markup, symbols, invisible or disguised characters", _plain),
    Rule(
        "language", "a sentence that is not English", lambda told: not is_english(told.own_looks[0])
    ),
    Rule("link", "a link, an address, or a call to click or to call", _says("link")),
    Rule("placeholder", "braces or a placeholder left in", _says("placeholder")),
    Rule("number", "a number, price or percentage that is not among the facts", states_a_number),
    Rule("date", "a date, day or lapse of time that is not among the facts", states_a_date),
    Rule("offer", "an offer, price or promise that nobody made", _says("offer")),
    Rule("product", "goods or news of the range that are not among the facts", names_goods),
    Rule(
        "name",
        "no greeting, or a name that is not the client's",
        lambda told: not greets_well(told) or names_others(told),
    ),
    Rule("watching", "a mention of scores, records or watching", _watching),
    Rule("machine", "talk of prompts, instructions or machines", _machine),
    Rule("signed", "a signature, which is ours to add, or no proper end", _signed),
    Rule("facts_used", "a claim to have used facts that were not given", _ungiven),
)
