"""The commands: each module adds its own to the command line."""

from typer import Typer

from engage import rebuild_command, what_if_command
from engage.commands import backfill, dlq, erase, reconcile, replay, status

IN_ORDER = (status, dlq, replay, backfill, rebuild_command, reconcile, erase, what_if_command)


def register(app: Typer) -> None:
    """Add all commands, in the order in which help shows them."""
    for part in IN_ORDER:
        part.register(app)
