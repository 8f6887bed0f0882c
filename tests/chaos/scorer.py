"""Chaos: seeded loads with seeded faults, one after the other, each checked against a reference.

``python -m tests.chaos.scorer --schedules 100 --seed S``. Prints one line a schedule, and at last
one JSON object. With ``--resume`` it goes on after the last schedule that was done.
"""

import argparse
import json
import random
import shutil
import sys
from collections import Counter

from stack import signals
from stack.launcher import Stack
from stack.places import RUNS
from tests.chaos import schedule

STACK_FOR = 25
"""Schedules on one stack; then a fresh one, so that the checks stay quick."""
PROGRESS = RUNS / "chaos-scorer.json"
FOLDER = RUNS / "chaos-scorer"


def main(argv: list[str]) -> int:
    """Run the schedules; return 0 when all books balanced, 1 at the first that did not."""
    arguments = _arguments(argv)
    signals.as_interrupts()
    known = _progress(arguments)
    print(f"seed {known['seed']}: the same seed makes the same loads and faults", flush=True)
    failed = False
    while known["schedules"] < arguments.schedules and not failed:
        failed = not _on_one_stack(known, arguments.schedules)
    print(json.dumps(known))
    return 1 if failed else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.scorer", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100)
    parser.add_argument("--seed", type=int, help="default: a new one, or that of the run resumed")
    parser.add_argument("--resume", action="store_true", help="go on where the last run ended")
    return parser.parse_args(argv)


def _progress(arguments: argparse.Namespace) -> dict[str, object]:
    """Return the counts to go on with."""
    if arguments.resume and PROGRESS.is_file():
        known: dict[str, object] = json.loads(PROGRESS.read_text())
        if arguments.seed in {None, known["seed"]}:
            return known
        sys.exit(f"the last run had the seed {known['seed']}, not {arguments.seed}")
    seed = random.randrange(2**32) if arguments.seed is None else arguments.seed
    counts = dict.fromkeys(("schedules", "kills", "lost", "double", "hash_mismatches"), 0)
    return {"seed": seed, **counts, "faults": {}, "revived": {}}


def _on_one_stack(known: dict, schedules: int) -> bool:
    """Run up to ``STACK_FOR`` schedules on a fresh stack; return whether all went well."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with Stack(FOLDER, durable=False, state_file=FOLDER / "state.json") as stack:
        stack.start()
        for number in range(known["schedules"], min(schedules, known["schedules"] + STACK_FOR)):
            outcome = schedule.run(stack, known["seed"], number)
            _note(known, outcome)
            kinds = " ".join(outcome.faults.elements())
            print(f"schedule {number}: {outcome.seconds:5.1f} s  {kinds}", flush=True)
            if not outcome.well:
                for name in ("lost", "double", "mismatched"):
                    for line in getattr(outcome, name)[:5]:
                        print(f"  {name}: {line}")
                print(f"  logs: {FOLDER / 'logs'}", flush=True)
                return False
            PROGRESS.write_text(json.dumps(known))
    return True


def _note(known: dict, outcome: schedule.Outcome) -> None:
    known["schedules"] += 1
    known["kills"] += outcome.kills
    known["lost"] += len(outcome.lost)
    known["double"] += len(outcome.double)
    known["hash_mismatches"] += len(outcome.mismatched)
    known["faults"] = dict(Counter(known["faults"]) + outcome.faults)
    known["revived"] = dict(Counter(known["revived"]) + outcome.revived)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
