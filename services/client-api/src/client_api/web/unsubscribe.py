"""The link by which a client ends its emails: RFC 8058 for mail programs, a page for people.

Scanners open links, so GET changes nothing. A POST is the wish, whatever its body says: RFC 8058
has mail programs send ``List-Unsubscribe=One-Click``, and so does the page's button.
"""

from html import escape
from http import HTTPStatus

from fastapi import APIRouter, Response

from client_api.problems import Unavailable
from client_api.store import suppressions
from client_api.web.state import Parts, Shared
from common.unsubscribe import client_of

router = APIRouter(include_in_schema=False)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
{rest}
</main>
</body>
</html>
"""
ASK = """<p>You will get no more of these emails.</p>
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button type="submit">Stop these emails</button>
</form>"""
DONE = "<p>You will get no more of these emails. You may close this page.</p>"
UNKNOWN = "<p>It may have been cut off. Please open it from the email itself.</p>"
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/u/{token}")
async def ask_to_unsubscribe(parts: Shared, token: str) -> Response:
    """Show a page with a button."""
    if _client_of(parts, token) is None:
        return _unknown()
    return _page(HTTPStatus.OK, "Stop these emails?", ASK)


@router.post("/u/{token}")
async def unsubscribe(parts: Shared, token: str) -> Response:
    """End a client's emails: its consent is withdrawn, and its address suppressed."""
    client_id = _client_of(parts, token)
    if client_id is None:
        return _unknown()
    async with parts.engine.begin() as db:
        await suppressions.unsubscribe(db, client_id)
    return _page(HTTPStatus.OK, "Done", DONE)


def _client_of(parts: Parts, token: str) -> int | None:
    if parts.link_key is None:
        raise Unavailable("links cannot be checked: LINK_KEY is not set here")
    return client_of(token, parts.link_key)


def _unknown() -> Response:
    return _page(HTTPStatus.NOT_FOUND, "This link is not valid", UNKNOWN)


def _page(status: HTTPStatus, title: str, rest: str) -> Response:
    content = PAGE.format(title=escape(title), rest=rest)
    return Response(content, status_code=int(status), media_type="text/html", headers=HEADERS)
