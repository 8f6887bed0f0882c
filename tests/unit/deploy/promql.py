"""What an expression of PromQL asks for: names of series, and labels. Enough for those we write."""

import re
from typing import NamedTuple

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
RANGE = re.compile(r"\[[^\]]*\]")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"\{([^}]*)\}")
NAME = re.compile(r"[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()")
OPERATORS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})


class Asked(NamedTuple):
    """Names of series and of labels."""

    series: frozenset[str]
    labels: frozenset[str]


def asked(expr: str) -> Asked:
    """Return what an expression names."""
    bare = RANGE.sub("", STRING.sub("", expr))
    labels = {
        label.strip(" =~!")
        for part in (*GROUPING.findall(bare), *SELECTOR.findall(bare))
        for label in part.split(",")
    }
    rest = SELECTOR.sub("", GROUPING.sub("", bare))
    names = {name for name in NAME.findall(rest) if name.lower() not in OPERATORS}
    return Asked(frozenset(names), frozenset(labels - {""}))
