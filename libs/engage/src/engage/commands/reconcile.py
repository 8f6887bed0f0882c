"""``engage reconcile``: the lanes are brought in line with Postgres."""

from typing import Annotated, Any

import typer

from engage.drift import Drift
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
from engage.reconcile import after_restore, highest_version, mend, survey

MOST = 0.5
HELP = """\
Compare both lanes with Postgres as a whole, and remove from them what Postgres no longer has.

For after a lost slot: rows that were deleted while nobody watched. Each removal takes a fresh
version and goes to the backfill lane; just before, Postgres is asked once more, and what comes back
meanwhile wins. What the lanes lack is counted, and sent with `--fix`. It reads the lanes by a
private reader, at stream speed, and asks before it writes.

`--after-restore`, when Postgres was restored from a backup: first raises the sequence of versions
above all that the lanes hold, then gives every row a new version, which captures each anew. That is
the only thing that writes to Postgres, and nothing but versions. Reconcile again when it has gone
through.

Example: `engage reconcile --dry-run`, then `engage reconcile --fix`
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile", help=HELP)(reconcile)


def reconcile(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell the difference.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Also send what the lanes lack.")] = False,
    even_most: Annotated[
        bool,
        typer.Option("--even-most", help="Go on even if more than half of the lanes is gone."),
    ] = False,
    restored: Annotated[
        bool, typer.Option("--after-restore", help="Postgres was restored from a backup.")
    ] = False,
    rate: RateOption = RATE_PER_S,
    wait: WaitOption = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    frame = Frame(stack_file, as_json=as_json)
    if restored:
        if dry_run or fix:
            raise BadInput("--after-restore goes alone; reconcile again when it has gone through")
        _after_restore(frame, yes=yes)
        return
    with frame.watching() as watcher:
        drift = survey(frame.settings, watcher)
    told = document(drift)
    work = drift.gone + (drift.missing if fix else 0)
    if dry_run or not work:
        frame.tell({**told, "dry_run": dry_run}, *_lines(drift, fix=fix))
        return
    if drift.gone > MOST * (drift.clients + drift.orders) and not even_most:
        raise BadInput(
            f"{drift.gone:,} of {drift.clients + drift.orders:,} rows in the lanes are not in this "
            "Postgres: if it is the right one, say --even-most; nothing was sent"
        )
    frame.confirm(" ".join(_lines(drift, fix=fix)), yes=yes)
    with frame.watching() as watcher:
        done = mend(frame.settings, drift, watcher, fix=fix, rate_per_s=rate, wait=wait)
    frame.tell(
        {**told, "dry_run": False, **done},
        f"removed {done['removed_orders']:,} orders and {done['removed_clients']:,} clients, sent "
        f"{done['sent']:,} rows" + (", and the scorer has taken them" if wait else ""),
    )


def _after_restore(frame: Frame, *, yes: bool) -> None:
    frame.confirm("Every client and order will get a new version.", yes=yes)
    with frame.watching() as watcher:
        highest = highest_version(frame.settings, watcher)
        done = after_restore(frame.settings, highest, watcher)
    frame.tell(
        done,
        f"versions go on above {done['sequence']:,}; {done['touched']:,} rows were touched. When "
        "`engage status` shows no lag: engage reconcile",
    )


def document(drift: Drift) -> dict[str, Any]:
    """Return the difference as plain data."""
    return {
        "lanes": {"clients": drift.clients, "orders": drift.orders, "highest": drift.highest},
        "gone": {"clients": len(drift.gone_clients), "orders": len(drift.gone_orders)},
        "missing": {"clients": len(drift.missing_clients), "orders": len(drift.missing_orders)},
    }


def _lines(drift: Drift, *, fix: bool) -> list[str]:
    lines = [f"The lanes hold {drift.clients:,} clients and {drift.orders:,} orders."]
    if drift.gone:
        lines.append(
            f"{len(drift.gone_orders):,} orders and {len(drift.gone_clients):,} clients are not in "
            "Postgres and are to be removed."
        )
    if drift.missing:
        lines.append(
            f"{len(drift.missing_orders):,} orders and {len(drift.missing_clients):,} clients of "
            f"Postgres are missing or older there{'' if fix else '; --fix sends them'}."
        )
    if not drift.gone and not drift.missing:
        lines.append("They say what Postgres says.")
    return lines
