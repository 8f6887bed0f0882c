"""A person's wording of a draft: what it may be, and how it differs from what was there."""

from difflib import unified_diff
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from common.emails import EDITED_BODY_CHARS, SUBJECT_CHARS
from mailer.words.letter import Letter
from mailer.words.wording import is_hidden


class Refusal(Exception):
    """The decision does not fit the episode as it is; the reason is for the person."""


class Edit(BaseModel):
    """A person's wording of a draft, as a decision carries it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    subject: str
    body: str


def wording_of(payload: Any) -> Letter:
    """Read a person's wording; raises Refusal when no email can be made of it."""
    try:
        edit = Edit.model_validate(payload)
    except ValidationError:
        raise Refusal("an edit needs a subject and a body, and nothing else") from None
    subject, body = edit.subject.strip(), edit.body.strip()
    fits = (
        SUBJECT_CHARS[0] <= len(subject) <= SUBJECT_CHARS[1]
        and EDITED_BODY_CHARS[0] <= len(body) <= EDITED_BODY_CHARS[1]
        and "\n" not in subject
        and not any(is_hidden(char) for char in subject + body)
    )
    if not fits:
        raise Refusal("the text is too short, too long, or holds invisible characters")
    return Letter(subject, body)


def difference(before: Letter, after: Letter) -> str:
    """Return what an edit changed as a unified diff of subject, blank line and body."""
    lines = unified_diff(_lines(before), _lines(after), "draft", "edited", lineterm="")
    return "\n".join(lines)


def _lines(letter: Letter) -> list[str]:
    return [letter.subject, "", *letter.body.split("\n")]
