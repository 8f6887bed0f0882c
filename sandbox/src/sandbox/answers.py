"""What the sandbox answers: a good email, or what the fault plan asks for in its place."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from fastapi.responses import JSONResponse, Response, StreamingResponse

from sandbox.faults import Fault
from sandbox.obeying import obey
from sandbox.wire import Completion, as_text, reply
from sandbox.writing import facts_in, write

TRICKLE_S = 0.2
CHUNK = b" " * 65_536


class Disconnect(Exception):
    """The connection is to be cut in the middle of the answer."""


def good(asked: Completion, generation: str) -> dict[str, Any]:
    """Answer from the facts of the prompt; without facts the model declines."""
    facts = facts_in([message.model_dump() for message in asked.messages])
    if facts is None:
        return reply(asked, generation, None, refusal="There are no facts to write from.")
    return reply(asked, generation, as_text(write(facts)))


def _email(asked: Completion) -> dict[str, Any]:
    return write(facts_in([m.model_dump() for m in asked.messages]) or {})


def _obeying(asked: Completion) -> str:
    return as_text(obey([message.model_dump() for message in asked.messages]))


Body = Callable[[Completion, str, Fault], dict[str, Any]]

BODIES: Mapping[str, Body] = {
    "none": lambda asked, gen, _: good(asked, gen),
    "error_top": lambda asked, gen, fault: {
        **reply(asked, gen, None, finish_reason="error"),
        "error": fault.error(fault.status),
    },
    "error_choice": lambda asked, gen, fault: reply(
        asked,
        gen,
        as_text(_email(asked))[:60],
        finish_reason="error",
        error=fault.error(fault.status),
    ),
    "refusal": lambda asked, gen, _: reply(asked, gen, None, refusal="I would rather not."),
    "content_filter": lambda asked, gen, _: reply(asked, gen, "", finish_reason="content_filter"),
    "length": lambda asked, gen, _: reply(
        asked, gen, as_text(_email(asked))[:120], finish_reason="length"
    ),
    "empty": lambda asked, gen, _: reply(asked, gen, ""),
    "tool_calls": lambda asked, gen, _: reply(asked, gen, None, finish_reason="tool_calls"),
    "wrong_schema": lambda asked, gen, _: reply(
        asked, gen, as_text({"subject": 7, "text": _email(asked)["body"]})
    ),
    "extra_key": lambda asked, gen, _: reply(asked, gen, as_text({**_email(asked), "html": "x"})),
    "fenced_json": lambda asked, gen, _: reply(
        asked, gen, f"```json\n{as_text(_email(asked))}\n```"
    ),
    "not_json": lambda asked, gen, _: reply(asked, gen, _email(asked)["body"]),
    "text": lambda asked, gen, fault: reply(
        asked,
        gen,
        as_text(
            {
                **_email(asked),
                **({"subject": fault.subject} if fault.subject else {}),
                **({"body": fault.body} if fault.body else {}),
            }
        ),
    ),
    "obey": lambda asked, gen, _: reply(asked, gen, _obeying(asked)),
    "wrong_model": lambda asked, gen, _: {**good(asked, gen), "model": "someone/else"},
    "canonical_model": lambda asked, gen, _: {**good(asked, gen), "model": canonical(asked.model)},
    "wrong_provider": lambda asked, gen, _: {**good(asked, gen), "provider": "Someone Else"},
    "display_provider": lambda asked, gen, _: {
        **good(asked, gen),
        "provider": display(asked.answering),
    },
    "no_provider": lambda asked, gen, _: {
        **{key: value for key, value in good(asked, gen).items() if key != "provider"},
        "openrouter_metadata": {
            "endpoints": {
                "total": 1,
                "available": [
                    {"provider": asked.answering, "model": asked.model, "selected": True}
                ],
            },
        },
    },
    "no_choices": lambda asked, gen, _: {**good(asked, gen), "choices": []},
}
"""Replies with status 200, by kind of fault."""


def canonical(model: str) -> str:
    """The canonical slug under which the sandbox lists a model."""
    return f"{model}-20260101"


def display(provider: str) -> str:
    """The name under which people know a provider, which its slug need not tell."""
    return f"The {provider.partition('/')[0].title()} Company"


def faulty(fault: Fault, asked: Completion, generation: str) -> tuple[Response, Any]:
    """Return the response that a fault makes, and what the journal says was answered."""
    headers = {"X-Generation-Id": generation, **fault.headers}
    if fault.retry_after is not None:
        headers["Retry-After"] = f"{fault.retry_after:g}"
    if fault.kind in BODIES:
        content = BODIES[fault.kind](asked, generation, fault)
        return JSONResponse(content, headers=headers), content
    return _raw(fault, asked, generation, headers), {"fault": fault.kind}


def _raw(fault: Fault, asked: Completion, generation: str, headers: dict[str, str]) -> Response:
    """Return a response that is no completion."""
    if fault.kind in ("huge", "trickle", "disconnect"):
        whole = json.dumps(good(asked, generation)).encode()
        stream = {"huge": _huge(fault.size_bytes), "trickle": _trickle(whole), "disconnect": _cut()}
        return StreamingResponse(stream[fault.kind], media_type="application/json")
    if fault.kind == "html":
        page = "<html><body>A timeout occurred</body></html>"
        return Response(page, fault.status, headers, "text/html")
    if fault.kind == "redirect":
        status = fault.status if fault.status in range(300, 400) else 302
        return Response(None, status, {**headers, "Location": fault.location})
    if fault.kind == "packed":
        packed = gzip.compress(b" " * fault.size_bytes, 9)
        return Response(packed, 200, {**headers, "Content-Encoding": "gzip"})
    content = {"error": fault.error(fault.status)}
    return JSONResponse(content, status_code=fault.status, headers=headers)


async def _huge(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // len(CHUNK) + 1):
        yield CHUNK


async def _trickle(whole: bytes) -> AsyncIterator[bytes]:
    for byte in whole:
        yield bytes([byte])
        await asyncio.sleep(TRICKLE_S)


async def _cut() -> AsyncIterator[bytes]:
    yield b'{"id": "sbx-'
    raise Disconnect
