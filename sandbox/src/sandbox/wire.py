"""The contract's requests and replies: the forms of OpenRouter's chat completions."""

import json
import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

COST_PER_TOKEN_USD = 0.0000004
CHARS_PER_TOKEN = 4


class Message(BaseModel):
    """One message of a prompt."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[str, Field(min_length=1)]


class Routing(BaseModel):
    """`provider`: who may answer."""

    model_config = ConfigDict(extra="ignore")

    order: list[str] | None = None
    only: list[str] | None = None
    allow_fallbacks: bool = True
    require_parameters: bool = False
    data_collection: Literal["allow", "deny"] = "allow"
    zdr: bool = False


class Completion(BaseModel):
    """The body of ``POST /chat/completions``, as far as the sandbox looks at it."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")]
    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    response_format: dict[str, Any] | None = None
    provider: Routing = Routing()
    stream: Literal[False] = False

    @property
    def answering(self) -> str:
        """The provider that answers."""
        named = self.provider.only or self.provider.order
        return named[0] if named else "sandbox"


def reply(
    asked: Completion, generation: str, content: str | None, **changes: Any
) -> dict[str, Any]:
    """Return a completion; ``changes`` are fields of its choice, or of the reply where named so."""
    prompt_tokens = sum(len(m.content) for m in asked.messages) // CHARS_PER_TOKEN + 1
    completion_tokens = len(content or "") // CHARS_PER_TOKEN
    choice = {
        "index": 0,
        "finish_reason": changes.get("finish_reason", "stop"),
        "native_finish_reason": changes.get("finish_reason", "stop"),
        "message": {
            "role": "assistant",
            "content": content,
            "refusal": changes.get("refusal"),
            "reasoning": None,
        },
    }
    if "error" in changes:
        choice["error"] = changes["error"]
    total = prompt_tokens + completion_tokens
    return {
        "id": generation,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": changes.get("model", asked.model),
        "provider": changes.get("provider", asked.answering),
        "system_fingerprint": "sandbox",
        "choices": changes.get("choices", [choice]),
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": total,
            "cost": round(total * COST_PER_TOKEN_USD, 9),
        },
    }


def problem(code: int, message: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an error in OpenRouter's form."""
    error: dict[str, Any] = {"code": code, "message": message}
    if metadata is not None:
        error["metadata"] = metadata
    return {"error": error, "user_id": "sandbox"}


def as_text(content: dict[str, Any]) -> str:
    """Return a model's structured answer as the text that it is on the wire."""
    return json.dumps(content, ensure_ascii=False)
