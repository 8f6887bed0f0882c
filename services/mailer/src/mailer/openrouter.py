"""The one call: chat completions at OpenRouter, of one pinned model and provider alone."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
from pydantic import SecretStr

from mailer.prompt import Messages
from mailer.replies import Receipt, read
from mailer.verdicts import OK, Asked, Failed, Paused, Retry, Verdict, judge

BODY_BYTES_MAX = 1 << 20
"""An email is a few kilobytes; whatever is larger is no answer."""
MODELS_BYTES_MAX = 32 << 20
COMPLETION_TOKENS_MAX = 800
RETRY_AFTER_MAX_S = 300.0
"""We wait as long as we are asked to, up to this."""
NOT_FOUND = 404
PROBE_DEADLINE_S = 15.0
CONNECT_TIMEOUT_S = 10.0

ANSWER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "body": {"type": "string"},
        "facts_used": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["subject", "body", "facts_used"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Call:
    """One call of the model and how it ended."""

    verdict: Verdict
    receipt: Receipt
    latency_ms: int


class _Unreadable(Exception):
    """The reply's body goes beyond its bound, or is packed so that it might."""


def client_for(key: SecretStr, concurrency: int, *, loopback: bool) -> httpx.AsyncClient:
    """Make the HTTP client: no redirects, no compression (a small body may unpack to a huge one).

    On loopback, proxies named by the environment are not asked.
    """
    return httpx.AsyncClient(
        headers={
            "Authorization": f"Bearer {key.get_secret_value()}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
        follow_redirects=False,
        trust_env=not loopback,
        # The deadline of a whole call bounds reading and writing.
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(
            max_connections=concurrency + 2, max_keepalive_connections=concurrency + 2
        ),
    )


class OpenRouter:
    """The model as the mailer knows it. Errors are never raised: each call ends in a verdict."""

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, model: str, provider: str, deadline_s: float
    ) -> None:
        """Ask ``model`` of ``provider`` at ``base_url``; a call takes ``deadline_s`` at most."""
        self._http = http
        self._base_url = base_url
        self._model = model
        self._deadline_s = deadline_s
        self._asked = Asked(frozenset({model}), provider)
        self._learnt = False

    @property
    def model(self) -> str:
        """The slug of the model that is asked."""
        return self._model

    @property
    def provider(self) -> str:
        """The slug of the provider that is asked."""
        return self._asked.provider

    def request(self, messages: Messages) -> dict[str, Any]:
        """Return the request's body: what is asked, of whom, and that nobody else may answer."""
        return {
            "model": self._model,
            "messages": list(messages),
            "max_completion_tokens": COMPLETION_TOKENS_MAX,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "email", "strict": True, "schema": ANSWER_SCHEMA},
            },
            "provider": {
                "order": [self._asked.provider],
                "only": [self._asked.provider],
                "allow_fallbacks": False,
                "require_parameters": True,
                "data_collection": "deny",
                "zdr": True,
            },
        }

    async def complete(self, messages: Messages) -> Call:
        """Ask the model once."""
        began = time.monotonic()
        verdict, receipt = await self._complete(self.request(messages))
        return Call(verdict, receipt, round((time.monotonic() - began) * 1000))

    async def probe(self) -> str | None:
        """Ask the cheapest question, whether the key is good: None, or what is wrong."""
        try:
            async with asyncio.timeout(PROBE_DEADLINE_S):
                status, _, body = await self._send("GET", "/key", None, BODY_BYTES_MAX)
        except (httpx.HTTPError, TimeoutError, _Unreadable) as error:
            return f"unreachable ({type(error).__name__})"
        if status == NOT_FOUND:
            return None  # nobody answers for keys here: only a call can tell
        if status != OK:
            return f"the key is not accepted ({status})"
        return _spent(body)

    async def _complete(self, request: dict[str, Any]) -> tuple[Verdict, Receipt]:
        try:
            async with asyncio.timeout(self._deadline_s):
                status, headers, body = await self._send(
                    "POST", "/chat/completions", request, BODY_BYTES_MAX
                )
                if status == OK and not self._learnt:
                    await self._learn_names(body)
        except TimeoutError:
            return Retry("no whole answer within the deadline"), Receipt()
        except _Unreadable:
            return Failed("the reply is too large or packed"), Receipt()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Paused(f"the model cannot be reached ({type(error).__name__})"), Receipt()
        except httpx.HTTPError as error:
            return Retry(f"the connection broke ({type(error).__name__})"), Receipt()
        verdict, receipt = judge(status, _retry_after(headers), body, self._asked)
        if receipt.generation_id is None:
            named = headers.get("x-generation-id", "")[:200]
            receipt = replace(receipt, generation_id=named or None)
        return verdict, receipt

    async def _send(
        self, method: str, path: str, content: dict[str, Any] | None, bytes_max: int
    ) -> tuple[int, httpx.Headers, bytes]:
        body = bytearray()
        async with self._http.stream(method, self._base_url + path, json=content) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise _Unreadable
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > bytes_max:
                    raise _Unreadable
        return response.status_code, response.headers, bytes(body)

    async def _learn_names(self, body: bytes) -> None:
        """A reply may call the model by its canonical slug: look that up when it first does."""
        reply = read(body)
        if reply is None or reply.model in (None, self._model):
            return
        status, _, listed = await self._send("GET", "/models", None, MODELS_BYTES_MAX)
        if status != OK:
            return
        self._learnt = True
        canonical = canonical_slug(listed, self._model)
        if canonical is not None:
            self._asked = Asked(self._asked.models | {canonical}, self._asked.provider)


def canonical_slug(listed: bytes, model: str) -> str | None:
    """Find a model's canonical slug in the answer of ``GET /models``."""
    try:
        entries = json.loads(listed)["data"]
        found = next(entry for entry in entries if entry["id"] == model)
        slug = found["canonical_slug"]
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return None
    return slug if isinstance(slug, str) else None


def _spent(body: bytes) -> str | None:
    """Whether ``GET /key`` says that the key has no money left."""
    try:
        left = json.loads(body)["data"].get("limit_remaining")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "the answer about the key cannot be read"
    return "the key's limit is spent" if isinstance(left, int | float) and left <= 0 else None


def _retry_after(headers: httpx.Headers) -> float | None:
    """Read Retry-After in seconds, within bounds; OpenRouter sends no dates."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, RETRY_AFTER_MAX_S) if seconds >= 0 else None
