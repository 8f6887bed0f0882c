"""How much one bulk load may be."""

from dataclasses import dataclass

BULK_BYTES_MAX = 4 * 1024**3
BULK_LINES_MAX = 10_000_000
BULK_REFUSALS_BYTES_MAX = 64 * 1024**2


@dataclass(frozen=True)
class BulkBounds:
    """A load beyond a bound ends there, and says how far it came."""

    bytes_max: int = BULK_BYTES_MAX
    """Of the body."""
    lines_max: int = BULK_LINES_MAX
    """Of the body, blank ones included."""
    refusals_bytes_max: int = BULK_REFUSALS_BYTES_MAX
    """Of the refusals that are named line by line; they wait in the temporary folder."""
