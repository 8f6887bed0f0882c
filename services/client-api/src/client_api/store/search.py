"""Pure: where the texts that begin with a prefix end, in the order of their UTF-8 bytes."""

HIGHEST = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)
"""Code points that no text holds."""


def upper_bound(prefix: str) -> str | None:
    """Return the first text above all that begin with ``prefix``; None when there is none.

    UTF-8 keeps the order of code points, so it is the prefix with its last one raised.
    """
    kept = prefix.rstrip(chr(HIGHEST))
    if not kept:
        return None
    last = ord(kept[-1]) + 1
    if last in SURROGATES:
        last = SURROGATES.stop
    return kept[:-1] + chr(last)
