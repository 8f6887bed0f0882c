"""``engage replay``: chosen clients are sent and scored once more."""

from pathlib import Path
from typing import Annotated

import typer

from engage.frame import (
    BadInput,
    Frame,
    JsonOption,
    RateOption,
    StackFileOption,
    WaitOption,
    YesOption,
)
from engage.lane import RATE_PER_S
from engage.replay import replay as run

ID_MAX = 2**63 - 1
ID_DIGITS = len(str(ID_MAX))
HELP = """\
Send chosen clients' rows once more, as they stand in Postgres now.

Each client's row and orders go to the backfill lane as events, at a bounded rate; then it waits
until the scorer has taken them. Merging makes it harmless: scores stay as they are unless one was
wrong, and no episode opens and no email is written twice.

Never: writes to Postgres or to the live lane. Unknown clients are refused before anything is sent.

Example: `engage replay --clients 17,42`, or `engage replay --file clients.txt --no-wait`
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay", help=HELP)(replay)


def replay(
    *,
    clients: Annotated[
        str | None, typer.Option("--clients", metavar="IDS", help="Client ids, as 17,42,99.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="A file with one id a line.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All clients.")] = False,
    rate: RateOption = RATE_PER_S,
    wait: WaitOption = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    chosen = _chosen(clients, file, everyone=everyone)
    frame = Frame(stack_file, as_json=as_json)
    if chosen is None:
        frame.confirm("The rows of all clients will be sent again.", yes=yes)
    with frame.watching() as watcher:
        done = run(frame.settings, chosen, watcher, rate_per_s=rate, wait=wait)
    frame.tell(
        done,
        f"{done['clients']:,} clients with {done['orders']:,} orders were sent again"
        + (", and the scorer has taken them" if wait else ""),
    )


def _chosen(clients: str | None, file: Path | None, *, everyone: bool) -> list[int] | None:
    """Return the chosen ids, None for all; raises BadInput."""
    if (clients is not None) + (file is not None) + everyone != 1:
        raise BadInput("say one of --clients, --file, --all")
    if everyone:
        return None
    if file is None:
        return [_id(word, "--clients") for word in (clients or "").split(",") if word.strip()]
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file} is no text") from None
    return [_id(line, f"{file} line {n}") for n, line in enumerate(lines, 1) if line.strip()]


def _id(word: str, where: str) -> int:
    text = word.strip()
    digits = text.isascii() and text.isdigit() and len(text) <= ID_DIGITS
    if not (digits and 1 <= int(text) <= ID_MAX):
        raise BadInput(f"{where}: {text[:40]!r} is no client id")
    return int(text)
