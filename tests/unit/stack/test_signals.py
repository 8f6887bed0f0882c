"""Polite signals end a run as Ctrl-C does."""

import signal
from collections.abc import Iterator

import pytest

from stack import signals

POLITE = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def handled() -> Iterator[None]:
    """Polite signals handled as the stack does it, and as before afterwards."""
    before = {number: signal.getsignal(number) for number in POLITE}
    signals.as_interrupts()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize("number", POLITE)
def test_a_polite_signal_is_an_interrupt(number: signal.Signals):
    """TERM and HUP raise what Ctrl-C raises, and say who they were."""
    with pytest.raises(KeyboardInterrupt, match=number.name):
        signal.raise_signal(number)
