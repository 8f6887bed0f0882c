"""What a reply of the model's door means: OpenRouter's code table as one pure function.

Source: OpenRouter's API reference, "Errors and Debugging", and its OpenAPI document. Errors come as
HTTP statuses, and inside a 200 once a provider has begun; both are judged alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailer.model import replies, waits
from mailer.model.replies import Receipt, Reply

_WORD = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")

OK = 200
ELSEWHERE = range(300, 400)
PAYMENT_REQUIRED = 402
FORBIDDEN = 403

RETRIED = frozenset({402, 408, 425, 429})
"""402 only with Retry-After: then the money is bound by calls in flight; without, there is none."""
SERVERS = 500
"""From here on statuses are a server's own trouble, also those that only proxies know."""
PAUSING: Mapping[int, str] = {
    **dict.fromkeys(ELSEWHERE, "the base URL leads elsewhere, and we never follow"),
    401: "the key was refused",
    404: "no such model, or none that fits our privacy rules",
    405: "the base URL takes no completions",
    407: "a proxy in between refuses us",
    410: "the base URL is given up",
    426: "the base URL wants another protocol",
}
"""Trouble that every call has alike."""

STATUS_OF_TYPE: Mapping[str, int] = {
    "authentication": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "precondition_failed": 412,
    "rate_limit": 429,
    "rate_limit_exceeded": 429,
    "provider_overloaded": 503,
    "provider_unavailable": 502,
    "server": 500,
    "unmapped": 500,
    "timeout": 504,
    "payload_too_large": 413,
    "unprocessable": 422,
    "invalid_request": 400,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "max_tokens_exceeded": 400,
    "token_limit_exceeded": 400,
    "string_too_long": 400,
    "content_policy_violation": 400,
    "refusal": 400,
}
"""`error_type` says what went wrong even where the HTTP status does not (it may be 200)."""


@dataclass(frozen=True)
class Answer:
    """The model answered; its text is still to be checked."""

    content: str


@dataclass(frozen=True)
class Unusable:
    """The model answered with nothing that can be used: ask once more."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """The model does not want to write this email."""

    reason: str


@dataclass(frozen=True)
class Retry:
    """This will probably pass."""

    reason: str
    after_s: float | None = None
    """The least wait in seconds that the reply asked for."""


@dataclass(frozen=True)
class Failed:
    """This episode's call will never work; the next one's may."""

    reason: str


@dataclass(frozen=True)
class Misrouted:
    """Somebody else answered than we asked: this episode fails, and a few of these stop us all."""

    reason: str


@dataclass(frozen=True)
class Paused:
    """No call will work until a person does something, or an outage ends."""

    reason: str


ENDED_BADLY: "Mapping[str | None, Verdict]" = {
    "error": Retry("the provider failed while answering"),
    "content_filter": Refused("the text was held back by a content filter"),
    "length": Unusable("the text was cut off"),
    "tool_calls": Unusable("the model wanted to call a tool"),
}
"""Ways in which an answer ends that leave nothing to use, whatever it holds."""
ANSWERED_BADLY: "Mapping[str | None, Verdict]" = {
    "refusal": Refused("the model refused"),
    "max_tokens_exceeded": Unusable("the text was cut off"),
}
"""Types of error that are really answers."""

Verdict = Answer | Unusable | Refused | Retry | Failed | Misrouted | Paused


@dataclass(frozen=True)
class Asked:
    """Whom we asked, and by which names the answer may call model and provider."""

    models: frozenset[str]
    provider: str
    """The provider's slug."""
    provider_name: str | None = None
    """Its display name, where that is known."""

    def is_model(self, reported: str | None) -> bool:
        """Whether a reply's model is the one asked."""
        return reported in self.models

    def is_provider(self, reported: str | None) -> bool:
        """Whether a reply's provider is the one asked; a reply need not name any."""
        return reported is None or any(
            replies.same_provider(reported, name)
            for name in (self.provider, self.provider_name)
            if name is not None
        )


