"""One cluster, met by kubectl alone."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.waiting import wait_for

ASK_LIMIT_S = 120.0
SERVING = "deployment,statefulset"

Document = dict[str, Any]


class Refused(Exception):
    """kubectl ended with an error; the message is what it said."""


class Cluster:
    """What a kubeconfig leads to."""

    def __init__(self, kubeconfig: Path, environment: dict[str, str]) -> None:
        """Find ``kubectl`` by ``environment``."""
        self._environment = {**environment, "KUBECONFIG": str(kubeconfig)}

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """Return the words and the environment of a command, for whoever lets it run."""
        return ["kubectl", *words], self._environment

    def kubectl(self, *words: str, given: str = "", limit_s: float = ASK_LIMIT_S) -> str:
        """Return what kubectl writes; ``given`` is its input. Raises Refused."""
        command, environment = self.command(*words)
        done = subprocess.run(
            command,
            env=environment,
            input=given,
            text=True,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
        if done.returncode:
            raise Refused(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def documents(self, kinds: str, namespace: str, *more: str) -> list[Document]:
        """Return the objects of some kinds, such as ``pods``, of a namespace."""
        told = self.kubectl("get", kinds, "--namespace", namespace, "--output", "json", *more)
        found: list[Document] = json.loads(told)["items"]
        return found

    def names(self, kind: str) -> set[str]:
        """Return the names of all objects of a kind that lies in no namespace."""
        told = self.kubectl("get", kind, "--output", "name")
        return {line.partition("/")[2] for line in told.splitlines()}

    def build(self, folder: Path) -> str:
        """Return what a kustomization builds."""
        return self.kubectl("kustomize", str(folder))

    def apply(self, text: str) -> None:
        """Create or change everything."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", given=text)

    def forget(self, namespace: str) -> None:
        """Remove a namespace with all that is in it, and wait until it has gone."""
        words = ("delete", "namespace", namespace, "--ignore-not-found", "--wait")
        self.kubectl(*words, limit_s=ASK_LIMIT_S * 5)

    def rolled_out(self, namespace: str, limit_s: float) -> None:
        """Wait until every Deployment and StatefulSet runs as it was asked to."""
        deadline = time.monotonic() + limit_s
        for one in self.documents(SERVING, namespace):
            name = f"{one['kind']}/{one['metadata']['name']}".lower()
            left_s = max(1.0, deadline - time.monotonic())
            words = ("rollout", "status", name, "--namespace", namespace)
            self.kubectl(*words, f"--timeout={left_s:.0f}s", limit_s=left_s + ASK_LIMIT_S)

    def completed(self, namespace: str, limit_s: float) -> None:
        """Wait until every Job is complete."""
        words = ("wait", "--for=condition=complete", "jobs", "--all", "--namespace", namespace)
        self.kubectl(*words, f"--timeout={limit_s:.0f}s", limit_s=limit_s + ASK_LIMIT_S)

    def wait(self, what: str, look: Callable[[], bool], limit_s: float) -> None:
        """Wait until something holds."""
        wait_for(what, lambda: look() or None, limit_s)

    def show_trouble(self, namespace: str) -> None:
        """Show what there is to see when something went wrong."""
        scope = ("--namespace", namespace)
        for words in (
            ("get", "pods,jobs,persistentvolumeclaims", *scope, "--output", "wide"),
            ("get", "events", *scope, "--sort-by=.lastTimestamp"),
        ):
            print("\n".join(self.told(*words).splitlines()[-60:]), flush=True)
        for pod in self.documents("pods", namespace):
            name = pod["metadata"]["name"]
            logs = ("logs", name, *scope, "--all-containers", "--tail=15", "--prefix")
            print(self.told(*logs), self.told(*logs, "--previous"), sep="\n", flush=True)

    def told(self, *words: str) -> str:
        """Return what kubectl writes, or why it refused."""
        try:
            return self.kubectl(*words)
        except Refused as refused:
            return str(refused)


def restarts(pod: Document) -> int:
    """Return how often containers of a pod ended and were started again."""
    states = pod["status"].get("containerStatuses", [])
    return sum(state["restartCount"] for state in states)


def is_ready(pod: Document) -> bool:
    """Tell whether a pod is ready, and not on its way out."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
