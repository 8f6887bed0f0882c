"""``engage dlq``: dead letters are listed, shown, replayed, dismissed."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from engage import dlq
from engage.frame import (
    EXIT_FAILED,
    BadInput,
    Frame,
    JsonOption,
    RateOption,
    StackFileOption,
    WaitOption,
)
from engage.lane import RATE_PER_S

ABOUT = """\
Look at dead letters, and make up for them.

A reader parks what it can never use on `<topic>.dlq`, with the reason and its place, and goes on.
Letters are kept for seven days. How far a topic's letters were dealt with is the committed offset
of the group `engage-dlq`.
"""
LIST = """\
Count dead letters by topic and reason: those that wait, and all that are kept.

Reads only. Example: `engage dlq list --topic client.events`
"""
SHOW = """\
Show one letter: its headers, its key and its value.

Reads only. Letters hold no personal data: personal columns never reach Kafka.

Example: `engage dlq show --topic cdc.public.orders --offset 12` (without an offset: the oldest
that waits)
"""
REPLAY = """\
Make up for the letters that wait: their rows are read in Postgres and sent again.

Never the old bytes: the rows, as they stand now, go to the backfill lane, and the removal of what
is gone. Episodes alone go back to their topic as they came, where the mailer knows each by its id.
The header `attempt` counts up. Replaying twice is harmless: no score changes, nothing is written
twice. Letters that nothing can be done about stay, are named, and the exit code is 1.

Example: `engage dlq replay --topic client.events`, or `engage dlq replay` for all topics
"""
DISMISS = """\
Count letters as dealt with, and do nothing else: a person has looked.

Example: `engage dlq dismiss --topic cdc.notifications --offset 3`
"""

TopicOption = Annotated[
    str, typer.Option("--topic", metavar="TOPIC", help="The topic that they were read from.")
]
AnyTopicOption = Annotated[
    str | None,
    typer.Option("--topic", metavar="TOPIC", help="The topic read from (default: all topics)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help=ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
    group.command("list", help=LIST)(list_letters)
    group.command("show", help=SHOW)(show)
    group.command("replay", help=REPLAY)(replay)
    group.command("dismiss", help=DISMISS)(dismiss)
    app.add_typer(group, name="dlq")


def list_letters(
    *,
    topic: AnyTopicOption = None,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    frame = Frame(stack_file, as_json=as_json)
    found = dlq.overview(frame.settings, topic)
    if as_json:
        frame.tell({"topics": found})
        return
    table = Table("topic", "wait", "kept", "reasons of those that wait", "the newest")
    for one in found:
        if not one["kept"] and topic is None:
            continue
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in one["reasons"].items())
        newest = one["newest"]
        text = f"{newest['offset']}: {newest['detail'][:80]}" if newest else ""
        table.add_row(one["topic"], f"{one['waiting']:,}", f"{one['kept']:,}", reasons, text)
    if table.row_count:
        frame.out.print(table)
    else:
        frame.out.print("no dead letters are kept")


def show(
    *,
    topic: TopicOption,
    offset: Annotated[int | None, typer.Option("--offset", min=0, help="Which letter.")] = None,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    frame = Frame(stack_file, as_json=as_json)
    if offset is None:
        waiting = dlq.first_waiting(frame.settings, topic)
        if waiting is None:
            raise BadInput(f"no dead letter of {dlq.source_of(topic)} waits")
        letter = waiting
    else:
        letter = dlq.one(frame.settings, topic, offset)
    told = letter.document()
    if as_json:
        frame.tell(told)
        return
    frame.out.print(f"{letter.source}.dlq at offset {letter.offset}")
    for name, value in letter.headers.items():
        frame.out.print(f"  {name}: {value}", markup=False)
    frame.out.print(f"key    {told['key']}", markup=False)
    value = told["value"]
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    frame.out.print(f"value  {text}", markup=False)


def replay(
    *,
    topic: AnyTopicOption = None,
    offset: Annotated[
        int | None, typer.Option("--offset", min=0, help="This letter alone, waiting or not.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All letters that are kept, also those dealt with.")
    ] = False,
    rate: RateOption = RATE_PER_S,
    wait: WaitOption = True,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    if offset is not None and (topic is None or everything):
        raise BadInput("--offset needs --topic, and goes without --all")
    frame = Frame(stack_file, as_json=as_json)
    topics = [topic] if topic is not None else [t["topic"] for t in dlq.overview(frame.settings)]
    done = []
    with frame.watching() as watcher:
        for one in topics:
            told = dlq.replay(
                frame.settings,
                one,
                watcher,
                offset=offset,
                everything=everything,
                rate_per_s=rate,
                wait=wait,
            )
            done.append(told)
    lines = [line for told in done for line in _lines(told)]
    frame.tell({"topics": done}, *(lines or ["no dead letters wait"]))
    if any(told["left"] for told in done):
        raise typer.Exit(EXIT_FAILED)


def dismiss(
    *,
    topic: TopicOption,
    offset: Annotated[
        int | None,
        typer.Option("--offset", min=0, help="Up to and with this letter (default: all)."),
    ] = None,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    frame = Frame(stack_file, as_json=as_json)
    done = dlq.dismiss(frame.settings, topic, offset)
    frame.tell(done, f"{done['dismissed']:,} dead letters of {done['topic']} count as dealt with")


def _lines(told: dict[str, Any]) -> list[str]:
    if not told["replayed"] and not told["left"]:
        return []
    sent = [f"{told['rows']:,} rows", f"{told['removals']:,} removals"]
    if told["episodes"]:
        sent.append(f"{told['episodes']:,} episodes")
    lines = [f"{told['topic']}: {told['replayed']:,} letters, {', '.join(sent)} sent"]
    lines += [f"  left at {one['offset']} ({one['reason']}): {one['why']}" for one in told["left"]]
    return lines
