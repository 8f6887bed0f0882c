"""Of how many addresses requests are counted, and what becomes of the others."""

import pytest

from client_api.auth import rates
from client_api.auth.rates import Rates
from client_api.auth.trouble import TooMany

LIMIT = 5


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Rates:
    """Counts three addresses at a time."""
    monkeypatch.setattr(rates, "ADDRESSES_MAX", 3)
    return Rates(LIMIT, LIMIT)


async def until_refused(counted: Rates, address: str) -> None:
    """Fail from an address until it is told to wait; a minute that ends meanwhile lets more by."""
    try:
        for _ in range(LIMIT * 3):
            await counted.failed(address)
    except TooMany:
        return
    pytest.fail("it may fail for ever")


async def test_an_address_that_never_failed_is_not_refused_for_others(counted: Rates) -> None:
    """However many others fail, or ask where to sign in."""
    for number in range(50):
        await counted.failed(f"192.0.2.{number}")
        await counted.signing_in(f"192.0.2.{number}")
    await counted.failed("198.51.100.1")
    await counted.signing_in("198.51.100.1")


async def test_the_address_that_was_counted_first_is_forgotten_first(counted: Rates) -> None:
    """So memory is bounded; the one counted last is still told to wait."""
    await until_refused(counted, "192.0.2.1")
    for number in range(2, 5):
        await counted.failed(f"192.0.2.{number}")
    await counted.failed("192.0.2.1")
    await until_refused(counted, "192.0.2.9")


async def test_failures_do_not_count_among_questions_of_where_to_sign_in(counted: Rates) -> None:
    """Each has as much of its own."""
    await until_refused(counted, "192.0.2.1")
    await counted.signing_in("192.0.2.1")
