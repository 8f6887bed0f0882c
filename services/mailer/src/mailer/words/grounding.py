"""What an email states that nobody told its author: figures, dates, goods."""

import re
import unicodedata
from collections.abc import Iterable

from mailer.words.lexicon import MATCHERS, folded, table
from mailer.words.prompt import Facts
from mailer.words.told import Told, fact_words

_UNITS = ("minute", "hour", "day", "week", "month", "year")
_AGO = re.compile(rf"\b({'|'.join(_UNITS)})s? (?:ago|earlier|since)\b")
_BEEN = re.compile(rf"\bbeen (?:\w+ ){{0,3}}({'|'.join(_UNITS)})s?\b")


def states_a_number(told: Told) -> bool:
    """Whether there is a figure, a number in words, money or a percentage that is no fact's."""
    if any(unicodedata.category(char) == "Sc" or char in "%‰" for char in set(told.whole)):
        return True
    known = fact_words(told.facts)
    figures = (word for word in re.findall(r"\w+", told.own) if any(c.isnumeric() for c in word))
    if any(folded(word) not in known for word in figures):
        return True
    return MATCHERS["number"].sees(_without(told.own_looks, known))


def states_a_date(told: Told) -> bool:
    """Whether there is a day, a date or a lapse of time that the facts do not hold."""
    if MATCHERS["date"].sees(told.own_looks):
        return True
    lapses = {
        unit
        for look in told.own_looks
        for pattern in (_AGO, _BEEN)
        for unit in pattern.findall(look)
    }
    return not lapses <= _fitting_units(told.facts)


def names_goods(told: Told) -> bool:
    """Whether there are goods, or claims about the range, that the facts do not name."""
    if MATCHERS["product"].sees(told.own_looks):
        return True
    known = {_stem(word) for word in fact_words(told.facts)}
    named = (goods for look in told.own_looks for goods in _goods_in(look))
    return any(not {_stem(word) for word in goods.split()} <= known for goods in named)


def _goods_in(look: str) -> Iterable[str]:
    rest = _SAYINGS.sub("~", look)
    yield from (word for word in re.findall(r"[\w-]+", rest) if word in _GOODS)
    yield from _GOODS_OF_WORDS.findall(rest)


def _fitting_units(facts: Facts) -> frozenset[str]:
    """Return the units in which the time since the last order may be told: its own and the next."""
    words = {_stem(word) for word in folded(facts.last_order).split()}
    largest = max((at for at, unit in enumerate(_UNITS) if unit in words), default=0)
    return frozenset(_UNITS[max(0, largest - 1) : largest + 1])


def _without(looks: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        re.sub(r"\w+", lambda found: "~" if found[0] in known else found[0], look) for look in looks
    )


_ENDINGS = (
    ("ies", "y"),
    ("ves", "f"),
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("fe", "f"),
)


def _stem(word: str) -> str:
    """Return a noun without its plural ending, near enough to compare two nouns."""
    for ending, singular in _ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + singular
    return word if word.endswith("ss") else word.removesuffix("s")


def _plural(noun: str) -> str:
    if noun.endswith(("f", "fe")):
        return noun.removesuffix("e").removesuffix("f") + "ves"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "sh", "ch", "x")) else "s")


_LISTS = table("goods")
_FORMS = frozenset(form for noun in _LISTS["goods"] for form in (noun, _plural(noun))) | frozenset(
    map(_plural, _LISTS["plural_only"])
)
_GOODS = frozenset(form for form in _FORMS if " " not in form)
_GOODS_OF_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_FORMS - _GOODS))})\b")
_SAYINGS = re.compile(rf"\b(?:{'|'.join(_LISTS['idioms'])})\b")
