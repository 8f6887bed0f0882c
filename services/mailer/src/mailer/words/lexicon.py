"""The words and patterns of the rules: data of this package, read once and compiled."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

_APOSTROPHES = dict.fromkeys(map(ord, "ʼ´‘ʹ′＇"), "’")  # noqa: RUF001 - all that people type
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣－\u00ad"), "-")  # noqa: RUF001


def table(name: str) -> dict[str, Any]:
    """Return one of the files below ``words/``."""
    text = (resources.files("mailer.words") / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


_LOOKALIKES = {
    ord(char): latin
    for alphabet in table("lookalikes").values()
    for char, latin in alphabet.items()
}


def folded(text: str) -> str:
    """Return a text as its reader sees it, for patterns: small plain letters, without accents.

    Compatibility forms and letters that look like Latin ones become those (after UTS 39), so
    nothing is gained by writing an offer in other letters. Quotes and dashes become one of each.
    """
    return _NOT_ASCII.sub(_folded_run, text.replace("'", "’").replace("`", "’")).casefold()  # noqa: RUF001


_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def _folded_run(found: re.Match[str]) -> str:
    plain = unicodedata.normalize("NFKD", found[0]).translate(_APOSTROPHES).translate(_DASHES)
    bare = "".join(char for char in plain if unicodedata.category(char) not in {"Mn", "Cf"})
    return bare.casefold().translate(_LOOKALIKES)


@dataclass(frozen=True)
class Matcher:
    """Finds what one rule forbids."""

    forbidden: re.Pattern[str]
    harmless: re.Pattern[str]

    @classmethod
    def of(cls, words: Iterable[str], patterns: Iterable[str], idioms: Iterable[str]) -> "Matcher":
        """Make one of whole words, patterns that stand as they are, and harmless sayings."""
        whole = rf"\b(?:{'|'.join(words) or '(?!)'})\b"
        return cls(
            re.compile(
                "|".join((whole, *(f"(?:{pattern})" for pattern in patterns))), re.MULTILINE
            ),
            re.compile(rf"\b(?:{'|'.join(idioms) or '(?!)'})\b"),
        )

    def finds(self, text: str) -> bool:
        """Whether a text holds it."""
        return self.sees(looks(text))

    def sees(self, shown: tuple[str, ...]) -> bool:
        """Whether a text of which these are the ``looks`` holds it."""
        return any(self.forbidden.search(self.harmless.sub("~", look)) for look in shown)


def looks(text: str) -> tuple[str, ...]:
    """Return the ways in which a text may be read: as it stands, its hyphens left out or spaces."""
    plain = folded(text)
    return tuple(dict.fromkeys((plain, _HYPHEN.sub("", plain), _HYPHEN.sub(" ", plain))))


_HYPHEN = re.compile(r"(?<=\w)-\s?(?=\w)")


def _matcher(rule: Mapping[str, list[str]]) -> Matcher:
    spelled = (re.escape(folded(text)) for text in rule.get("spellings", ()))
    return Matcher.of(rule["words"], [*rule["patterns"], *spelled], rule["idioms"])


MATCHERS: Mapping[str, Matcher] = {name: _matcher(rule) for name, rule in table("rules").items()}
"""By the name of the rule."""
