"""A new generation of the scorer under load, as docs/operations has it; nothing is lost."""

import time

import yaml

from tests.chaos.emails.journal import Journal
from tests.deploy.k8s.cluster import Cluster, Document
from tests.deploy.k8s.overlays import Overlays
from tests.deploy.k8s.reckoning import Unbalanced, balance_without_failures
from tests.deploy.k8s.shop import NAMESPACE, Shop
from tests.deploy.k8s.trade import Load

SCOPE = ("--namespace", NAMESPACE)
OF_A_REBUILD = "app.kubernetes.io/component=rebuild"
KINDS = "statefulset,job,configmap,service,pdb,networkpolicy,serviceaccount"
"""Those of the command in docs/operations that removes it all again."""
VERDICT = "all as the old generation had them"
UNREADY = "superseded by generation 2"
ASK_HEALTH = """
import http.client
asked = http.client.HTTPConnection("127.0.0.1", 8080, timeout=5)
asked.request("GET", "/readyz")
print(asked.getresponse().read().decode())
"""
DONE_LIMIT_S = 900.0
CALM_S = 20.0
"""Load before the first command, and after the last."""


def check(shop: Shop, journal: Journal, overlays: Overlays, seed: int) -> None:
    """Rebuild, and let the scorer go on as the new generation. Raises Unbalanced, Refused."""
    load = Load(shop, journal, seed)
    rebuilding = _Rebuilding(shop.cluster, overlays)
    with load.running():
        time.sleep(CALM_S)
        began, sent = time.monotonic(), load.sent
        for what, step in (
            ("read, announced and told", rebuilding.run),
            ("the old workers say that they are superseded", rebuilding.supersede),
            ("the scorer goes on as the new generation", rebuilding.take_over),
            ("nothing of the rebuild is left", rebuilding.clear),
        ):
            step()
            took = time.monotonic() - began
            print(f"  {what}: {took:.0f} s, {load.sent - sent} requests", flush=True)
        time.sleep(CALM_S)
    balance_without_failures(shop, journal, load)


class _Rebuilding:
    """The steps of a rebuild, in their order."""

    def __init__(self, cluster: Cluster, overlays: Overlays) -> None:
        """Find the shop as it was, with the component, and as it is afterwards."""
        self._cluster = cluster
        self._before, self._with, self._after = (
            str(overlays.root / "added" / name) for name in ("trading", "rebuilding", "rebuilt")
        )

    def run(self) -> None:
        """Add the component, and wait for its job's verdict."""
        self._cluster.kubectl("apply", "--server-side", "-k", self._with, "-l", OF_A_REBUILD)
        self._cluster.wait("the rebuild", self._is_over, DONE_LIMIT_S)
        told = self._cluster.kubectl("logs", "job/rebuild", *SCOPE)
        if VERDICT not in told:
            raise Unbalanced(f"the rebuild says:\n{told}")

    def _is_over(self) -> bool:
        (job,) = self._cluster.documents("job", NAMESPACE, "-l", OF_A_REBUILD)
        ended = {
            one["type"] for one in job["status"].get("conditions", ()) if one["status"] == "True"
        }
        if "Failed" in ended:
            raise Unbalanced(
                f"the rebuild failed:\n{self._cluster.told('logs', 'job/rebuild', *SCOPE)}"
            )
        return "Complete" in ended

    def supersede(self) -> None:
        """Ask each of the old workers how it is."""
        pods = self._cluster.documents("pods", NAMESPACE, "-l", "app.kubernetes.io/name=scorer")
        words = ("--container", "scorer", "--", "python", "-c", ASK_HEALTH)

        def all_say_so() -> bool:
            names = [pod["metadata"]["name"] for pod in pods]
            told = [self._cluster.told("exec", name, *SCOPE, *words) for name in names]
            return all(UNREADY in answer for answer in told)

        self._cluster.wait("the old workers say that they are superseded", all_say_so, DONE_LIMIT_S)

    def take_over(self) -> None:
        """Give the scorer the new number; the component is taken out."""
        self._cluster.kubectl("apply", "--server-side", "-k", self._after)
        words = ("rollout", "status", "statefulset/scorer", f"--timeout={DONE_LIMIT_S:.0f}s")
        self._cluster.kubectl(*words, *SCOPE, limit_s=DONE_LIMIT_S + 60)

    def clear(self) -> None:
        """Remove what came with the component. Raises Unbalanced when something is left."""
        words = ("delete", KINDS, "-l", OF_A_REBUILD, *SCOPE)
        self._cluster.kubectl(*words, limit_s=DONE_LIMIT_S)
        left = [
            found
            for kind, name in self._built(self._with) - self._built(self._before)
            if (found := self._cluster.kubectl("get", kind, name, *SCOPE, "--ignore-not-found"))
        ]
        if left:
            raise Unbalanced("the rebuild left behind:\n" + "".join(left))

    def _built(self, folder: str) -> set[tuple[str, str]]:
        documents: list[Document] = list(
            yaml.safe_load_all(self._cluster.kubectl("kustomize", folder))
        )
        return {(one["kind"], one["metadata"]["name"]) for one in documents}
