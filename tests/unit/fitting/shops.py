"""Histories for tests: CDNOW as it is installed, made-up shops, and the command line."""

import contextlib
import functools
import io
import json
import sys
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from demo.cdnow import source
from fitting import eval_command, fit_command
from fitting.history import History, history_of_numbers
from fitting.orders_file import Asked, load

ENDS = (
    "1997-06-30 1997-07-31 1997-08-31 1997-09-30 1997-10-31 1997-11-30 1997-12-31"
    " 1998-01-31 1998-02-28 1998-03-31"
).split()


def cdnow_csv(folder: Path) -> Path:
    """Write the installed histories as a file of client, date and value."""
    lines = ["client,date,value"]
    for line in source("all").read_text(encoding="ascii").splitlines():
        fields = line.split()
        if fields and fields[0].isdigit():
            lines.append(f"{fields[0]},{fields[-3]},{fields[-1]}")
    target = folder / "cdnow.csv"
    target.write_text("\n".join(lines) + "\n")
    return target


@functools.cache
def made_up(
    clients: int = 1_500, days: int = 400, seed: int = 7
) -> tuple[tuple[int, int, int], ...]:
    """Return (client, day, cents) of clients who stay the longer the more they spend."""
    chance = np.random.default_rng(seed)
    rows: list[tuple[int, int, int]] = []
    for client in range(1, clients + 1):
        gap, day = chance.gamma(2.0, 30.0) + 2, float(chance.integers(0, 120))
        loyal = chance.uniform()
        while day < days and chance.random() > 0.25 * (1 - loyal) ** 2:
            cents = int(chance.integers(100, 2_000) * (1 + 2 * loyal))
            rows.append((client, 10_000 + int(day), cents))
            day += 1 + chance.exponential(gap)
    return tuple(rows)


def history(rows: tuple[tuple[int, int, int], ...]) -> History:
    """Return the history of (client, day, cents) rows."""
    return history_of_numbers(
        *(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    )


def csv_of(rows, separator: str = ",", header: str = "client,date,value") -> str:
    """Return (client, day, cents) rows as a file with ISO dates."""
    lines = [header.replace(",", separator)]
    for client, day, cents in rows:
        date = np.datetime64(int(day), "D")
        lines.append(separator.join((str(client), str(date), f"{cents / 100:.2f}")))
    return "\n".join(lines) + "\n"


def loaded(folder: Path, text: str | bytes, asked: Asked = Asked()):  # noqa: B008 - a constant
    """Write a file and read it."""
    target = folder / "orders.csv"
    target.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(target, asked)


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(command: str, *arguments: str) -> Done:
    """Run ``eval`` or ``fit`` as a person would, in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    program = {"eval": eval_command, "fit": fit_command}[command]
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch.object(sys, "argv", [f"score-{command}", *arguments]),
    ):
        try:
            program.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def answer(done: Done):
    """Return what a command printed, read as JSON."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def day_of(text: str) -> int:
    """Return a date as a day number."""
    return int(np.datetime64(text, "D").astype(int))
