"""The OpenAPI document in the repository is the one that the code serves."""

from pathlib import Path

from client_api.web.app import describe
from client_api.web.openapi import dumps

KEPT = Path(__file__).parents[3] / "contracts" / "openapi.json"


def test_the_kept_openapi_document_is_current() -> None:
    """After a change: ``python -m client_api openapi > contracts/openapi.json``."""
    assert KEPT.read_text() == dumps(describe())
