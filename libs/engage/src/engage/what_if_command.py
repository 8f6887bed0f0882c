"""``engage what-if``: the whole history under another policy; changes nothing."""

from datetime import date
from math import isfinite
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from common.clock import BusinessClock, number_of
from engage.frame import BadInput, Frame, JsonOption, StackFileOption
from engage.what_if_policy import candidate_of
from engage.what_if_run import what_if
from engage.what_if_show import shown

ALL = "all"
DIGITS_MAX = 18
"""So long a number is surely a 64-bit one."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("what-if")(command)


def command(
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A policy as JSON, whole or in part, or a file that "
            "`score-fit` wrote. What it leaves out stays as it is.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A single value on top, such as "
            "theta=0.4 or weights.recency=0.6. May be repeated.",
        ),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="As of this day (default: business today)."),
    ] = None,
    clients: Annotated[
        str, typer.Option(metavar="N|all", help="Name so many of the clients who change state.")
    ] = "0",
    cost_per_email: Annotated[
        float | None,
        typer.Option(min=0, help="What one email costs you, in your currency; none is assumed."),
    ] = None,
    *,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Show who would be at risk under another policy. Changes nothing.

    Reads both lanes from their beginning to their present end, by a reader that joins no group and
    commits nothing, and assesses every client under the policy in force and under yours. Tells who
    enters and leaves, the expected precision, a back-test on your own past, emails and their cost.
    With the policy in force the difference is empty.
    """
    frame = Frame(stack_file, as_json=as_json)
    as_of, listed = _day(day), _count(clients)
    if cost_per_email is not None and not isfinite(cost_per_email):
        raise BadInput(f"--cost-per-email takes an amount, not {cost_per_email}")
    with frame.watching() as watcher:
        result = what_if(
            frame.settings.kafka,
            frame.settings.topic_partitions,
            ZoneInfo(frame.settings.shop_time_zone),
            BusinessClock(frame.settings.clock_file),
            watcher,
            propose=lambda present: candidate_of(present, policy, settings or ()),
            day=as_of,
            list_clients=listed,
            cost_per_email=cost_per_email,
        )
    if as_json:
        frame.tell(result.model_dump(mode="json"))
    else:
        frame.out.print(shown(result))


def _day(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return number_of(date.fromisoformat(text))
    except ValueError:
        raise BadInput(f"--day takes a date as 2026-01-31, not {text!r}") from None


def _count(text: str) -> int | None:
    if text == ALL:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise BadInput(f"--clients takes a number or {ALL}, not {text[:40]!r}")
    return int(text)
