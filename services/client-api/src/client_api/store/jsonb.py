"""Values of jsonb columns as Python has them."""

from typing import Any

import orjson


def loaded(value: Any) -> Any:
    """Return the value of a jsonb column: ``text()`` leaves it as it came over the wire."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value
