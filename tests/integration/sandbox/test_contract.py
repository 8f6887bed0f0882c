"""The sandbox speaks OpenRouter's contract, says plainly what it is, and does what it is told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stack.places import free_port

HEADERS = {"Authorization": "Bearer canary-key"}
FACTS = '<facts>\n{"first_name": "Anna", "last_order": "about a week ago"}\n</facts>'


def ask_for(content: str = FACTS, **fields: object) -> dict[str, object]:
    """A request for a completion."""
    return {"model": "maker/model", "messages": [{"role": "user", "content": content}], **fields}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the sandbox notes its requests."""
    return tmp_path / "journal.jsonl"


@pytest.fixture
def sandbox(journal: Path) -> Iterator[httpx.Client]:
    """A running sandbox, as a client that carries a key."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox"],
        env={
            "PATH": os.environ["PATH"],
            "SANDBOX_PORT": str(port),
            "SANDBOX_JOURNAL": str(journal),
        },
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, headers=HEADERS, trust_env=False) as client:
            end = time.monotonic() + 20
            while True:
                try:
                    assert client.get("/livez").status_code == 200
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < end
                    time.sleep(0.05)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)


def test_a_completion_has_the_contracts_form(sandbox: httpx.Client):
    """A completion has OpenRouter's fields, and bears the sandbox's label."""
    answer = sandbox.post("/api/v1/chat/completions", json=ask_for(provider={"only": ["p"]}))
    assert answer.status_code == 200
    assert answer.headers["x-sandbox"] == "true"
    body = answer.json()
    assert body["id"].startswith("sbx-")
    assert answer.headers["x-generation-id"] == body["id"]
    assert (body["model"], body["provider"]) == ("maker/model", "p")
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["total_tokens"] > 0
    email = json.loads(body["choices"][0]["message"]["content"])
    assert set(email) == {"subject", "body", "facts_used"}
    assert "Anna" in email["body"]


def test_the_same_facts_give_the_same_text(sandbox: httpx.Client):
    """Texts are drawn from the facts: equal for equal ones, different for different ones."""

    def text(content: str) -> str:
        answer = sandbox.post("/api/v1/chat/completions", json=ask_for(content)).json()
        found: str = answer["choices"][0]["message"]["content"]
        return found

    assert text(FACTS) == text(FACTS)
    assert text(FACTS) != text(FACTS.replace("Anna", "Bob"))


def test_without_facts_the_model_declines(sandbox: httpx.Client):
    """A prompt without facts gets a refusal, not an invented email."""
    body = sandbox.post("/api/v1/chat/completions", json=ask_for("Write!")).json()
    assert body["choices"][0]["message"]["content"] is None
    assert body["choices"][0]["message"]["refusal"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic abc"])
def test_no_key_no_answer(sandbox: httpx.Client, authorization: str):
    """Without a bearer token every route of the contract answers 401 in OpenRouter's form."""
    for method, path in (("POST", "chat/completions"), ("GET", "key"), ("GET", "models")):
        answer = sandbox.request(
            method, f"/api/v1/{path}", headers={"Authorization": authorization}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, 401)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"{}",
        b'{"model": "maker/model", "messages": []}',
        b'{"model": "no-slash", "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "maker/model", "messages": [{"role": "king", "content": "x"}]}',
    ],
)
def test_invalid_requests_are_refused(sandbox: httpx.Client, body: bytes):
    """A request that OpenRouter would refuse is refused: 400, in its form."""
    answer = sandbox.post("/api/v1/chat/completions", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)


def test_key_and_models_answer(sandbox: httpx.Client):
    """The key is good, and models that were asked for are listed with a canonical slug."""
    assert sandbox.get("/api/v1/key").json()["data"]["limit_remaining"] is None
    sandbox.post("/api/v1/chat/completions", json=ask_for())
    (model,) = sandbox.get("/api/v1/models").json()["data"]
    assert model["id"] == "maker/model"
    assert model["canonical_slug"].startswith("maker/model-")
    sandbox.post("/api/v1/chat/completions", json=ask_for(provider={"only": ["p/fp8"]}))
    listed = sandbox.get("/api/v1/models/maker/model/endpoints").json()["data"]["endpoints"]
    found = {one["tag"]: one for one in listed}
    assert found["p/fp8"]["provider_name"] == "The P Company"
    assert float(found["sandbox"]["pricing"]["prompt"]) > 0


def test_the_journal_holds_everything_but_the_key(sandbox: httpx.Client, journal: Path):
    """Each request is one line with what was asked and answered; the key is nowhere."""
    sandbox.post("/api/v1/chat/completions", json=ask_for())
    sandbox.get("/api/v1/key")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["path"] for line in lines] == ["/api/v1/chat/completions", "/api/v1/key"]
    assert lines[0]["request"]["messages"][0]["content"] == FACTS
    assert lines[0]["answer"]["id"] == lines[0]["generation"]
    assert "canary-key" not in journal.read_text()


def test_faults_are_met_in_turn(sandbox: httpx.Client):
    """A plan of faults meets the requests it names, then ends."""
    plan = [
        {"kind": "status", "status": 429, "retry_after": 7, "times": 1},
        {"kind": "refusal", "times": 1},
    ]
    sandbox.put("/sandbox/faults", json={"faults": plan})
    first, second, third = (
        sandbox.post("/api/v1/chat/completions", json=ask_for()) for _ in range(3)
    )
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert second.json()["choices"][0]["message"]["refusal"]
    assert third.json()["choices"][0]["message"]["content"]
    state = sandbox.get("/sandbox/faults").json()["faults"]
    assert [fault["matched"] for fault in state] == [3, 2]


def test_a_plan_with_an_unknown_kind_is_refused(sandbox: httpx.Client):
    """A mistake in a plan is told, not ignored."""
    answer = sandbox.put("/sandbox/faults", json={"faults": [{"kind": "surprise"}]})
    assert answer.status_code == 422


def test_a_missing_port_is_one_clear_line():
    """Without its port the sandbox says so in one line and exits with 2."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "SANDBOX_PORT" in line
