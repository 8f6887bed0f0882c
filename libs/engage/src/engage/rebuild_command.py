"""``engage rebuild``: a new generation of the scorer reads everything anew and takes over."""

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from engage.frame import EXIT_FAILED, Frame, JsonOption, StackFileOption, YesOption
from engage.rebuild import Plan, Rebuilt, plan, rebuild
from engage.rebuild_workers import Workers

HELP = """\
Build the scorer's table anew from both lanes, beside the running one, and switch over.

A new generation has a consumer group and changelogs of its own. It reads everything from the
beginning and tells nothing, while the present one works on. When it has passed the ends found at
the start, it is announced on `scorer.control`: it tells every score anew, and the old generation
ends. Then both tables are compared, client by client. No email is written twice: an episode's id
comes from the client's last order-day alone.

The workers that this command starts go on until Ctrl-C, or end with `--stop-when-done`. To make it
last, set GENERATION to the new number for the scorer (`GENERATION=2 make up` for the local stack).
Broken off, it goes on where it stood. Needs room for a second table.

Example: `engage rebuild --data-dir /var/lib/scorer-next --workers 2`
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild", help=HELP)(command)


def command(
    *,
    data_dir: Annotated[
        Path,
        typer.Option("--data-dir", metavar="DIR", help="Where the new workers keep data and logs."),
    ] = Path("scorer-rebuild"),
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="How many workers to start here.")
    ] = 1,
    no_workers: Annotated[
        bool,
        typer.Option("--no-workers", help="Start none: the platform runs the new generation."),
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, metavar="S", help="Give up after so many seconds.")
    ] = 3600.0,
    stop_when_done: Annotated[
        bool, typer.Option("--stop-when-done", help="Stop the new workers when all is told.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    frame = Frame(stack_file, as_json=as_json)
    settings = frame.settings
    chosen = plan(settings.kafka, settings.topic_partitions)
    if dry_run:
        frame.tell(chosen.model_dump(mode="json"), *_planned(chosen), "Nothing was done.")
        return
    frame.confirm(
        f"Generation {chosen.next} will read {chosen.offsets - chosen.passed:,} offsets and take "
        f"over from {chosen.present}.",
        yes=yes,
    )
    count = 0 if no_workers else workers
    folder = data_dir / f"generation-{chosen.next}"
    with Workers(settings, chosen.next, count, folder) as running:
        with frame.watching() as watcher:
            for log in running.logs:
                watcher.say(f"a worker of generation {chosen.next} logs to {log}")
            done = rebuild(settings.kafka, chosen, watcher, running.check, limit_s=timeout)
        held = count > 0 and not stop_when_done
        if held:
            after = "The new workers go on until Ctrl-C."
        elif no_workers:
            after = f"The platform's workers of generation {done.generation} score from here on."
        else:
            after = f"Until workers of generation {done.generation} run there, nobody scores."
        frame.tell(done.model_dump(mode="json"), *_done(done), after)
        if held:
            sys.stdout.flush()  # a reader of our pipe waits for the outcome, not for the end
            _hold(running)
    if done.differing:
        raise typer.Exit(EXIT_FAILED)


def _hold(running: Workers) -> None:
    """Keep the workers until Ctrl-C; raises Failed when one ends by itself."""
    asleep = threading.Event()
    try:
        while not asleep.wait(1.0):
            running.check()
    except KeyboardInterrupt:
        return


def _planned(chosen: Plan) -> tuple[str, ...]:
    untold = (
        f"It has not told {chosen.untold:,} clients' scores yet: do its workers run?"
        if chosen.untold
        else "It has told all scores."
    )
    return (
        f"Generation {chosen.present} speaks; the next one is {chosen.next}, group {chosen.group}.",
        untold,
        f"The next one has {chosen.offsets:,} offsets to pass and has passed {chosen.passed:,}.",
        f"Then it tells the scores of {chosen.clients:,} clients.",
    )


def _done(done: Rebuilt) -> tuple[str, ...]:
    verdict = "all as the old generation had them"
    if done.differing:
        named = ", ".join(map(str, done.differing_clients))
        verdict = f"{done.differing:,} unlike the old generation's: {named}"
    return (
        f"Generation {done.generation} has taken over: {done.clients:,} clients, {verdict}.",
        f"Reading took {done.read_s:.1f} s, the takeover {done.takeover_s:.1f} s.",
        f"To make it last: {done.to_make_it_last}.",
    )
