"""The one call: chat completions at OpenRouter, of one pinned model and provider alone."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from mailer.model import waits
from mailer.model.directory import Directory, LookUpFailed
from mailer.model.door import Door, TooLate, Unreadable
from mailer.model.listing import Price
from mailer.model.replies import Receipt
from mailer.model.verdicts import OK, Failed, Misrouted, Paused, Retry, Verdict, judge
from mailer.words.prompt import Messages

BODY_BYTES_MAX = 1 << 20
"""An email is a few kilobytes; whatever is larger is no answer."""
COMPLETION_TOKENS_MAX = 800
FORBIDDEN = (401, 403)
NOT_FOUND = 404
PROBE_DEADLINE_S = 15.0

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


class OpenRouter:
    """The model as the mailer knows it. Errors are never raised: each call ends in a verdict."""

    def __init__(
        self,
        clients: Sequence[httpx.AsyncClient],
        base_url: str,
        model: str,
        provider: str,
        deadline_s: float,
    ) -> None:
        """Ask ``model`` of ``provider`` at ``base_url``; a call takes ``deadline_s`` at most."""
        self._door = Door(clients, base_url)
        self._model = model
        self._provider = provider
        self._deadline_s = deadline_s
        self._directory = Directory(self._door, model, provider)

    @property
    def model(self) -> str:
        """The slug of the model that is asked."""
        return self._model

    @property
    def provider(self) -> str:
        """The slug of the provider that is asked."""
        return self._provider

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
                "order": [self._provider],
                "only": [self._provider],
                "allow_fallbacks": False,
                "require_parameters": True,
                "data_collection": "deny",
                "zdr": True,
            },
        }

    async def complete(self, messages: Messages, send_before: float | None = None) -> Call | None:
        """Ask the model once; None when that could not begin by ``send_before`` (monotonic)."""
        began = time.monotonic()
        try:
            verdict, receipt = await self._complete(self.request(messages), send_before)
        except TooLate:
            return None
        return Call(verdict, receipt, round((time.monotonic() - began) * 1000))

    async def price(self) -> Price:
        """Return what the model costs at the provider. Raises LookUpFailed."""
        return await self._directory.price()

    async def probe(self) -> str | None:
        """Ask the cheapest question, whether the key is good: None, or what is wrong."""
        self._directory.forget()
        try:
            async with asyncio.timeout(PROBE_DEADLINE_S):
                status, _, body = await self._door.get("/key", BODY_BYTES_MAX)
        except (httpx.HTTPError, TimeoutError, Unreadable) as error:
            return f"unreachable ({type(error).__name__})"
        if status == NOT_FOUND:
            return None  # nobody answers for keys here: only a call can tell
        if status in FORBIDDEN:
            return f"the key is not accepted ({status})"
        if status != OK:
            return f"nobody answers for the key ({status})"
        return _spent(body)

    async def _complete(
        self, request: dict[str, Any], send_before: float | None
    ) -> tuple[Verdict, Receipt]:
        try:
            async with asyncio.timeout(self._deadline_s):
                status, headers, body = await self._door.post(
                    "/chat/completions", request, BODY_BYTES_MAX, send_before=send_before
                )
        except TimeoutError:
            return Retry("no whole answer within the deadline"), Receipt()
        except Unreadable:
            return Failed("the reply is too large or packed"), Receipt()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            return Paused(f"the model cannot be reached ({type(error).__name__})"), Receipt()
        except httpx.HTTPError as error:
            return Retry(f"the connection broke ({type(error).__name__})"), Receipt()
        verdict, receipt = await self._judge(status, waits.asked_in(status, headers), body)
        if receipt.generation_id is None:
            named = headers.get("x-generation-id", "")[:200]
            receipt = replace(receipt, generation_id=named or None)
        return verdict, receipt

    async def _judge(
        self, status: int, after_s: float | None, body: bytes
    ) -> tuple[Verdict, Receipt]:
        """Judge a reply; where it uses names that we do not know, look those up first."""
        verdict, receipt = judge(status, after_s, body, self._directory.asked)
        if not isinstance(verdict, Misrouted):
            return verdict, receipt
        try:
            await self._directory.learn_names(receipt.model, receipt.provider)
        except LookUpFailed as failed:
            return Retry(f"an unknown name answered, and {failed}"), receipt
        return judge(status, after_s, body, self._directory.asked)


def _spent(body: bytes) -> str | None:
    """Whether ``GET /key`` says that the key has no money left."""
    try:
        left = json.loads(body)["data"].get("limit_remaining")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "the answer about the key cannot be read"
    return "the key's limit is spent" if isinstance(left, int | float) and left <= 0 else None
