"""What no email of ours may hold, as patterns: shared by the prompt's allow-list and the checks."""

import re
import unicodedata

KEPT_CONTROLS = frozenset("\n")
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Control, format (bidi marks, zero widths), private use, surrogates, unassigned, separators."""

LINK = re.compile(
    r"://|\bwww\.|\bmailto:|\bjavascript:|\bdata:|@\w|\w\.[^\W\d_]{2,}|\bdot\s+(?:com|net|org)\b"
    r"|\bclick\b",
    re.IGNORECASE,
)

OFFER = re.compile(
    r"\b(?:discounts?|discounted|coupons?|vouchers?|promos?|promotions?|promotional|sales?"
    r"|bargains?|deals?|gifts?|giveaways?|prizes?|refunds?|cash ?back|rebates?|complimentary"
    r"|guarantees?|guaranteed|half[- ]price|price|prices|priced|cheap|cheaper|savings?|codes?"
    r"|shipping|warranty|credit|points|reward|rewards|percent|per cent|dollars?|euros?|pounds?"
    r"|cents?|usd|eur|gbp|(?<!feel )free)\b",
    re.IGNORECASE,
)
"""Words of offers and prices. We are given none, so no email may make one."""


def is_hidden(char: str) -> bool:
    """Whether a character is invisible or steers how others are shown."""
    return char not in KEPT_CONTROLS and unicodedata.category(char) in HIDDEN_CATEGORIES


def visible(text: str) -> str:
    """Return the text in composed form without invisible characters, its white space collapsed."""
    spaced = "".join(" " if char.isspace() else char for char in text)
    shown = "".join(char for char in spaced if not is_hidden(char))
    return " ".join(unicodedata.normalize("NFC", shown).split())