def judge(status: int, after_s: float | None, body: bytes, asked: Asked) -> tuple[Verdict, Receipt]:
    """Say what a reply means. ``after_s`` is the wait that its headers ask for, in seconds."""
    reply = replies.read(body)
    receipt = replies.receipt_of(status, reply)
    if status != OK:
        error = (reply.error if reply else None) or {}
        # What stops us all does so whatever else the reply says; otherwise its type is surer.
        stops = status in PAUSING or status in (PAYMENT_REQUIRED, FORBIDDEN)
        return _error(status if stops else _code_of(error, status), error, after_s), receipt
    if reply is None:
        return Retry("the reply is no completion"), receipt
    inner = reply.error or next((c.error for c in reply.choices if c.error), None)
    if inner is not None:
        return _error(_code_of(inner, None), inner, after_s), receipt
    return _completion(reply, asked), receipt


def _completion(reply: Reply, asked: Asked) -> Verdict:
    if not asked.is_model(reply.model):
        return Misrouted("another model answered than the one asked")
    if not asked.is_provider(reply.answering):
        return Misrouted("another provider answered than the one asked")
    if not reply.choices:
        return Retry("the reply holds no choice")
    choice = reply.choices[0]
    content = choice.message.content or ""
    if choice.finish_reason in ENDED_BADLY:
        return ENDED_BADLY[choice.finish_reason]
    if choice.message.refusal:
        return Refused("the model refused")
    return Answer(content) if content.strip() else Unusable("the answer is empty")


def _error(status: int | None, error: Mapping[str, Any], after_s: float | None) -> Verdict:
    """Judge an error object under its status code; None when no code is known."""
    metadata = _mapping(error.get("metadata"))
    availability = _mapping(error.get("availability") or metadata.get("availability"))
    if isinstance(availability.get("retryable"), bool):
        return _availability(availability, after_s)
    kind = _word(metadata.get("error_type"))
    said = f"{status} {kind}" if kind else f"{status}"
    unknown_model = "not a valid model" in str(error.get("message"))
    if status in PAUSING or kind == "model_not_found" or unknown_model:
        return Paused(f"{PAUSING.get(status or 0, 'no such model')} ({said})")
    if status == FORBIDDEN or (status == PAYMENT_REQUIRED and after_s is None):
        return _money_or_rights(status, metadata, said)
    if kind in ANSWERED_BADLY:
        return ANSWERED_BADLY[kind]
    if status is None or status in RETRIED or status >= SERVERS:
        return Retry(f"the model failed ({said})", after_s)
    return Failed(f"the request was refused ({said})")


def _availability(availability: Mapping[str, Any], after_s: float | None) -> Verdict:
    """`retryable` decides, whatever the status: so OpenRouter says itself."""
    what = _word(availability.get("code")) or "unavailable"
    if not availability["retryable"]:
        return Paused(f"the model is not to be had: {what}")
    asked = waits.seconds(availability.get("retry_after"))
    return Retry(f"the model is not available: {what}", after_s if asked is None else asked)


def _money_or_rights(status: int, metadata: Mapping[str, Any], said: str) -> Verdict:
    """A 403 may be about this prompt alone; never repeat what was flagged in it."""
    if status == PAYMENT_REQUIRED:
        return Paused(f"no credit is left ({said})")
    if {"reasons", "flagged_input"} & metadata.keys():
        return Failed(f"moderation stopped the prompt ({said})")
    if "patterns" in metadata:
        return Failed(f"a guardrail stopped the prompt ({said})")
    resets = _word(metadata.get("resets_at"))
    until = f", resets at {resets}" if resets else ""
    return Paused(f"the key may not do this, or its budget is spent ({said}{until})")


def _code_of(error: Mapping[str, Any], status: int | None) -> int | None:
    """The status that an error stands for; its type is surer than ``status`` or its own code."""
    known = STATUS_OF_TYPE.get(str(_mapping(error.get("metadata")).get("error_type")))
    code = error.get("code")
    return known or status or (code if type(code) is int and 400 <= code <= 599 else None)  # noqa: PLR2004


def _word(value: Any) -> str | None:
    """Return a code or a time that may stand in a reason: anything else may repeat the prompt."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
