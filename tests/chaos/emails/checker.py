"""The checker: compares what went in with what came out, and shares no code with the mailer."""

from collections.abc import Callable, Iterator

from tests.chaos.emails import contents, courses
from tests.chaos.emails.books import Books

KINDS = ("lost", "duplicate", "phantom", "cross_talk", "stale", "stuck")
"""``lost``: what should have come out has not. ``duplicate``: it came out twice. ``phantom``: what
came out has no cause. ``cross_talk``: one client's words in another's text. ``stale``: a text came,
or stayed, after a fact that forbids it. ``stuck``: something is under way that nobody works on."""

Finding = tuple[str, str]
"""Its kind, and what it is, in one line."""

Rule = Callable[[Books], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    courses.rows_kept,
    courses.episodes_explained,
    courses.ends,
    courses.histories,
    courses.too_late,
    courses.calls_and_decisions,
    contents.texts,
    contents.prompts,
    contents.prompts_on_record,
    contents.messages,
)


def check(books: Books) -> dict[str, list[str]]:
    """Return what is wrong, by kind; every list is empty when the books balance at rest."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for rule in RULES:
        for kind, line in rule(books):
            if line not in found[kind]:
                found[kind].append(line)
    return found
