"""Health over HTTP: what is alive, what is ready, and pages beside them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection

import pytest
from structlog.testing import capture_logs

from common.health import Check, Heartbeat, Page, serve, serve_pages


@contextmanager
def serving(
    live: dict[str, Check], ready: dict[str, Check], pages: dict[str, Page] | None = None
) -> Iterator[HTTPConnection]:
    """Serve on a free port and talk to it."""
    server = serve(0, live, ready, pages)
    connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    try:
        yield connection
    finally:
        connection.close()
        server.shutdown()
        server.server_close()


def ask(connection: HTTPConnection, path: str) -> tuple[int, str, bytes]:
    """Return status, media type and body."""
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type") or "", answer.read()


def test_what_is_wrong_stands_by_name():
    """Readiness covers liveness; a failing check is 503 and says what is wrong."""
    with serving({"loop": lambda: None}, {"postgres": lambda: "away"}) as server:
        status, _, body = ask(server, "/livez")
        assert (status, json.loads(body)) == (200, {"status": "ok", "checks": ["loop"]})
        status, media_type, body = ask(server, "/readyz")
        assert (status, media_type) == (503, "application/json")
        assert json.loads(body) == {
            "status": "failing",
            "checks": ["loop", "postgres"],
            "postgres": "away",
        }


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("?exclude=model", 503, {"checks": ["loop", "mail"], "excluded": ["model"], "mail": "off"}),
        (
            "?exclude=model&exclude=mail",
            200,
            {"checks": ["loop"], "excluded": ["model", "mail"]},
        ),
        (
            "?exclude=modle&exclude=mail",
            503,
            {
                "checks": ["loop", "model"],
                "excluded": ["mail"],
                "unknown": ["modle"],
                "model": "away",
            },
        ),
        ("?verbose", 503, {"checks": ["loop", "model", "mail"], "model": "away", "mail": "off"}),
    ],
)
def test_who_excludes_a_check_is_not_told_of_it(query, status, told):
    """A probe leaves out what is not its matter; a name that no check has is told and hides
    nothing.
    """
    ready: dict[str, Check] = {"model": lambda: "away", "mail": lambda: "off"}
    with serving({"loop": lambda: None}, ready) as server:
        found, _, body = ask(server, f"/readyz{query}")
        assert found == status
        assert json.loads(body) == {"status": "ok" if status == 200 else "failing", **told}


def test_an_excluded_check_is_not_made():
    """What is left out costs nothing and can break nothing."""

    def breaks() -> str | None:
        raise AssertionError

    with serving({}, {"model": breaks}) as server:
        assert ask(server, "/readyz?exclude=model")[0] == HTTPStatus.OK


def test_pages_are_served_as_they_are():
    """A page keeps its media type and body, made anew for each request; the rest is not found."""
    told = iter([b"one 1\n", b"one 2\n"])
    with serving({}, {}, {"/metrics": lambda: ("text/plain; version=1", next(told))}) as server:
        assert ask(server, "/metrics") == (200, "text/plain; version=1", b"one 1\n")
        assert ask(server, "/metrics")[2] == b"one 2\n"
        assert ask(server, "/other")[0] == HTTPStatus.NOT_FOUND
        assert ask(server, "/livez")[0] == HTTPStatus.OK


def test_what_breaks_while_it_is_asked_is_an_error_and_logged():
    """The type alone: a foreign error's text may quote a row. The next one is answered again."""
    told = iter([b"one 1\n"])

    def page() -> tuple[str, bytes]:
        return "text/plain", next(told)

    def check() -> str | None:
        raise KeyError("somebody's name")

    with (
        capture_logs() as logs,
        serving({"loop": lambda: None}, {"kafka": check}, {"/metrics": page}) as server,
    ):
        assert ask(server, "/metrics")[0] == HTTPStatus.OK
        assert ask(server, "/metrics") == (500, "text/plain", b"StopIteration")
        assert ask(server, "/readyz") == (500, "text/plain", b"KeyError")
        assert ask(server, "/livez")[0] == HTTPStatus.OK
    assert [(one["event"], one["path"], one["error"]) for one in logs] == [
        ("health_broke", "/metrics", "StopIteration"),
        ("health_broke", "/readyz", "KeyError"),
    ]


def test_a_service_that_answers_probes_elsewhere_serves_its_pages_alone():
    """Nobody takes a port that knows nothing of the service for its health."""
    server = serve_pages(0, {"/metrics": lambda: ("text/plain", b"one 1\n")})
    connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    try:
        assert ask(connection, "/metrics") == (200, "text/plain", b"one 1\n")
        assert ask(connection, "/livez")[0] == HTTPStatus.NOT_FOUND
        assert ask(connection, "/readyz")[0] == HTTPStatus.NOT_FOUND
    finally:
        connection.close()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("limit_s", "alive"), [(60.0, True), (-1.0, False)])
def test_a_loop_is_alive_until_its_beat_is_too_old(limit_s, alive):
    """A heartbeat starts alive, and is missed after its limit."""
    heart = Heartbeat(limit_s)
    heart.beat()
    assert (heart.check() is None) is alive
