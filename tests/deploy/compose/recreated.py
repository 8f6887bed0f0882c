"""Each service's container, and the scorer's table, are made anew under load: no order is lost."""

import functools
import time
from collections.abc import Callable

from tests.deploy.compose.newcomers import Newcomers
from tests.deploy.compose.project import Project
from tests.e2e.system import met

RECREATED = ("client-api", "projector", "relay", "scorer", "mailer")
FIRST_CLIENT = 700_000_000


def check(project: Project) -> None:
    """Make each container anew, one after the other, and the scorer's table; then find every order
    in a score.
    """
    with met(project.state_file) as system:
        newcomers = Newcomers(system, FIRST_CLIENT)
        with newcomers.coming():
            for service in RECREATED:
                timed(service, newcomers, functools.partial(project.recreate, service))
            timed("generation 2", newcomers, project.rebuild)
        newcomers.all_scored()


def timed(what: str, newcomers: Newcomers, work: Callable[[], None]) -> None:
    """Do something and say how long it took, how many orders came, and how long none did."""
    began, before = time.monotonic(), len(newcomers.came)
    work()
    took, orders = time.monotonic() - began, len(newcomers.came) - before
    pause = f"none for {newcomers.waited_s(before):.0f} s"
    print(f"  {what:<20} {took:.0f} s, {orders} orders, {pause}", flush=True)
