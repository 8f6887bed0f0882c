"""Health over HTTP, asked from outside."""

from http import HTTPStatus

import httpx

TIMEOUT_S = 2.0
SHOWN = 300


def check(url: str) -> str | None:
    """Tell what is wrong with the service behind a health URL, or None when it says 200."""
    try:
        # Proxies of the environment have no business on loopback.
        answer = httpx.get(url, timeout=TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        return f"{url}: {error!r}"
    if answer.status_code == HTTPStatus.OK:
        return None
    return f"{url}: {answer.status_code} {answer.text[:SHOWN]}"
