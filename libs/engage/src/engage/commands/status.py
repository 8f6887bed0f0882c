"""``engage status``: the whole system in one table."""

import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engage.frame import EXIT_FAILED, Frame, JsonOption, StackFileOption
from engage.status import gather

WATCH_S = 2.0
HELP = """\
Show how far each hop is behind, and what waits for a person.

Lag in records and in seconds (the age of the oldest record not yet consumed), the replication slot
in bytes, dead letters, episodes by state, the mailer, the scorer's generations, the connector and
the policy in force. For the first hop the seconds are the age of the last heartbeat row that came
through: 0 to 10 when all is well.

Reads only. What does not answer is shown as such, and the exit code is 1: nothing is ever shown as
zero because it could not be asked.

Example: `engage status --watch`, or `engage status --json | jq .problems`
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status", help=HELP)(status)


def status(
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again every two seconds, until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    frame = Frame(stack_file, as_json=as_json)
    while True:
        document = gather(frame.settings)
        if as_json:
            frame.tell(document)
            sys.stdout.flush()
        else:
            if watch and frame.out.is_terminal:
                frame.out.clear()
            show(frame.out, document)
        if not watch:
            raise typer.Exit(EXIT_FAILED if document["problems"] else 0)
        time.sleep(WATCH_S)


def show(out: Console, document: dict[str, Any]) -> None:
    """Print the document as tables and lines."""
    out.print(_hops(document["hops"]))
    out.print(_parts(document))
    for problem in document["problems"]:
        out.print(f"! {problem}", style="bold red", markup=False)


def _hops(hops: list[dict[str, Any]]) -> Table:
    table = Table(
        "hop", "reader", "records", "seconds", "state", title="behind", title_justify="left"
    )
    for hop in hops:
        if "wal_status" in hop:
            safe = hop["safe_wal_size"]
            state = (
                f"slot {hop['wal_status']}, {_bytes(hop['behind_bytes'])} behind, keeps "
                f"{_bytes(hop['kept_bytes'])}" + (f", {_bytes(safe)} safe" if safe else "")
            )
        elif "members" in hop:
            state = f"{hop['members']} members" if hop["members"] else "nobody reads"
        else:
            state = "unknown"
        records = hop["records"]
        count = "-" if records is None else f"{'' if hop['exact'] else '≤ '}{records:,}"
        seconds = "-" if hop["seconds"] is None else f"{hop['seconds']:,.1f}"
        table.add_row(hop["hop"], hop.get("group", "connector"), count, seconds, state)
    return table


def _parts(document: dict[str, Any]) -> Table:
    table = Table("what", "how it stands", title="parts", title_justify="left")
    dead = document["dead_letters"]
    waiting = [one for one in dead or [] if one["waiting"]]
    for one in waiting:
        newest = one["newest"]
        text = f"{one['waiting']:,} wait; the newest: {newest['reason']} ({newest['detail'][:80]})"
        table.add_row(f"dead letters of {one['topic']}", text)
    if not waiting:
        table.add_row("dead letters", "unknown" if dead is None else "none wait")
    episodes = document["episodes"]
    table.add_row("episodes", "unknown" if episodes is None else _counts(episodes))
    generations = document["scorer"]["generations"]
    told = ", ".join(
        f"{one['generation']} ({one['state']}, {one['members']} members)"
        for one in generations or []
    )
    table.add_row("scorer generations", "unknown" if generations is None else told or "none")
    connector = document["connector"]
    table.add_row(
        "connector", f"{connector['state']}, task {connector['task']}" if connector else "unknown"
    )
    mailer = document["mailer"]
    paused = "unknown" if mailer is None else "paused" if mailer["paused"] else "asks its model"
    table.add_row("mailer", paused)
    policy = document["policy"]
    table.add_row("policy", f"version {policy['version']}" if policy else "unknown")
    return table


def _counts(episodes: dict[str, Any]) -> str:
    states = ", ".join(f"{n:,} {state}" for state, n in episodes["by_state"].items() if n)
    return f"{episodes['total']:,}" + (f": {states}" if states else "")


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":  # noqa: PLR2004 - the step between units
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1000
    raise AssertionError(size)
