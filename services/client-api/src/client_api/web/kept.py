"""Answers that are kept under an idempotency key, and given again."""

from fastapi import Response

from client_api.store.keys import Stored

KEPT_HEADERS = ("location", "etag", "content-type")
"""What else an answer's headers say is of the moment."""


def kept_headers(answer: Response) -> dict[str, str]:
    """Return those of an answer's headers that a repetition gets, too."""
    return {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}


def again(stored: Stored) -> Response:
    """Return a kept answer, and say that it is one."""
    headers = {**stored.headers, "Idempotent-Replayed": "true"}
    return Response(stored.body, status_code=stored.status, headers=headers)
