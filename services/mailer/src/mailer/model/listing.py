"""What OpenRouter lists of one model, read from its replies: other names, and what a call costs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mailer.model.replies import label


@dataclass(frozen=True)
class Price:
    """US dollars for one token of the prompt, one of the answer, and one request."""

    prompt: float
    completion: float
    request: float


@dataclass(frozen=True)
class Endpoint:
    """Our model at our provider."""

    provider_name: str | None
    price: Price | None


class Unlisted(Exception):
    """A list cannot be read."""


def canonical_slug(listed: bytes, model: str) -> str | None:
    """Find a model's canonical slug in the answer of ``GET /models``; None where it has none.

    Raises Unlisted when the answer is no such list.
    """
    found = next((m for m in _data(listed, list) if _get(m, "id") == model), None)
    return label(_get(found, "canonical_slug"))


def endpoint(listed: bytes, provider: str) -> Endpoint:
    """Find a provider in the answer of ``GET /models/{author}/{slug}/endpoints``.

    A slug such as ``maker/fp8`` means one endpoint, ``maker`` all of that provider: then the
    dearest counts. Raises Unlisted when the answer is no such list.
    """
    every = _get(_data(listed, dict), "endpoints")
    if not isinstance(every, list):
        raise Unlisted
    exact = [e for e in every if _get(e, "tag") == provider]
    ours = exact or [e for e in every if str(_get(e, "tag")).partition("/")[0] == provider]
    names = (label(_get(e, "provider_name")) for e in ours)
    return Endpoint(next(filter(None, names), None), _dearest(_get(e, "pricing") for e in ours))


def _dearest(priced: Iterable[Any]) -> Price | None:
    prices = [_price(one) for one in priced]
    known = [price for price in prices if price is not None]
    if not known or len(known) < len(prices):
        return None
    return Price(
        max(p.prompt for p in known),
        max(p.completion for p in known),
        max(p.request for p in known),
    )


def _price(pricing: Any) -> Price | None:
    """Read a price; OpenRouter writes dollars as decimal text, and leaves out a request's if 0."""
    found = [_get(pricing, "prompt"), _get(pricing, "completion"), _get(pricing, "request") or "0"]
    try:
        prompt, completion, request = (float(value) for value in found)
    except (TypeError, ValueError, OverflowError):
        return None
    fits = all(0 <= value < 1_000 for value in (prompt, completion, request))  # noqa: PLR2004
    return Price(prompt, completion, request) if fits else None


def _data(listed: bytes, kind: type[Any]) -> Any:
    try:
        data = _get(json.loads(listed), "data")
    except (ValueError, RecursionError):
        raise Unlisted from None
    if not isinstance(data, kind):
        raise Unlisted
    return data


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
