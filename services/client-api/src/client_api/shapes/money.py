"""Money as all answers state it."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from client_api.shapes.answer import Answer

HUNDREDTH = Decimal("0.01")


class Money(Answer):
    """An amount as a decimal string, with its currency."""

    amount: Decimal
    currency: str


def money(amount: float | Decimal, currency: str) -> Money:
    """Return an amount rounded to hundredths."""
    rounded = Decimal(amount).quantize(HUNDREDTH, ROUND_HALF_EVEN)
    return Money(amount=rounded, currency=currency)


def hundredths(amount: int, currency: str) -> Money:
    """Return an amount that is given in hundredths."""
    return Money(amount=amount * HUNDREDTH, currency=currency)


def exactly(amount: float, currency: str) -> Money:
    """Return an amount with every digit that a computation gave."""
    return Money(amount=Decimal(repr(amount)), currency=currency)


def priced(fields: dict[str, Any], currency: str) -> dict[str, Any]:
    """Return the fields of a row with its value at risk as ``money`` states it, unchecked."""
    value = {"amount": f"{fields['value_at_risk']:.2f}", "currency": currency}
    return fields | {"value_at_risk": value}
