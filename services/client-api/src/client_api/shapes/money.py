"""Money as all answers state it."""

from decimal import ROUND_HALF_EVEN, Decimal

from client_api.shapes.responses import Answer

HUNDREDTH = Decimal("0.01")


class Money(Answer):
    """An amount as a decimal string, with its currency."""

    amount: Decimal
    currency: str


def money(amount: float | Decimal, currency: str) -> Money:
    """Return an amount rounded to hundredths."""
    rounded = Decimal(amount).quantize(HUNDREDTH, ROUND_HALF_EVEN)
    return Money(amount=rounded, currency=currency)
