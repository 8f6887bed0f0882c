"""``engage backfill``: rows are captured once more."""

from typing import Annotated

import typer

from engage.backfill import backfill as run
from engage.backfill import plan
from engage.frame import Frame, JsonOption, StackFileOption, YesOption

HELP = """\
Have Debezium read rows of a table again, in chunks, while live changes go on.

It counts the rows first and asks. The rows come over `cdc.public.*` and the backfill lane, which
scorers read after the live one. It follows Debezium's notifications, and then waits until relay and
scorer have taken all of it. Merging makes it harmless: no score changes that was right, no email is
written twice.

The condition is SQL over captured columns, checked by Postgres before anything is asked for. For
chosen clients `engage replay` is quicker. Never: writes to Postgres, or touches the slot.

Example: `engage backfill --table orders --where "ordered_at >= '2026-01-01'"`
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backfill", help=HELP)(backfill)


def backfill(
    *,
    table: Annotated[str, typer.Option("--table", metavar="TABLE", help="clients or orders.")],
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="SQL",
            help="Which rows (default: all): captured columns, literals, comparisons.",
        ),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Wait until relay and scorer have taken them."),
    ] = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    frame = Frame(stack_file, as_json=as_json)
    name, _, rows = plan(frame.settings, table, where)
    if rows:
        frame.confirm(f"{rows:,} rows of {name} will be read and sent again.", yes=yes)
    with frame.watching() as watcher:
        done = run(frame.settings, table, where, watcher, wait=wait)
    if not rows:
        frame.tell(done, f"no row of {name} matches: nothing was asked for")
        return
    taken = ", and the scorer has taken them" if wait else ""
    frame.tell(done, f"{done['rows']:,} rows of {name} were read again{taken}")
