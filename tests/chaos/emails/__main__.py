"""Chaos for emails: seeded schedules of trade and faults on one running stack, each one checked.

``python -m tests.chaos.emails --schedules 200 --seed S``. Tells what it does on stderr, and at last
one JSON line on stdout. With ``--resume`` it goes on after the last schedule that was done.
"""

import argparse
import json
import random
import shutil
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from stack import signals
from stack.places import RUNS
from tests.chaos.emails import schedule
from tests.chaos.emails.checker import KINDS
from tests.chaos.emails.running import Running, started

PROGRESS = RUNS / "chaos-emails.json"
FOLDER = RUNS / "chaos-emails"
SHOWN = 5
USUAL_S = 20.0
"""A schedule takes at most so long on a machine that does nothing else."""


def main(argv: list[str]) -> int:
    """Run the schedules; return 0 when all books balanced, 1 at the first that did not."""
    arguments = _arguments(argv)
    signals.as_interrupts()
    known = _progress(arguments)
    with redirect_stdout(sys.stderr):
        print(f"seed {known['seed']}: the same seed makes the same schedules", flush=True)
        if known["schedules"] < arguments.schedules:
            shutil.rmtree(FOLDER, ignore_errors=True)
            with started(FOLDER, delivery=not arguments.no_delivery) as running:
                _run(running, known, arguments.schedules)
        print(json.dumps({name: known[name] for name in ("seed", "ends", "harms", "revived")}))
        print(
            f"all took {known['seconds']:.0f} s, the slowest {known['slowest_s']:.1f} s,"
            f" {known['slow']} more than {USUAL_S:.0f} s"
        )
    print(json.dumps({name: known[name] for name in ("schedules", "episodes", *KINDS)}))
    return 1 if any(known[kind] for kind in KINDS) else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.emails", description=__doc__)
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument("--seed", type=int, help="default: a new one, or that of the run resumed")
    parser.add_argument("--resume", action="store_true", help="go on where the last run ended")
    parser.add_argument("--no-delivery", action="store_true", help="write emails, but send none")
    return parser.parse_args(argv)


def _progress(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the counts to go on with."""
    if arguments.resume and PROGRESS.is_file():
        known: dict[str, Any] = json.loads(PROGRESS.read_text())
        if arguments.seed in {None, known["seed"]}:
            return known
        sys.exit(f"the last run had the seed {known['seed']}, not {arguments.seed}")
    seed = random.randrange(2**32) if arguments.seed is None else arguments.seed
    counts = dict.fromkeys(("schedules", "episodes", *KINDS), 0)
    tallies: dict[str, Any] = {"ends": {}, "harms": {}, "revived": {}}
    return {"seed": seed, **counts, **tallies, "seconds": 0.0, "slowest_s": 0.0, "slow": 0}


def _run(running: Running, known: dict[str, Any], schedules: int) -> None:
    """Run the schedules that are left, up to the first that is not well."""
    for number in range(known["schedules"], schedules):
        try:
            outcome = schedule.run(running, known["seed"], number)
        except Exception:
            print(f"schedule {number} broke off: {_keep_logs(known['seed'], number)}", flush=True)
            raise
        _note(known, outcome)
        harms, ends = (" ".join(sorted(c.elements())) for c in (outcome.harms, outcome.ends))
        print(f"schedule {number}: {outcome.seconds:5.1f} s  {harms}  -> {ends}", flush=True)
        if not outcome.well:
            print(f"  evidence: {_keep(known['seed'], number, outcome)}", flush=True)
            return
        PROGRESS.write_text(json.dumps(known))


def _note(known: dict[str, Any], outcome: schedule.Outcome) -> None:
    known["schedules"] += 1
    known["episodes"] += outcome.episodes
    known["seconds"] += outcome.seconds
    known["slowest_s"] = max(known["slowest_s"], outcome.seconds)
    known["slow"] += outcome.seconds > USUAL_S
    for kind in KINDS:
        known[kind] += len(outcome.findings[kind])
    for name in ("ends", "harms", "revived"):
        known[name] = dict(Counter(known[name]) + getattr(outcome, name))


def _keep(seed: int, number: int, outcome: schedule.Outcome) -> Path:
    """Keep the evidence of a schedule that was not well, and show what is wrong."""
    folder = _keep_logs(seed, number)
    outcome.books.keep(folder / "books.json")
    (folder / "findings.json").write_text(json.dumps(outcome.findings, indent=2))
    for kind, lines in outcome.findings.items():
        for line in lines[:SHOWN]:
            print(f"  {kind}: {line}")
    return folder


def _keep_logs(seed: int, number: int) -> Path:
    folder = RUNS / f"chaos-emails-failed-{seed}-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(FOLDER / "logs", folder / "logs")
    shutil.copy(FOLDER / "journal.jsonl", folder)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
