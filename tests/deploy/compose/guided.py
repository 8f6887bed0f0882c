"""Commands of docs/operations, read out of it and run: upgrade, new passwords, letters, restore.

What a person does between two of them, such as reading what one says, is done here by the test.
"""

import functools
import json
import re
import subprocess
import time

from stack.places import ROOT
from tests.deploy import guides
from tests.deploy.compose.newcomers import Newcomers
from tests.deploy.compose.project import Project
from tests.deploy.compose.recreated import timed
from tests.e2e.system import System, met
from tests.e2e.waiting import wait_for

GUIDE = ROOT / "docs" / "operations" / "README.md"
FIRST_CLIENT = 800_000_000
AFTER_BACKUP = 810_000_000
AFTER_RESTORE = 820_000_000
LETTER = 830_000_000
VERSION = "2"
"""As the guide has it."""
CALM_LIMIT_S = 300.0
LETTER_LIMIT_S = 60.0
ALIKE = "They say what Postgres says."
READ_AGAIN = "were read again, and the scorer has taken them"
ASKS = re.compile(r"\bengage (backfill|reconcile)\b")
UNTIL_CALM = "# until nothing is behind"


def check(project: Project) -> None:
    """Run them; AssertionError or CalledProcessError when one does not do what is said of it."""
    guide = _Guide(project)
    with met(project.state_file) as system:
        newcomers = Newcomers(system, FIRST_CLIENT)
        with newcomers.coming():
            timed("upgrade", newcomers, guide.upgrade)
            timed("roles' passwords", newcomers, functools.partial(guide.rotate, 0))
            timed("postgres' password", newcomers, functools.partial(guide.rotate, 1))
        newcomers.all_scored()
        for what, step in (
            ("letters", functools.partial(guide.replay, newcomers.came[0])),
            ("restore", functools.partial(guide.restore, system)),
        ):
            began = time.monotonic()
            step()
            print(f"  {what:<20} {time.monotonic() - began:.0f} s", flush=True)


class _Guide:
    """The guide's commands, in the clone that the project runs from."""

    def __init__(self, project: Project) -> None:
        """Take the functions that the guide begins with."""
        self._project = project
        (self._functions,) = guides.blocks(GUIDE, "Operating it")

    def run(self, block: str) -> str:
        """Run commands that belong together, and return what they wrote to stdout.

        Those that ask are told beforehand what a person would answer.
        """
        answered = ASKS.sub(r"\g<0> --yes", block)
        return self._project.script(f"{self._functions}\n{answered}")

    def step_by_step(self, block: str) -> None:
        """Run commands one after the other; of some the guide says when to go on."""
        for command in guides.commands(block):
            if command.endswith(UNTIL_CALM):
                self.calm()
            else:
                self.run(command)

    def calm(self) -> None:
        """Ask for the state until no hop is behind and nothing is wrong."""

        def is_calm() -> bool | None:
            try:
                state = json.loads(self.run("engage status --json"))
            except subprocess.CalledProcessError:
                return None
            return True if not any(hop["records"] for hop in state["hops"]) else None

        wait_for("nothing is behind", is_calm, CALM_LIMIT_S)

    def upgrade(self) -> None:
        """Another version's images take the place of the present ones."""
        (block,) = guides.blocks(GUIDE, "Upgrade without lost events")
        self.run(block)
        images = self._project.running_images()
        assert images
        assert all(image.endswith(f":{VERSION}") for image in images), images

    def rotate(self, number: int) -> None:
        """New passwords, and nothing is behind afterwards."""
        self.run(guides.blocks(GUIDE, "Rotate keys")[number])
        self.calm()

    def replay(self, client: int) -> None:
        """A letter is made up for by its row, and all rows are read again."""
        row = f"{LETTER}, {client}, '0044-03-15 00:00:00+00 BC', 12.5"
        self.run(f'psql "INSERT INTO orders (id, client_id, ordered_at, amount) VALUES ({row})"')

        def waits(number: int) -> bool | None:
            topics = json.loads(self.run("engage dlq list --json"))["topics"]
            return True if sum(one["waiting"] for one in topics) == number else None

        wait_for("a letter", functools.partial(waits, 1), LETTER_LIMIT_S)
        self.run(f'psql "UPDATE orders SET ordered_at = now() WHERE id = {LETTER}"')
        (block,) = guides.blocks(GUIDE, "Replay")
        said = self.run(block.replace("1,2 ", f"{client} "))
        assert waits(0), said
        assert READ_AGAIN in said, said

    def restore(self, system: System) -> None:
        """What was backed up is there on an empty volume, and the lanes say the same."""
        backup, stop, empty, back, *_ = guides.blocks(GUIDE, "Backup and restore")
        self.run(backup)
        kept = self._orders()
        lost = Newcomers(system, AFTER_BACKUP)
        with lost.coming():
            wait_for("orders after the backup", lambda: len(lost.came) > 4 or None, CALM_LIMIT_S)
        lost.all_scored()
        assert self._orders() == kept + len(lost.came)

        self.run(stop)
        forget, *_ = guides.blocks(GUIDE, "A slot that was lost")
        self.run(forget.partition("\ndc up --wait\n")[0])
        self.run(empty)
        self.step_by_step(back)

        assert self._orders() == kept
        print(f"  {kept} orders are back, {len(lost.came)} are gone", flush=True)
        assert ALIKE in self.run("engage reconcile --dry-run")
        again = Newcomers(system, AFTER_RESTORE)
        with again.coming():
            wait_for("orders after the restore", lambda: len(again.came) > 4 or None, CALM_LIMIT_S)
        again.all_scored()

    def _orders(self) -> int:
        return int(self.run('psql "SELECT count(*) FROM orders"'))
