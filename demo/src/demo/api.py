"""The system as the demo sees it: through the client API alone, like any other user."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import httpx

REQUEST_LIMIT_S = 30.0
BULK_LIMIT_S = 900.0
POLL_S = 0.25
CHUNK_BYTES = 1 << 16

Json = dict[str, Any]
T = TypeVar("T")


class StepMissing(Exception):
    """A step of the demo did not happen; the message says which, and what was seen instead."""


class Api:
    """A thin, typed door to the client API. Every method raises httpx.HTTPError on failure."""

    def __init__(self, url: str, auth: httpx.Auth) -> None:
        """Talk to the API at ``url``, as somebody whom its issuer knows."""
        self.url = url
        self.auth = auth
        # Proxies of the environment have no business on loopback.
        self._http = httpx.Client(base_url=url, auth=auth, timeout=REQUEST_LIMIT_S, trust_env=False)

    def get(self, path: str, **params: str | int) -> Json:
        """Read one document."""
        answer = self._http.get(path, params=params)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    def post(self, path: str, body: Json) -> Json:
        """Create something and return it as the API answers."""
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        made: Json = answer.json()
        return made

    def load(self, path: str, rows: Iterable[bytes], seen: Callable[[int], None]) -> int:
        """Stream NDJSON rows, telling ``seen`` how many went out; StepMissing on refused rows."""
        answer = self._http.post(
            path,
            content=_chunks(rows, seen),
            headers={"Content-Type": "application/x-ndjson"},
            timeout=BULK_LIMIT_S,
        )
        answer.raise_for_status()
        outcome = answer.json()
        if outcome["rejected"]:
            raise StepMissing(f"{outcome['rejected']} rows were refused: {outcome['errors'][:3]}")
        accepted: int = outcome["accepted"]
        return accepted

    def stats(self) -> Json:
        """Return the counts of everything."""
        return self.get("/api/stats")

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


def _chunks(rows: Iterable[bytes], seen: Callable[[int], None]) -> Iterator[bytes]:
    chunk, count = bytearray(), 0
    for row in rows:
        chunk += row
        count += 1
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            seen(count)
            chunk, count = bytearray(), 0
    if chunk:
        yield bytes(chunk)
        seen(count)


def wait_for(what: str, look: Callable[[], T | None], limit_s: float) -> T:
    """Return the first answer of ``look`` that is not None; raises StepMissing at the limit."""
    deadline = time.monotonic() + limit_s
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise StepMissing(f"{what}: not within {limit_s:.0f} s")
        time.sleep(POLL_S)


@dataclass
class Live:
    """The page's own view: its stream of events, read in a thread of its own."""

    url: str
    auth: httpx.Auth
    _scored: dict[int, list[tuple[float, Json]]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _open: threading.Event = field(default_factory=threading.Event)
    _closed: bool = False

    def __enter__(self) -> Self:
        """Start to listen; raises StepMissing when the stream does not open."""
        threading.Thread(target=self._listen, name="live", daemon=True).start()
        if not self._open.wait(REQUEST_LIMIT_S):
            raise StepMissing("the page's event stream did not open")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to listen, at the stream's next sign of life."""
        self._closed = True

    def merged(self, client_id: int, version: int, limit_s: float) -> tuple[float, Json]:
        """Return when (monotonic seconds) the page was told of a row version, and the score."""
        deadline = time.monotonic() + limit_s
        with self._changed:
            while True:
                for at, score in self._scored.get(client_id, ()):
                    if any(merged >= version for _, merged in score["merged"]):
                        return at, score
                rest = deadline - time.monotonic()
                if rest <= 0 or not self._changed.wait(rest):
                    raise StepMissing(f"a changed row did not reach the page in {limit_s:.0f} s")

    def _listen(self) -> None:
        timeout = httpx.Timeout(REQUEST_LIMIT_S, read=60.0)
        with (
            httpx.Client(auth=self.auth, timeout=timeout, trust_env=False) as http,
            http.stream("GET", f"{self.url}/api/events") as answer,
        ):
            kind = ""
            for line in answer.iter_lines():
                self._open.set()
                if self._closed:
                    return
                if line.startswith("event:"):
                    kind = line.removeprefix("event:").strip()
                elif line.startswith("data:") and kind == "score":
                    self._note(json.loads(line.removeprefix("data:")))

    def _note(self, score: Json) -> None:
        with self._changed:
            self._scored.setdefault(score["client_id"], []).append((time.monotonic(), score))
            self._changed.notify_all()
