"""The checks that every text passes before it is an email: rules as data, all of them pure."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailer.prompt import Facts
from mailer.wording import LINK, OFFER, is_hidden

SUBJECT_CHARS = (3, 100)
BODY_CHARS = (60, 1500)
ANSWER_CHARS_MAX = 20_000


class Draft(BaseModel):
    """The model's answer, exactly in the form that was asked for."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    subject: str
    body: str
    facts_used: Annotated[list[str], Field(max_length=20)]


@dataclass(frozen=True)
class Rule:
    """One thing that an email must never do."""

    name: str
    says: str
    """What the rule forbids, for people."""
    broken: Callable[[Draft, Facts], bool]


def read(answer: str) -> Draft | str:
    """Read a draft from the model's answer; what is wrong with its form otherwise."""
    if len(answer) > ANSWER_CHARS_MAX:
        return "form: the answer is too long"
    try:
        return Draft.model_validate_json(answer)
    except ValidationError as error:
        kinds = sorted({problem["type"] for problem in error.errors(include_input=False)})
        return f"form: {', '.join(kinds)}"


def broken_rules(draft: Draft, facts: Facts) -> tuple[str, ...]:
    """Return the names of the rules that a draft breaks, in the order of ``RULES``."""
    return tuple(rule.name for rule in RULES if rule.broken(draft, facts))


def _texts(draft: Draft) -> str:
    return f"{draft.subject}\n{draft.body}"


def _length(draft: Draft, _facts: Facts) -> bool:
    return not (
        SUBJECT_CHARS[0] <= len(draft.subject.strip()) <= SUBJECT_CHARS[1]
        and BODY_CHARS[0] <= len(draft.body.strip()) <= BODY_CHARS[1]
    )


_MARKUP = re.compile(r"<|>|&#?\w+;|\*\*|__|`|~~|^\s*(?:#|[-*+•]\s|\d+[.)]\s)|\]\(", re.MULTILINE)


def _plain(draft: Draft, _facts: Facts) -> bool:
    text = _texts(draft)
    return "\n" in draft.subject or any(is_hidden(c) for c in text) or bool(_MARKUP.search(text))


def _link(draft: Draft, _facts: Facts) -> bool:
    return bool(LINK.search(_texts(draft)))


_PLACEHOLDER = re.compile(
    r"[{}\[\]]|%[sd]\b|\bX{2,}\b|^\W*your (?:name|shop|store)\W*$", re.IGNORECASE | re.MULTILINE
)


def _placeholder(draft: Draft, _facts: Facts) -> bool:
    return bool(_PLACEHOLDER.search(_texts(draft)))


def _figures(text: str) -> set[str]:
    """The words of a text that hold a digit or any other sign for a number."""
    words = re.findall(r"[\w%]+", text.casefold())
    return {word for word in words if any(c.isnumeric() or c == "%" for c in word)}


def _number(draft: Draft, facts: Facts) -> bool:
    text = _texts(draft)
    known = _figures(" ".join((*facts.style_tags, *facts.order_categories)))
    money = any(unicodedata.category(char) == "Sc" for char in text)
    return money or "%" in text or not _figures(text) <= known


_DATE = re.compile(
    r"\b(?:January|February|April|June|July|August|September|October|November|December"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Christmas|Easter"
    r"|(?:in|last|next|until|since|by) (?:March|May)|tomorrow|tonight|yesterday)\b"
)


def _date(draft: Draft, facts: Facts) -> bool:
    text = _texts(draft)
    if facts.first_name:  # April and June are names, too
        text = text.replace(facts.first_name, "")
    return bool(_DATE.search(text))


def _offer(draft: Draft, _facts: Facts) -> bool:
    return bool(OFFER.search(_texts(draft)))


_GREETING = re.compile(
    r"\s*(?:hi|hello|hey|dear|good (?:morning|day|evening))\b(?P<who>[^,!:;\n–—]*)",  # noqa: RUF001
    re.IGNORECASE,
)
_NOBODY = frozenset({"", "there", "again"})


def _name(draft: Draft, facts: Facts) -> bool:
    greeting = _GREETING.match(draft.body)
    if greeting is None:
        return True
    who = greeting["who"].strip(" .").casefold()
    return (
        who != facts.first_name.strip(" .").casefold() if facts.first_name else who not in _NOBODY
    )


_WATCHING = re.compile(
    r"\b(?:scor(?:e|es|ing)|at[- ]risk|churn|probabilit\w+|engagement|algorithms?|databases?"
    r"|our (?:records|data|system|files)|track(?:ed|ing)?|monitor\w*|predict\w*|analy[sz]\w+"
    r"|watching|we(?:'ve|’ve| have)? (?:noticed|noted|saw|seen|observed))\b",  # noqa: RUF001
    re.IGNORECASE,
)


def _watching(draft: Draft, _facts: Facts) -> bool:
    return bool(_WATCHING.search(_texts(draft)))


_MACHINE = re.compile(
    r"\b(?:as an ai|language model|an? ai\b|instructions?|prompts?|json|facts_used|style_tags"
    r"|order_categories|first_name|last_order|ignore (?:all|any|the|previous))\b",
    re.IGNORECASE,
)


def _machine(draft: Draft, _facts: Facts) -> bool:
    return bool(_MACHINE.search(_texts(draft)))


_SIGNED = re.compile(
    r"(?:regards|sincerely|yours(?: truly)?|love|cheers|best(?: wishes)?|see you soon)"
    r",?\s*\n.{0,60}$",
    re.IGNORECASE,
)


def _signed(draft: Draft, _facts: Facts) -> bool:
    return bool(_SIGNED.search(draft.body.strip()))


def _ungiven(draft: Draft, facts: Facts) -> bool:
    return not set(draft.facts_used) <= set(facts.given())


RULES: tuple[Rule, ...] = (
    Rule("length", "subject or body too short or too long", _length),
    Rule("plain", "markup, control or invisible characters", _plain),
    Rule("link", "a link, an address, or a call to click", _link),
    Rule("placeholder", "braces or a placeholder left in", _placeholder),
    Rule("number", "a number, price or percentage that is not among the facts", _number),
    Rule("date", "a date or day that is not among the facts", _date),
    Rule("offer", "an offer, price or promise that nobody made", _offer),
    Rule("name", "no greeting, or one with the wrong name", _name),
    Rule("watching", "a mention of scores, records or watching", _watching),
    Rule("machine", "talk of prompts, instructions or machines", _machine),
    Rule("signed", "a signature, which is ours to add", _signed),
    Rule("facts_used", "a claim to have used facts that were not given", _ungiven),
)
