"""Every route says what its caller needs; what is open is named here, one by one."""

from typing import Any

from client_api.auth import Scope
from client_api.web.app import describe
from client_api.web.openapi import document

OPEN = {("get", "/api/auth"), ("get", "/livez"), ("get", "/readyz")}
ANY_TOKEN = {("get", "/api/me")}
READS = {"get", "head"}
TRIALS = {("post", "/api/what-ifs")}
"""Writes that change nothing but the list of runs."""


def operations() -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """Return every operation of the API by method and path."""
    found = document(describe())
    return [
        ((method, path), operation)
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    ]


def scopes_of(operation: dict[str, Any]) -> set[str]:
    """Return the scopes that an operation asks for, whichever of its dependencies does."""
    return {scope for one in operation.get("security", []) for scope in one.get("oidc", [])}


def test_every_route_but_the_open_ones_asks_for_a_scope() -> None:
    """A route that forgets to say one fails here, and so does one of a scope that nobody has."""
    seen = set()
    for key, operation in operations():
        seen.add(key)
        if key in OPEN:
            assert "security" not in operation, key
        elif key in ANY_TOKEN:
            assert operation["security"] == [{"oidc": []}], key
        else:
            assert scopes_of(operation), f"{key} asks for no scope"
            assert scopes_of(operation) <= set(Scope), key
    assert seen >= OPEN | ANY_TOKEN


def test_one_of_two_scopes_is_enough_for_live_events() -> None:
    """What a stream tells then follows from which of them the token has."""
    (found,) = [operation for key, operation in operations() if key == ("get", "/api/events")]
    assert found["security"] == [{"oidc": ["clients:read"]}, {"oidc": ["emails:read"]}]


def test_no_write_asks_for_less_than_a_scope_to_write() -> None:
    """To read is never enough to change something."""
    may_write = {Scope.CLIENTS_WRITE, Scope.EMAILS_APPROVE, Scope.POLICY_WRITE, Scope.OPS_REPLAY}
    for key, operation in operations():
        if key[0] not in READS and key not in TRIALS | PREVIEWS:
            assert scopes_of(operation) & may_write, key


PREVIEWS = {key for key, operation in operations() if "preview" in key[1]}
"""They answer at once and leave nothing."""


def test_the_document_describes_the_scheme() -> None:
    """Whoever reads it learns that tokens are JWT of the issuer that /api/auth names."""
    scheme = document(describe())["components"]["securitySchemes"]["oidc"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert "/api/auth" in scheme["description"]
