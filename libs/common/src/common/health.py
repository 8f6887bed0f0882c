"""Health over HTTP for services that are no web servers: /livez and /readyz.

``?exclude=NAME``, as often as needed, leaves checks out, as kube-apiserver has it: a probe asks for
what decides where requests go, people and tests for everything.
"""

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog

Check = Callable[[], str | None]
"""Returns None when all is well, otherwise what is wrong, in a few words."""
Page = Callable[[], tuple[str, bytes]]
"""Returns the media type and the body of what stands beside the checks, such as metrics."""
Answer = tuple[int, str, bytes]
"""Status, media type and body."""

log = structlog.get_logger("common.health")


class Heartbeat:
    """A loop's sign of life: alive while its last beat is younger than ``limit_s`` seconds."""

    def __init__(self, limit_s: float) -> None:
        """Start alive, so that a slow start is not taken for a hang."""
        self._limit_s = limit_s
        self._last = time.monotonic()

    def beat(self) -> None:
        """Say that the loop has turned once more."""
        self._last = time.monotonic()

    def check(self) -> str | None:
        """Tell whether the loop still turns."""
        age = time.monotonic() - self._last
        return None if age <= self._limit_s else f"no turn of the loop for {age:.0f} s"


def verdict(found: Mapping[str, str | None], exclude: Collection[str] = ()) -> dict[str, Any]:
    """Return what is told of checks: ``status`` is ``ok`` when none fails that is not excluded.

    Each that fails stands by its name with what is wrong. A name that no check has is told as
    ``unknown`` and fails nothing: during a rollout probes may be ahead of their service.
    """
    looked_at = {name: problem for name, problem in found.items() if name not in exclude}
    problems = {name: problem for name, problem in looked_at.items() if problem}
    aside = {
        "excluded": [name for name in found if name in exclude],
        "unknown": sorted(set(exclude) - set(found)),
    }
    return {
        "status": "failing" if problems else "ok",
        "checks": list(looked_at),
        **{kind: names for kind, names in aside.items() if names},
        **problems,
    }


def serve(
    port: int,
    live: Mapping[str, Check],
    ready: Mapping[str, Check],
    pages: Mapping[str, Page] | None = None,
) -> ThreadingHTTPServer:
    """Serve the checks on ``port`` (0: any free one) from a daemon thread; return the server.

    ``pages`` are served beside them, each under its path.
    """
    return _serve(port, {"/livez": live, "/readyz": {**live, **ready}}, pages or {})


def serve_pages(port: int, pages: Mapping[str, Page]) -> ThreadingHTTPServer:
    """Serve pages alone, for a service that answers probes itself."""
    return _serve(port, {}, pages)


def _serve(
    port: int, checks: Mapping[str, Mapping[str, Check]], pages: Mapping[str, Page]
) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            page = pages.get(asked.path)
            found = checks.get(asked.path)
            if page is not None:
                answer = self._asked(lambda: (HTTPStatus.OK, *page()))
            elif found is not None:
                exclude = parse_qs(asked.query).get("exclude", [])
                answer = self._asked(lambda: _judged(found, exclude))
            else:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self._answer(*answer)

        def _asked(self, ask: Callable[[], Answer]) -> Answer:
            """Return the answer, also to whoever asks what we cannot tell because of a bug."""
            try:
                return ask()
            except Exception as bug:
                what = type(bug).__name__
                log.exception("health_broke", path=self.path, error=what)
                return HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", what.encode()

        def _answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: probes come every few seconds."""

    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)  # noqa: S104 - probes come from outside
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def _judged(checks: Mapping[str, Check], exclude: Collection[str]) -> Answer:
    found = {name: None if name in exclude else check() for name, check in checks.items()}
    told = verdict(found, exclude)
    status = HTTPStatus.OK if told["status"] == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", json.dumps(told).encode()
