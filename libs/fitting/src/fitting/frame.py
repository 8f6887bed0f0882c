"""The frame of both commands: exit codes, one line per error, arguments read as values.

Exit codes: 0 done; 1 refused or failed on the way; 2 bad input, and nothing was changed.
"""

import sys
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from common.clock import number_of
from common.errors import Misconfigured, Transient

EXIT_REFUSED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class Refused(Exception):
    """The result is not good enough to be used: one line a reason."""


def run(app: typer.Typer) -> None:
    """Run a command line; an error is one clear line on stderr, then the exit code."""
    try:
        app()
    except Misconfigured as error:
        _end(error, EXIT_BAD_INPUT)
    except (Refused, Transient) as error:
        _end(error, EXIT_REFUSED)
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None


def day_of_text(text: str, option: str) -> int:
    """Read an ISO date as days since 1970-01-01; raises Misconfigured."""
    try:
        return number_of(date.fromisoformat(text))
    except ValueError:
        raise Misconfigured(f"{option}: {text!r} is no date; write it as 1998-03-31") from None


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name; raises Misconfigured."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Misconfigured(f"--time-zone: {name!r} is no time zone") from None


def _end(error: Exception, code: int) -> None:
    sys.stderr.write(f"{error}\n")
    raise SystemExit(code) from None
