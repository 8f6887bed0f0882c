"""The form of OpenRouter's replies: untrusted, so only what is asked for is read, within bounds."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

MONEY_MAX = 999_999
"""US dollars; Postgres keeps numeric(12, 6)."""


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def _money(value: Any) -> float | None:
    # Compared before it is converted: a whole number may be too large for a float.
    return float(value) if type(value) in (int, float) and 0 <= value <= MONEY_MAX else None


def label(value: Any) -> str | None:
    """Return a short printable name from an untrusted reply, or nothing."""
    fits = isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()  # noqa: PLR2004
    return value if fits else None


Count = Annotated[int | None, BeforeValidator(_count)]
Money = Annotated[float | None, BeforeValidator(_money)]
Label = Annotated[str | None, BeforeValidator(label)]


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Usage(_Loose):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    cost: Money = None


class _Message(_Loose):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Loose):
    finish_reason: str | None = None
    message: _Message = _Message()
    error: dict[str, Any] | None = None


class _Endpoint(_Loose):
    provider: Label = None
    selected: bool = False


class _Endpoints(_Loose):
    available: list[_Endpoint] = Field(default_factory=list)


class _Routing(_Loose):
    endpoints: _Endpoints = _Endpoints()


def _routing(value: Any) -> Any:
    """What the router tells of itself is an extra: unreadable, it is none, and the reply is one."""
    try:
        return _Routing.model_validate(value)
    except ValidationError:
        return _Routing()


class Reply(_Loose):
    """The parts of a reply that we look at."""

    id: Label = None
    model: Label = None
    provider: Label = None
    choices: list[_Choice] = Field(default_factory=list)
    usage: _Usage | None = None
    error: dict[str, Any] | None = None
    openrouter_metadata: Annotated[_Routing, BeforeValidator(_routing)] = _Routing()

    @property
    def answering(self) -> str | None:
        """Who answered: as the reply says itself, or its router where that was asked to."""
        chosen = (e.provider for e in self.openrouter_metadata.endpoints.available if e.selected)
        return self.provider or next(chosen, None)


@dataclass(frozen=True)
class Receipt:
    """What a reply says about itself: kept for every call."""

    status: int | None = None
    model: str | None = None
    provider: str | None = None
    generation_id: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None


def read(body: bytes) -> Reply | None:
    """Read a reply; None when it has no such form."""
    try:
        return Reply.model_validate(json.loads(body))
    except (ValueError, ValidationError, RecursionError):
        return None


def receipt_of(status: int, reply: Reply | None) -> Receipt:
    """Return what is kept of a reply, readable or not."""
    if reply is None:
        return Receipt(status)
    usage = reply.usage or _Usage()
    return Receipt(
        status,
        reply.model,
        reply.answering,
        reply.id,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cost,
    )


def same_provider(reported: str, asked: str) -> bool:
    """Whether a provider's display name and a slug (perhaps with a variant) mean the same."""
    return _provider_key(reported) == _provider_key(asked)


def _provider_key(name: str) -> str:
    base = name.partition("/")[0].casefold()
    return "".join(char for char in base if char.isalnum())
