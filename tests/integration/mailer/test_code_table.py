"""Every line of OpenRouter's code table: the real client against the sandbox, over HTTP."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import SecretStr

from mailer.episodes.rules import RETRY_AFTER_MAX_S
from mailer.model.door import clients_for
from mailer.model.openrouter import BODY_BYTES_MAX, OpenRouter
from mailer.model.verdicts import Answer, Failed, Misrouted, Paused, Refused, Retry, Unusable
from mailer.words.prompt import Messages, facts_of, messages_for
from stack.places import HOST, free_port
from tests.integration.mailer.world import KEY, MODEL, PROVIDER, Model

MESSAGES: Messages = messages_for(facts_of("Anna", ["boho"], ["shoes"], 60))
DEADLINE_S = 20.0
FLAGGED = {
    "reasons": ["violence"],
    "flagged_input": "canary-flagged",
    "provider_name": "x",
    "model_slug": MODEL,
}


@contextlib.asynccontextmanager
async def client_of(
    url: str, *, deadline_s: float = DEADLINE_S, provider: str = PROVIDER
) -> AsyncIterator[OpenRouter]:
    """A client as the mailer makes it."""
    async with clients_for(SecretStr(KEY), 2, loopback=True) as clients:
        yield OpenRouter(clients, url, MODEL, provider, deadline_s)


def status(code: int, **fields: Any) -> dict[str, Any]:
    """An error as an HTTP status."""
    return {"kind": "status", "status": code, **fields}


def typed(code: int, error_type: str, kind: str = "status", **fields: Any) -> dict[str, Any]:
    """An error with a type."""
    return {"kind": kind, "status": code, "metadata": {"error_type": error_type}, **fields}


def unavailable(code: int, what: str, *, retryable: bool, **fields: Any) -> dict[str, Any]:
    """An error that says whether the model is to be had later."""
    return status(code, availability={"code": what, "retryable": retryable, **fields})


TABLE: list[tuple[dict[str, Any], type, str]] = [
    # what will pass
    (status(408), Retry, "408"),
    (status(429), Retry, "429"),
    (typed(429, "rate_limit_exceeded"), Retry, "rate_limit_exceeded"),
    (unavailable(429, "capacity_exhausted", retryable=True), Retry, "capacity_exhausted"),
    (status(500), Retry, "500"),
    (typed(500, "server"), Retry, "server"),
    (typed(500, "unmapped"), Retry, "unmapped"),
    (status(502), Retry, "502"),
    (typed(502, "provider_unavailable"), Retry, "provider_unavailable"),
    (status(503), Retry, "503"),
    (typed(503, "provider_overloaded"), Retry, "provider_overloaded"),
    (unavailable(503, "temporarily_unavailable", retryable=True), Retry, "temporarily"),
    (unavailable(404, "no_endpoints", retryable=True), Retry, "no_endpoints"),
    (status(504), Retry, "504"),
    (typed(504, "timeout"), Retry, "timeout"),
    (status(524), Retry, "524"),
    ({"kind": "html", "status": 524}, Retry, "524"),
    (status(529), Retry, "529"),
    ({"kind": "html", "status": 200}, Retry, "no completion"),
    (status(402, retry_after=5), Retry, "402"),
    (typed(400, "provider_overloaded"), Retry, "provider_overloaded"),
    ({"kind": "disconnect"}, Retry, "broke"),
    ({"kind": "no_choices"}, Retry, "no choice"),
    # errors in a 200
    ({"kind": "error_top", "status": 502}, Retry, "502"),
    ({"kind": "error_choice", "status": 503}, Retry, "503"),
    (typed(200, "timeout", "error_choice"), Retry, "timeout"),
    (typed(200, "rate_limit_exceeded", "error_top"), Retry, "rate_limit_exceeded"),
    (typed(200, "provider_unavailable", "error_choice"), Retry, "provider_unavailable"),
    (typed(200, "server", "error_top"), Retry, "server"),
    (typed(200, "authentication", "error_top"), Paused, "key was refused"),
    (typed(200, "payment_required", "error_choice"), Paused, "no credit"),
    (typed(200, "not_found", "error_top"), Paused, "no such model"),
    (typed(200, "content_policy_violation", "error_choice"), Failed, "content_policy_violation"),
    (typed(200, "refusal", "error_choice"), Refused, "refused"),
    (typed(200, "max_tokens_exceeded", "error_choice"), Unusable, "cut off"),
    # what this prompt alone meets
    (status(400), Failed, "400"),
    (typed(400, "invalid_request"), Failed, "invalid_request"),
    (typed(400, "invalid_prompt"), Failed, "invalid_prompt"),
    (typed(400, "context_length_exceeded"), Failed, "context_length_exceeded"),
    (typed(400, "content_policy_violation"), Failed, "content_policy_violation"),
    (typed(400, "refusal"), Refused, "refused"),
    (status(403, metadata=FLAGGED), Failed, "moderation"),
    (status(403, metadata={"patterns": ["ignore all"]}), Failed, "guardrail"),
    (status(412), Failed, "412"),
    (status(413), Failed, "413"),
    (status(418), Failed, "418"),
    (status(422), Failed, "422"),
    ({"kind": "huge", "size_bytes": 3 * BODY_BYTES_MAX}, Failed, "too large"),
    ({"kind": "packed", "size_bytes": 50_000_000}, Failed, "too large or packed"),
    # what stops everybody
    (status(401), Paused, "key was refused"),
    (typed(401, "authentication"), Paused, "authentication"),
    (status(402), Paused, "no credit"),
    (typed(402, "payment_required"), Paused, "no credit"),
    (status(402, headers={"Retry-After": "soon"}), Paused, "no credit"),
    (status(403), Paused, "may not do this"),
    (typed(403, "permission_denied"), Paused, "permission_denied"),
    (status(403, metadata={"resets_at": "2026-12-01"}), Paused, "resets at 2026-12-01"),
    (unavailable(403, "region_restricted", retryable=False), Paused, "region_restricted"),
    (status(404), Paused, "no such model"),
    *(
        (unavailable(code, what, retryable=False), Paused, what)
        for code, what in (
            (400, "model_not_found"),
            (400, "wrong_endpoint"),
            (404, "no_endpoints"),
            (404, "model_deprecated"),
            (404, "model_unavailable_upstream"),
            (404, "privacy_restricted"),
            (404, "constraint_filtered"),
            (404, "free_variant_ended"),
        )
    ),
    (status(400, message=f"{MODEL} is not a valid model ID"), Paused, "no such model"),
    (status(405), Paused, "takes no completions"),
    (status(407), Paused, "proxy"),
    *(
        ({"kind": "redirect", "status": code}, Paused, "leads elsewhere")
        for code in (301, 302, 303, 307, 308)
    ),
    # answers of another than we asked
    ({"kind": "wrong_model"}, Misrouted, "another model"),
    ({"kind": "wrong_provider"}, Misrouted, "another provider"),
    # answers
    ({"kind": "none"}, Answer, ""),
    ({"kind": "canonical_model"}, Answer, ""),
    ({"kind": "display_provider"}, Answer, ""),
    ({"kind": "no_provider"}, Answer, ""),
    ({"kind": "refusal"}, Refused, "refused"),
    ({"kind": "content_filter"}, Refused, "content filter"),
    ({"kind": "length"}, Unusable, "cut off"),
    ({"kind": "tool_calls"}, Unusable, "tool"),
    ({"kind": "empty"}, Unusable, "empty"),
]


NAMES = [
    f"{number} {fault['kind']} {fault.get('status', '')} {said} {verdict.__name__}"
    for number, (fault, verdict, said) in enumerate(TABLE)
]


@pytest.mark.parametrize("line", TABLE, ids=NAMES)
async def test_each_line_of_the_table(
    model: Model, line: tuple[dict[str, Any], type, str], caplog: pytest.LogCaptureFixture
):
    """Each reply of the door has its one verdict, says why, and repeats nothing of the prompt."""
    fault, expected, said = line
    await model.faults(fault)
    async with client_of(model.url) as client:
        call = await client.complete(MESSAGES)
    assert call is not None
    assert type(call.verdict) is expected, call.verdict
    if not isinstance(call.verdict, Answer):
        assert said in call.verdict.reason
        assert "canary-flagged" not in call.verdict.reason
    if fault["kind"] in ("status", "redirect"):
        assert call.receipt.status == fault["status"]
    assert "canary-flagged" not in caplog.text
    assert KEY not in caplog.text


async def test_an_answer_is_recorded(model: Model):
    """What is kept of a call: model, provider, generation, tokens, cost and the time it took."""
    async with client_of(model.url) as client:
        call = await client.complete(MESSAGES)
    assert call is not None
    (asked,) = model.journal()
    receipt = call.receipt
    assert (receipt.status, receipt.model, receipt.provider) == (200, MODEL, PROVIDER)
    assert receipt.generation_id == asked["generation"]
    usage = asked["answer"]["usage"]
    assert receipt.prompt_tokens == usage["prompt_tokens"] > 0
    assert receipt.completion_tokens == usage["completion_tokens"] > 0
    assert receipt.cost_usd == usage["cost"] > 0
    assert call.latency_ms >= 0


async def test_the_request_leaves_nobody_else_a_chance(model: Model):
    """The request pins model and provider, and asks for strict JSON, no storage, no training."""
    async with client_of(model.url) as client:
        await client.complete(MESSAGES)
    (asked,) = model.journal()
    request = asked["request"]
    assert request["model"] == MODEL
    assert "models" not in request
    assert request["provider"] == {
        "order": [PROVIDER],
        "only": [PROVIDER],
        "allow_fallbacks": False,
        "require_parameters": True,
        "data_collection": "deny",
        "zdr": True,
    }
    assert request["response_format"]["json_schema"]["strict"] is True
    assert set(request) == {
        *("model", "messages", "max_completion_tokens", "response_format", "provider")
    }


TOMORROW = "tomorrow"
WAITS: list[tuple[dict[str, Any], float | None]] = [
    ({"retry_after": 7}, 7.0),
    ({"retry_after": 0}, 0.0),
    ({"headers": {"Retry-After": "1e9"}}, RETRY_AFTER_MAX_S),
    ({"headers": {"Retry-After": TOMORROW}}, RETRY_AFTER_MAX_S),
    ({"headers": {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}}, 0.0),
    *(({"headers": {"Retry-After": odd}}, None) for odd in ("-5", "nan", "inf", "soon", "")),
    ({"headers": {"X-RateLimit-Reset": "4102444800000"}}, RETRY_AFTER_MAX_S),
    ({"headers": {"X-RateLimit-Reset": "1000"}}, 0.0),
    ({"headers": {"X-RateLimit-Reset": "never"}}, None),
    *(
        ({"availability": {"code": "x", "retryable": True, "retry_after": asked}}, wait)
        for asked, wait in ((9, 9.0), (-1, None), (10**400, RETRY_AFTER_MAX_S), ("9", None))
    ),
]


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(("asked", "wait"), WAITS, ids=[str(n) for n in range(len(WAITS))])
async def test_waits_that_are_asked_for_are_read_within_bounds(
    model: Model, code: int, asked: dict[str, Any], wait: float | None
):
    """A wait is seconds or a date, never negative, never endless; nonsense is none."""
    if asked.get("headers", {}).get("Retry-After") == TOMORROW:
        moment = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
        asked = {"headers": {"Retry-After": moment}}
    await model.faults(status(code, **asked))
    async with client_of(model.url) as client:
        call = await client.complete(MESSAGES)
    assert call is not None
    assert isinstance(call.verdict, Retry)
    ours = code == 429 or "X-RateLimit-Reset" not in asked.get("headers", {})
    assert call.verdict.after_s == (wait if ours else None)


async def test_a_trickle_ends_at_the_deadline(model: Model):
    """The deadline is for the whole answer: a byte now and then does not stretch it."""
    await model.faults({"kind": "trickle"})
    async with client_of(model.url, deadline_s=1.0) as client:
        call = await client.complete(MESSAGES)
    assert call is not None
    assert isinstance(call.verdict, Retry)
    assert "deadline" in call.verdict.reason


async def test_a_door_that_is_closed_stops_everybody():
    """Where nobody listens no call can work."""
    async with client_of(f"http://{HOST}:{free_port()}/api/v1") as client:
        call = await client.complete(MESSAGES)
    assert call is not None
    assert isinstance(call.verdict, Paused)


@pytest.mark.parametrize("kind", ["canonical_model", "display_provider"])
@pytest.mark.parametrize(
    "trouble",
    [status(500), status(401), {"kind": "html", "status": 200}],
    ids=["500", "401", "html"],
)
async def test_a_name_that_cannot_be_looked_up_is_not_taken_on_trust(
    model: Model, kind: str, trouble: dict[str, Any]
):
    """Until the list can be read, an unknown name is no answer and no failure: asked again."""
    path = "models" if kind == "canonical_model" else "endpoints"
    await model.faults({"kind": kind}, {**trouble, "path": path, "times": 1})
    async with client_of(model.url) as client:
        first = await client.complete(MESSAGES)
        second = await client.complete(MESSAGES)
    assert first is not None
    assert second is not None
    assert isinstance(first.verdict, Retry)
    assert "unknown name" in first.verdict.reason
    assert isinstance(second.verdict, Answer)


async def test_names_are_looked_up_once(model: Model):
    """Lists are asked for when a name is new, not with each call."""
    await model.faults({"kind": "display_provider"})
    async with client_of(model.url) as client:
        for _ in range(3):
            call = await client.complete(MESSAGES)
            assert call is not None
            assert isinstance(call.verdict, Answer)
    lists = model.journal("/api/v1/endpoints")
    assert len(lists) == 1


async def test_a_redirect_is_not_followed(model: Model):
    """The key goes to no other host, not even to another path of this one."""
    elsewhere = model.url + "/key"
    await model.faults({"kind": "redirect", "status": 307, "location": elsewhere})
    async with client_of(model.url) as client:
        await client.complete(MESSAGES)
    assert not model.journal("/api/v1/key")


async def test_a_request_that_is_too_late_is_not_sent(model: Model):
    """A grant that ran out sends nothing."""
    async with client_of(model.url) as client:
        assert await client.complete(MESSAGES, send_before=0.0) is None
    assert not model.journal()


PROBES: list[tuple[dict[str, Any] | None, str | None]] = [
    (None, None),
    (status(401), "not accepted"),
    (status(403), "not accepted"),
    (status(404), None),
    (status(500), "nobody answers"),
    ({"kind": "html", "status": 200}, "cannot be read"),
]


@pytest.mark.parametrize(("fault", "said"), PROBES, ids=[str(n) for n in range(len(PROBES))])
async def test_the_probe_tells_whether_the_key_is_good(
    model: Model, fault: dict[str, Any] | None, said: str | None
):
    """The cheap question says what is wrong with the key, if anything."""
    await model.faults(*([{**fault, "path": "key"}] if fault else []))
    async with client_of(model.url) as client:
        problem = await client.probe()
    assert problem is None if said is None else said in str(problem)
