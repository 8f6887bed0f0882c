"""What is done to a running stack while emails are written: every part is killed or frozen."""

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from stack.launcher import Stack
from tests.chaos.emails.journal import Journal
from tests.chaos.emails.model import Model
from tests.chaos.emails.plan import Plan
from tests.chaos.faults import Faults

MAILERS = ("mailer", "mailer-2")
FROZEN_MAX_S = {"mailer": 5.0, "scorer": 3.0, "relay": 3.0, "kafka": 3.0, "sink": 7.0}
"""A mailer for longer than its lease: the other one takes over, and the zombie wakes. The sink for
longer than its answer is waited for: nobody knows then whether the message was taken."""
AWAY_MAX_S = 1.0
CAPTURED_THROUGH = frozenset({"kafka", "postgres", "connect"})
"""Parts whose end may fail the capture of changes: a person, or a platform, starts that again."""


class Harms(Faults):
    """Does one plan's harm, at its time, and tells the journal."""

    def __init__(
        self, stack: Stack, chance: random.Random, journal: Journal, model: Model, number: int
    ) -> None:
        """Harm ``stack`` in schedule ``number``."""
        super().__init__(stack, chance)
        self._journal = journal
        self._model = model
        self._number = number

    def run(self, plan: Plan, began: float) -> None:
        """Do all harms, one after the other."""
        for harm in plan.harms:
            time.sleep(max(0.0, began + harm.after_s - time.monotonic()))
            at = time.time()
            self.strike(harm.kind)
            self._journal.note(
                "fault", schedule=self._number, kind=harm.kind, at=at, until=time.time()
            )
            self.revive()

    def strike(self, kind: str) -> None:
        """Do one harm, such as ``mailer-kill``, and mend it."""
        self.done[kind] += 1
        part, _, how = kind.rpartition("-")
        mailer = self._chance.choice(MAILERS)
        match part, how:
            case "mailer", "both":
                self._kill_at_once(*MAILERS)
            case "mailer", "kill":
                self._kill(mailer)
            case "mailer", "restart":
                self._stack.parts.restart(mailer)
            case "mailer", "freeze":
                self._freeze_for(mailer, FROZEN_MAX_S[part])
            case _, "freeze":
                self._freeze_for(part, FROZEN_MAX_S[part])
            case _, "restart":
                self._stack.parts.restart(part)
            case _, "kill":
                self._kill(part)
            case _:
                raise ValueError(kind)
        if part in CAPTURED_THROUGH and how != "freeze":
            self._stack.register_connector()
        if part == "sandbox":
            self._model.remind()

    def _kill_at_once(self, *names: str) -> None:
        """Kill some parts together; they start again side by side."""
        for name in names:
            self._stack.parts.kill(name)
        self._moment(AWAY_MAX_S)
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(self._restart, names))

    def _freeze_for(self, part: str, longest_s: float) -> None:
        process = self._stack.parts.process(part)
        os.kill(process.pid, signal.SIGSTOP)
        self._moment(longest_s)
        os.kill(process.pid, signal.SIGCONT)
