"""Every line of OpenRouter's code table has its verdict."""

import json

import pytest

from mailer.model.replies import same_provider
from mailer.model.verdicts import (
    Answer,
    Asked,
    Failed,
    Misrouted,
    Paused,
    Refused,
    Retry,
    Unusable,
    judge,
)

ASKED = Asked(frozenset({"maker/model"}), "some-provider")
FLAGGED = {"reasons": ["violence"], "flagged_input": "Secret text", "provider_name": "x"}


def error(code, **fields):
    """An error body in OpenRouter's form."""
    return {"error": {"code": code, "message": "A message", **fields}}


def kind(name):
    """Error metadata of one type."""
    return {"metadata": {"error_type": name}}


def availability(code, *, retryable, **more):
    """An error that says whether it will pass."""
    return {"availability": {"code": code, "retryable": retryable, **more}}


def completion(content="{}", **changes):
    """A good completion, with changes to its choice or, by name, to the whole."""
    whole = {key: changes.pop(key) for key in ("model", "provider", "choices") if key in changes}
    message = {"role": "assistant", "content": content, "refusal": changes.pop("refusal", None)}
    choice = {"index": 0, "finish_reason": "stop", "message": message, **changes}
    return {
        "id": "gen-1",
        "model": "maker/model",
        "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 20, "cost": 0.0001},
        **whole,
    }


def verdict(status, body, after_s=None):
    """The verdict on a reply."""
    return judge(status, after_s, json.dumps(body).encode(), ASKED)[0]


TABLE = [
    (400, {}, None, Failed),
    (400, kind("invalid_request"), None, Failed),
    (400, kind("content_policy_violation"), None, Failed),
    (400, kind("refusal"), None, Refused),
    (400, availability("model_not_found", retryable=False), None, Paused),
    (400, availability("wrong_endpoint", retryable=False), None, Paused),
    (400, {"message": "maker/model is not a valid model ID"}, None, Paused),
    (401, {}, None, Paused),
    (401, kind("authentication"), None, Paused),
    (402, {}, None, Paused),
    (402, {"metadata": {"limit_source": "openrouter_in_flight_budget"}}, 5, Retry),
    (403, {}, None, Paused),
    (403, {"metadata": {"resets_at": "2026-12-01"}}, None, Paused),
    (403, {"metadata": FLAGGED}, None, Failed),
    (403, {"metadata": {"patterns": ["ignore all"]}}, None, Failed),
    (403, availability("region_restricted", retryable=False), None, Paused),
    (404, {}, None, Paused),
    (404, availability("privacy_restricted", retryable=False), None, Paused),
    (408, {}, None, Retry),
    (413, {}, None, Failed),
    (422, {}, None, Failed),
    (429, {}, None, Retry),
    (429, availability("capacity_exhausted", retryable=True, retry_after=9), None, Retry),
    (500, kind("server"), None, Retry),
    (502, {}, None, Retry),
    (503, {}, 7, Retry),
    (503, availability("temporarily_unavailable", retryable=True), 7, Retry),
    (503, availability("no_endpoints", retryable=False), None, Paused),
    (504, {}, None, Retry),
    (524, {}, None, Retry),
    (529, {}, None, Retry),
    (425, {}, None, Retry),
    *[(status, {}, None, Retry) for status in (501, 505, 520, 521, 522, 523, 525, 526, 527, 530)],
    (302, {}, None, Paused),
    (407, {}, None, Paused),
    (418, {}, None, Failed),
]


@pytest.mark.parametrize(("status", "fields", "after_s", "expected"), TABLE)
def test_each_status_has_its_verdict(status, fields, after_s, expected):
    """An HTTP error is retried, fails the episode, or pauses the mailer, as the table says."""
    assert isinstance(verdict(status, error(status, **fields), after_s), expected)


@pytest.mark.parametrize("place", ["top", "choice"])
@pytest.mark.parametrize(
    ("code", "fields", "expected"),
    [
        (502, kind("provider_unavailable"), Retry),
        (503, kind("provider_overloaded"), Retry),
        (504, kind("timeout"), Retry),
        (500, kind("server"), Retry),
        (429, kind("rate_limit_exceeded"), Retry),
        (200, kind("rate_limit_exceeded"), Retry),
        ("odd", kind("timeout"), Retry),
        (500, kind("authentication"), Paused),
        (401, {}, Paused),
        (402, {}, Paused),
        (400, kind("content_policy_violation"), Failed),
        (400, kind("refusal"), Refused),
        (403, {"metadata": FLAGGED}, Failed),
        (None, {}, Retry),
    ],
)
def test_an_error_inside_a_200_is_an_error(place, code, fields, expected):
    """An error in the body counts like one in the status; partial content is never an answer."""
    if place == "top":
        body = {**completion('{"subject": "cut'), **error(code, **fields)}
    else:
        body = completion('{"subject": "cut', finish_reason="error", **error(code, **fields))
    assert isinstance(verdict(200, body), expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (completion(), Answer),
        (completion(provider="Some Provider"), Answer),
        (completion(finish_reason="error"), Retry),
        (completion(finish_reason="length"), Unusable),
        (completion(finish_reason="tool_calls", content=None), Unusable),
        (completion(finish_reason="content_filter", content=""), Refused),
        (completion(content=None, refusal="No."), Refused),
        (completion(content=None), Unusable),
        (completion(content="  "), Unusable),
        (completion(model="other/model"), Misrouted),
        (completion(model=None), Misrouted),
        (completion(provider="Other"), Misrouted),
        (completion(choices=[]), Retry),
        (["no", "completion"], Retry),
    ],
)
def test_a_200_is_an_answer_only_if_it_is_one(body, expected):
    """Only a whole text of the model and provider that were asked is an answer."""
    assert isinstance(verdict(200, body), expected)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"\xff\xfe", b"null"])
