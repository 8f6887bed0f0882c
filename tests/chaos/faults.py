"""What is done to a running stack: kill -9, freezing, a zombie, a broker that goes away."""

import os
import random
import signal
import sys
import time
from collections import Counter

from stack import http
from stack.errors import PartFailed
from stack.launcher import Stack
from stack.process import Process

KINDS = {"scorer": 5, "relay": 4, "both": 2, "frozen": 2, "zombie": 1, "broker": 1}
"""How often each kind of fault comes, relative to the others."""
START_LIMIT_S = 120.0


class Faults:
    """Does harm to one stack, and counts it; whatever ends of itself is started again."""

    def __init__(self, stack: Stack, chance: random.Random) -> None:
        """Harm ``stack`` as ``chance`` has it."""
        self._stack = stack
        self._chance = chance
        self.done: Counter[str] = Counter()
        self.kills = 0
        self.revived: Counter[str] = Counter()

    def strike(self, kind: str) -> None:
        """Do one harm and mend it, with a random moment in between."""
        self.done[kind] += 1
        match kind:
            case "scorer" | "relay":
                self._kill(kind)
            case "both":
                self._kill("scorer", "relay")
            case "frozen":
                self._freeze()
            case "zombie":
                self._zombie()
            case "broker":
                self._kill("kafka")
                self._stack.register_connector()
            case _:
                raise ValueError(kind)

    def revive(self) -> None:
        """Start again what ended of itself, as any supervisor of services does."""
        for name in self._stack.parts.names:
            failure = self._stack.parts.process(name).died()
            if failure is not None:
                self.revived[name] += 1
                print(f"  {name} ended and is started again: {_first_line(failure)}", flush=True)
                self._restart(name)

    def _restart(self, name: str) -> None:
        """Start a part; one that ends again while its broker is away is started once more."""
        try:
            self._stack.parts.restart(name)
        except PartFailed:
            self._stack.parts.restart(name)

    def _moment(self, longest_s: float) -> None:
        """Let a random time pass: this is the harm itself, nothing is waited for."""
        time.sleep(self._chance.uniform(0, longest_s))

    def _kill(self, *names: str) -> None:
        for name in names:
            self._stack.parts.kill(name)
            self.kills += 1
        self._moment(1.0)
        for name in names:
            self._restart(name)

    def _freeze(self) -> None:
        process = self._stack.parts.process("scorer")
        os.kill(process.pid, signal.SIGSTOP)
        self._moment(3.0)
        os.kill(process.pid, signal.SIGCONT)

    def _zombie(self) -> None:
        """Freeze the scorer, let another take its place under its name, and wake it up.

        Both live on for a while; then a platform that meant to have one would end both and start
        one. Neither may write what the other does not know of.
        """
        parts, place = self._stack.parts, self._stack.place
        old = parts.process("scorer")
        os.kill(old.pid, signal.SIGSTOP)
        port = place.ports["scorer-heir"]
        heir = Process(
            "scorer-heir",
            [sys.executable, "-m", "scorer"],
            self._stack.folder / "logs" / "scorer-heir.log",
            env={
                **place.for_scorer(),
                "HEALTH_PORT": str(port),
                "SCORER_DATA_DIR": str(self._stack.folder / "scorer-heir"),
            },
            cwd=self._stack.folder,
        )
        try:
            heir.start_ready(lambda: http.check(f"http://127.0.0.1:{port}/readyz"), START_LIMIT_S)
            os.kill(old.pid, signal.SIGCONT)
            self._moment(5.0)
        finally:
            heir.kill()
            parts.kill("scorer")
            self.kills += 1
            self._restart("scorer")


def _first_line(failure: PartFailed) -> str:
    return str(failure).splitlines()[0]
