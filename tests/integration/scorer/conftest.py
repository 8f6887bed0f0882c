"""Fresh lanes for each test."""

import pytest

from tests.integration.scorer.lanes import Lanes


@pytest.fixture
def lanes(kafka: str) -> Lanes:
    """Fresh topics on the module's broker."""
    return Lanes(kafka)
