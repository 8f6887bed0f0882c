"""Whether a text is plain English: its letters, and the small words that hold it together.

No library: those that are typed and alive weigh more than the rest of the mailer (their models are
tens of megabytes) and guess poorly on a sentence. Small words are a measure that is exact about
what is asked here: about half of the words of any English email are among them.
"""

import re
import unicodedata

from mailer.words.lexicon import folded, table
from mailer.words.told import GIVEN

_WORDS = table("english")
FUNCTION_WORDS = frozenset(map(folded, _WORDS["function_words"]))
FOREIGN_WORDS = frozenset(map(folded, _WORDS["foreign_words"]))

TEXT_SHARE_MIN = 0.35
"""The least share of small words in a whole body."""
SENTENCE_SHARE_MIN = 0.2
"""The least share in a sentence of at least ``SENTENCE_WORDS`` words."""
SENTENCE_WORDS = 6
FOREIGN_MAX = 1
"""One foreign small word may be a saying; two in a sentence are a foreign sentence."""

LETTERS_MAX = 24
"""The longest words of English have fewer letters; encoded text has more."""

_FITTING = re.compile(
    r"[A-Za-z0-9 \n.,;:!?'’‘\"“”()–—…&"  # noqa: RUF001 - as models write them
    r"àâäçéèêëîïôöûüñÀÂÄÇÉÈÊËÎÏÔÖÛÜÑ"
    rf"{GIVEN}-]*"
)
"""The letters of English and of the words it has borrowed, such as café and naïve."""
_INSIDE = re.compile(r"[^\W\d_][!?;:()\"“”|*^~+=][^\W\d_]")
_SPELLED = re.compile(r"(?<![\w’'])(?:[^\W\d_][\s.,*_-]{1,3}){3,}[^\W\d_](?![\w’'])")  # noqa: RUF001


def is_plain(text: str) -> bool:
    """Whether a text holds nothing but English letters, digits and the punctuation of prose.

    No look-alike letters, symbols or emoji, no sign within a word, no word letter by letter.
    """
    fits = _FITTING.fullmatch(unicodedata.normalize("NFC", text)) is not None
    return fits and not _INSIDE.search(text) and not _SPELLED.search(text)


def is_english(look: str) -> bool:
    """Whether a folded text, and each sentence of it, is English by its small words."""
    if _share(words := _words(look)) < TEXT_SHARE_MIN or any(
        len(word) > LETTERS_MAX for word in words
    ):
        return False
    sentences = [_words(sentence) for sentence in re.split(r"[.!?…\n]+", look)]
    return not any(
        sum(word in FOREIGN_WORDS for word in sentence) > FOREIGN_MAX
        or (len(sentence) >= SENTENCE_WORDS and _share(sentence) < SENTENCE_SHARE_MIN)
        for sentence in sentences
    )


def _words(look: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:’[^\W\d_]+)?", look)  # noqa: RUF001


def _share(words: list[str]) -> float:
    return sum(word in FUNCTION_WORDS for word in words) / max(1, len(words))
