"""Every service is restarted under load, as an upgrade does: nothing fails, nothing is lost."""

import time

from tests.chaos.emails.journal import Journal
from tests.deploy.k8s.reckoning import balance_without_failures
from tests.deploy.k8s.shop import NAMESPACE, Shop
from tests.deploy.k8s.trade import Load

RESTARTED = (
    *("deployment/client-api", "deployment/projector", "deployment/cdc-relay"),
    *("statefulset/scorer", "deployment/mailer"),
)
ROLLED_LIMIT_S = 600.0
CALM_S = 20.0
"""Load before the first restart, and after the last."""


def check(shop: Shop, journal: Journal, seed: int) -> None:
    """Restart them all. Raises Unbalanced."""
    load = Load(shop, journal, seed)
    with load.running():
        time.sleep(CALM_S)
        for name in RESTARTED:
            began, sent = time.monotonic(), load.sent
            scope = ("--namespace", NAMESPACE)
            shop.cluster.kubectl("rollout", "restart", name, *scope)
            wait = ("rollout", "status", name, *scope, f"--timeout={ROLLED_LIMIT_S:.0f}s")
            shop.cluster.kubectl(*wait, limit_s=ROLLED_LIMIT_S + 60)
            took = time.monotonic() - began
            print(f"  {name}: {took:.0f} s, {load.sent - sent} requests", flush=True)
        time.sleep(CALM_S)
    balance_without_failures(shop, journal, load)
