"""What the demo shows on a terminal: steps, progress, and the summary at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from demo.story import Outcome
from stack.parts import Step

QUIET_S = 5.0
"""Without a terminal, progress is a line at most this often."""


class Show:
    """Progress bars on a terminal; plain lines elsewhere."""

    def __init__(self) -> None:
        """Write to standard output."""
        self.console = Console(highlight=False)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step with its time."""
        self.console.print(f"[bold]{title}[/bold]")
        began = time.monotonic()
        columns = (
            TextColumn("   {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
        )
        with Progress(
            *columns, console=self.console, transient=True, disable=not self.console.is_terminal
        ) as self._progress:
            yield
        self._tasks.clear()
        self.console.print(f"   done in {time.monotonic() - began:.1f} s")

    def advance(self, what: str, done: int, total: int) -> None:
        """Show how far something has come."""
        if self._progress is None:
            return
        if not self.console.is_terminal:
            now = time.monotonic()
            if now - self._said.get(what, 0.0) >= QUIET_S:
                self._said[what] = now
                self.console.print(f"   {what}: {done} of {total}")
            return
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)

    def part(self, step: Step) -> None:
        """Show that a part of the stack is up."""
        if step.state == "ready":
            self.console.print(f"   {step.part} is up ({step.seconds:.1f} s)")

    def summary(self, outcome: Outcome, counts: dict[str, int]) -> None:
        """Show what went through the system."""
        stats = outcome.stats
        table = Table(show_header=False, box=None, padding=(0, 2))
        rows = {
            "rows in": f"{stats['clients']['total']} clients, {stats['orders']['total']} orders",
            "events": f"{counts['client.events.backfill']} from the snapshot, "
            f"{counts['client.events']} live",
            "scores": f"{counts['client.scores']} on the topic; clients: "
            + _by_state(stats["clients"]["by_state"]),
            "episodes": f"{stats['episodes']['total']}: "
            + _by_state(stats["episodes"]["by_state"]),
            "emails": f"{stats['emails']['total']} written "
            f"({'sandbox model' if stats['model_sandbox'] else 'real model'}): "
            f"{outcome.released} released by hand, {outcome.opened_by_clock} opened by the clock",
            "an order": f"raised a score from {outcome.raised[0]:.0%} to {outcome.raised[1]:.0%} "
            f"and closed episode {outcome.recovered}",
            "row to page": f"median {outcome.p50_ms:.0f} ms, p95 {outcome.p95_ms:.0f} ms, "
            f"{len(outcome.latencies_ms)} orders, from the API's answer to the page's event",
        }
        for name, value in rows.items():
            table.add_row(f"[bold]{name}[/bold]", value)
        self.console.print(table)


def _by_state(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()) if count)
