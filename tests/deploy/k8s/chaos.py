"""Pods are deleted at random under load; the checker of tests/chaos/emails must find nothing."""

import random
import time
from collections import Counter

import yaml

from tests.chaos.emails.journal import Journal
from tests.deploy.k8s.cluster import Document, is_ready, restarts
from tests.deploy.k8s.overlays import Overlays
from tests.deploy.k8s.reckoning import balance
from tests.deploy.k8s.shop import NAMESPACE, Shop
from tests.deploy.k8s.trade import Load

NAME = "app.kubernetes.io/name"
SPARED = frozenset({"door", "migrate", "topics", "capture"})
"""The test's own way in, and jobs."""
CAPTURED_THROUGH = frozenset({"kafka", "postgres", "connect"})
"""Where an operator runs Connect it starts a connector that failed; here its job does."""
AT_ONCE_SHARE = 0.5
"""So many are given a second to end; the others what they ask for."""
PAIRS_SHARE = 0.25
BACK_LIMIT_S = 300.0
ROLLED_LIMIT_S = 900.0
"""Longer than the longest pause of a pod that could not start, which is five minutes."""
PAUSE_MAX_S = 8.0
POLL_S = 0.5


class Deleting:
    """Deletes pods, each as often as the others, in an order of chance."""

    def __init__(self, shop: Shop, journal: Journal, overlays: Overlays, chance: random.Random):
        """Note each deletion in ``journal``."""
        self._shop = shop
        self._cluster = shop.cluster
        self._journal = journal
        self._chance = chance
        self._left: list[str] = []
        self._capture = _job(self._cluster.build(overlays.root / "added" / "trading"), "capture")
        self.deleted: Counter[str] = Counter()

    def until(self, deadline: float) -> None:
        """Delete pods until then; wait for each to be replaced."""
        while time.monotonic() < deadline:
            pair = self._chance.random() < PAIRS_SHARE
            names = [self._next() for _ in range(1 + pair)]
            at = time.time()
            gone = {self._delete(name) for name in names}
            self._replaced(gone)
            for name in names:
                self._journal.note("fault", kind=f"{name}-delete", at=at, until=time.time())
            if CAPTURED_THROUGH & set(names):
                self._captured_again()
            time.sleep(self._chance.uniform(0, PAUSE_MAX_S))

    def _next(self) -> str:
        """Return the name of a service; each comes once before one comes again."""
        if not self._left:
            self._left = sorted({_name(pod) for pod in self._pods()})
            self._chance.shuffle(self._left)
        return self._left.pop()

    def _pods(self) -> list[Document]:
        pods = self._cluster.documents("pods", NAMESPACE)
        return [pod for pod in pods if _name(pod) not in SPARED]

    def _delete(self, name: str) -> str:
        """Delete one pod of a service; return its id."""
        pod = self._chance.choice([pod for pod in self._pods() if _name(pod) == name])
        at_once = self._chance.random() < AT_ONCE_SHARE
        # A grace of one second, not of none: that would start a second Postgres beside the first.
        grace = ("--grace-period=1",) if at_once else ()
        words = ("delete", "pod", pod["metadata"]["name"], "--namespace", NAMESPACE, "--wait=false")
        self._cluster.kubectl(*words, *grace)
        self.deleted[name] += 1
        how = "at once" if at_once else "in order"
        print(f"  {time.strftime('%H:%M:%S')} {pod['metadata']['name']} {how}", flush=True)
        uid: str = pod["metadata"]["uid"]
        return uid

    def _replaced(self, gone: set[str]) -> None:
        """Wait until the pods have gone and all that are there are ready, at most so long.

        A pod that could not start before its servers were back waits for longer, and may: the next
        one is deleted meanwhile.
        """
        deadline = time.monotonic() + BACK_LIMIT_S
        while time.monotonic() < deadline:
            pods = self._pods()
            there = {pod["metadata"]["uid"] for pod in pods}
            if not gone & there and all(is_ready(pod) for pod in pods):
                return
            time.sleep(POLL_S)
        for pod in (pod for pod in self._pods() if not is_ready(pod)):
            print(f"  not ready after {BACK_LIMIT_S:.0f} s: {self._why(pod)}", flush=True)

    def _why(self, pod: Document) -> str:
        """Return the state of a pod's containers, and the last words of each that ended."""
        name = pod["metadata"]["name"]
        states = pod["status"].get("containerStatuses", [])
        told = [f"{name}, {restarts(pod)} restarts, {[state['state'] for state in states]}"]
        scope = ("--namespace", NAMESPACE, "--all-containers", "--tail=8")
        told += [self._cluster.told("logs", name, *scope, *more) for more in ((), ("--previous",))]
        return "\n".join(told)

    def _captured_again(self) -> None:
        words = ("delete", "job", "capture", "--namespace", NAMESPACE, "--ignore-not-found")
        self._cluster.kubectl(*words)
        self._cluster.apply(self._capture)


def _job(text: str, name: str) -> str:
    """Return one job of a kustomization."""
    (found,) = (
        one
        for one in yaml.safe_load_all(text)
        if one["kind"] == "Job" and one["metadata"]["name"] == name
    )
    return yaml.safe_dump(found)


def _name(pod: Document) -> str:
    name: str = pod["metadata"]["labels"][NAME]
    return name


def check(shop: Shop, journal: Journal, overlays: Overlays, minutes: float, seed: int) -> None:
    """Delete pods for some minutes, then balance the books. Raises Unbalanced."""
    load = Load(shop, journal, seed)
    deleting = Deleting(shop, journal, overlays, random.Random(f"{seed}:pods"))
    with load.running():
        deleting.until(time.monotonic() + minutes * 60)
        shop.cluster.rolled_out(NAMESPACE, ROLLED_LIMIT_S)
    tally = ", ".join(f"{name} {count}" for name, count in sorted(deleting.deleted.items()))
    print(f"  {deleting.deleted.total()} pods deleted: {tally}", flush=True)
    print(f"  {load.sent} requests, {len(load.failed)} failed and were sent again", flush=True)
    balance(shop, journal, load)