def test_what_is_no_json_is_retried(body):
    """A 200 that is no completion is the door's trouble and will pass."""
    assert isinstance(judge(200, None, body, ASKED)[0], Retry)
    assert isinstance(judge(524, None, body, ASKED)[0], Retry)
    assert isinstance(judge(401, None, body, ASKED)[0], Paused)


def test_retry_after_is_carried():
    """The wait that a reply asks for reaches the verdict."""
    assert verdict(429, error(429), 7).after_s == 7
    body = error(429, **availability("capacity_exhausted", retryable=True, retry_after=9))
    assert verdict(429, body).after_s == 9


def test_what_was_flagged_is_never_repeated():
    """The client's text that a moderator quotes is in no reason."""
    found = verdict(403, error(403, metadata=FLAGGED))
    assert "Secret" not in found.reason


def test_the_receipt_keeps_what_the_reply_says_of_itself():
    """Generation, model, provider, tokens and cost are read; nonsense is not."""
    receipt = judge(200, None, json.dumps(completion(provider="P")).encode(), ASKED)[1]
    assert (receipt.generation_id, receipt.provider, receipt.prompt_tokens) == ("gen-1", "P", 10)
    assert receipt.cost_usd == 0.0001
    odd = completion()
    odd["usage"] = {"prompt_tokens": -1, "completion_tokens": "many", "cost": float("inf")}
    odd["id"] = "x\u0000" * 300
    receipt = judge(200, None, json.dumps(odd).encode(), ASKED)[1]
    assert (receipt.prompt_tokens, receipt.completion_tokens, receipt.cost_usd) == (None,) * 3
    assert receipt.generation_id is None


@pytest.mark.parametrize("odd", [10**400, -(10**400), 999_999.9999999, 1e6, float("nan")])
def test_a_cost_that_cannot_be_kept_is_none(odd):
    """A cost beyond what a float or the ledger's column holds is not read, and hurts nobody."""
    body = json.dumps({**completion(), "usage": {"cost": odd}}).encode()
    found, receipt = judge(200, None, body, ASKED)
    assert isinstance(found, Answer)
    assert receipt.cost_usd is None


@pytest.mark.parametrize("text", ["Anna wants shoes", "x" * 65, "Anna,shoes", ""])
def test_what_is_no_code_is_not_repeated(text):
    """Codes and times stand in reasons; free text in their place may be the client's."""
    for body in (
        error(500, **kind(text)),
        error(503, **availability(text, retryable=True)),
        error(403, metadata={"resets_at": text}),
    ):
        found = verdict(body["error"]["code"], body)
        assert not text or text not in found.reason
    assert "overloaded" in verdict(503, error(503, **kind("overloaded"))).reason


def test_providers_are_the_same_by_name_or_slug():
    """A display name and a slug with a variant mean the same provider."""
    assert same_provider("Google AI Studio", "google-ai-studio")
    assert same_provider("DeepInfra", "deepinfra/turbo")
    assert not same_provider("OpenAI", "azure")


@pytest.mark.parametrize("odd", ["NaN", "-1", "Infinity", "1e999", "true", '"9"', "null"])
def test_a_wait_in_the_body_is_no_nonsense(odd):
    """A wait that is no number of seconds is none: nothing but such numbers goes further."""
    body = (
        '{"error": {"code": 429, "message": "x", "availability":'
        f' {{"code": "x", "retryable": true, "retry_after": {odd}}}}}}}'
    )
    found = judge(429, 3, body.encode(), ASKED)[0]
    assert isinstance(found, Retry)
    assert found.after_s == (300 if odd in ("Infinity", "1e999") else 3)


def test_an_unreadable_word_of_the_router_is_no_unreadable_reply():
    """What the router tells of itself is an extra: nonsense in it changes nothing."""
    for odd in (7, {"endpoints": 7}, {"endpoints": {"available": [7]}}):
        assert isinstance(verdict(200, {**completion(), "openrouter_metadata": odd}), Answer)
    other = {"endpoints": {"available": [{"provider": "Other", "selected": True}]}}
    assert isinstance(verdict(200, {**completion(), "openrouter_metadata": other}), Misrouted)
