"""Which text is visible, and which client text is too much like an order to be passed on."""

import unicodedata

from mailer.words.lexicon import MATCHERS, looks

KEPT_CONTROLS = frozenset("\n")
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Control, format (bidi marks, zero widths), private use, surrogates, unassigned, separators."""

LOADED = ("link", "offer", "offer_foreign", "watching", "machine", "placeholder")
"""What a fact may not hold, by name of the rule: repeating a fact never breaks one of these."""

JAPANESE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"})
"""Alphabets that stand in one word beside another."""

ABOUT_THE_REST = "watching"
"""The one of them that does not look at repeated facts: a music shop's may be "records"."""

MARKS_MAX = 2
"""More marks on one letter than any name needs hide what stands around them."""

_BLANK = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
)
"""Letters and marks that show nothing (Unicode: Default_Ignorable_Code_Point), and a blank."""


def is_hidden(char: str) -> bool:
    """Whether a character is invisible or steers how others are shown."""
    return char not in KEPT_CONTROLS and unicodedata.category(char) in HIDDEN_CATEGORIES


def visible(text: str) -> str:
    """Return the text in composed form without invisible characters, its white space collapsed."""
    spaced = "".join(" " if char.isspace() else char for char in text)
    shown = "".join(c for c in spaced if not is_hidden(c) and ord(c) not in _BLANK)
    return " ".join(unicodedata.normalize("NFC", shown).split())


def is_loaded(text: str) -> bool:
    """Whether a text holds, or would hold in a sentence, what no email may say.

    That is a link, an offer, an order to the model: "offer" says nothing, but "our offer" does.
    """
    alone = looks(text)
    within = looks(f"{text}. Our {text} is an {text}, the {text} for you.")
    return any(MATCHERS[name].sees(alone) for name in LOADED) or any(
        MATCHERS[name].sees(within) for name in LOADED if name != ABOUT_THE_REST
    )


def is_plain_writing(text: str) -> bool:
    """Whether each word keeps to the usual letters of one alphabet, without a heap of marks."""
    return all(_is_plain_word(word) for word in text.split())


def _is_plain_word(word: str) -> bool:
    letters = [char for char in word if unicodedata.category(char).startswith("L")]
    names = [unicodedata.name(char, "") for char in letters]
    odd = any("SMALL CAPITAL" in name or "MODIFIER" in name for name in names)
    decomposed = any(unicodedata.decomposition(char).startswith("<") for char in letters)
    alphabets = {name.partition(" ")[0] for name in names} - JAPANESE
    kinds = "".join(unicodedata.category(char)[0] for char in word)
    return not odd and not decomposed and len(alphabets) <= 1 and "M" * (MARKS_MAX + 1) not in kinds
