"""The frame of every command: its settings, its outcome as text or JSON, its errors as one line.

Exit codes: 0 done; 1 failed or incomplete; 2 bad input, or something is unreachable or set up
wrongly, and nothing was changed; 130 interrupted.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from engage.progress import Shown, Silent, Watcher
from engage.settings import Settings

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the outcome as JSON on stdout, and nothing else.")
]
StackFileOption = Annotated[
    Path | None,
    typer.Option(
        "--stack-file",
        metavar="FILE",
        help="State file of a stack on this machine (default: the environment, else "
        ".run/state.json of this checkout).",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")]
RateOption = Annotated[int, typer.Option("--rate", min=1, help="At most so many records a second.")]
WaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait until the scorer has taken them.")
]


class BadInput(Exception):
    """What was asked makes no sense: one line says why, and nothing was changed (exit code 2)."""


class NotThere(BadInput):
    """What was asked for by its name is not there."""


class Failed(Exception):
    """It was tried and did not succeed, or not wholly: one line says how far (exit code 1)."""


class Frame:
    """What a command is given: settings, a watcher of its progress, and how to tell its outcome."""

    def __init__(self, stack_file: Path | None, *, as_json: bool) -> None:
        """Find the settings; raises Misconfigured."""
        self.settings = Settings.find(stack_file)
        self.as_json = as_json
        self.out = Console(highlight=False, soft_wrap=True)

    @contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Show progress on stderr while the body runs; nothing with ``--json``."""
        if self.as_json:
            yield Silent()
        else:
            with Shown() as shown:
                yield shown

    def tell(self, outcome: dict[str, Any], *lines: str) -> None:
        """Print the outcome: the document with ``--json``, else the lines."""
        if self.as_json:
            print(dumps(outcome))  # noqa: T201 - it is the command's answer
        else:
            for line in lines:
                self.out.print(line, markup=False)

    def confirm(self, effect: str, *, yes: bool) -> None:
        """Tell the effect, and ask unless ``yes``; without a terminal there is nobody to ask.

        Raises BadInput where nobody can answer, typer.Abort when the answer is no.
        """
        if yes:
            if not self.as_json:
                sys.stderr.write(f"{effect}\n")
            return
        if not sys.stdin.isatty():
            raise BadInput(f"{effect} Nobody can be asked here: say --yes")
        typer.confirm(f"{effect} Go on?", abort=True, err=True)


def dumps(document: object) -> str:
    """Return a document as one line of JSON; times as RFC 3339, money as text."""
    return json.dumps(document, default=_plain, ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
