"""The system in a cluster as an outsider meets it: through one door, by loopback addresses."""

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import IO, cast

from common.clock import Anchor, write_anchor
from issuer.signing import Signer
from stack.launcher import Stack
from stack.places import HOST, free_port
from tests.chaos.emails.trade import LINK_KEY
from tests.deploy.k8s.cluster import Cluster
from tests.deploy.k8s.forwarding import forwarded
from tests.deploy.k8s.overlays import Overlays

NAMESPACE = "engage-test"
OVERLAY = "test"
UP_LIMIT_S = 1500.0
CLOCK_POLL_S = 0.02

CLOCK_HAND = """
import pathlib, sys
for line in sys.stdin:
    draft = pathlib.Path("/shared/clock.new")
    draft.write_text(line)
    draft.replace("/shared/clock.json")
    print("done", flush=True)
"""
"""Runs beside the door: each line that it reads is the new anchor."""
READ = """
import pathlib, sys
for file in sorted(pathlib.Path("/shared").glob(sys.argv[1])):
    sys.stdout.write(file.read_text())
"""


@dataclass(frozen=True)
class Shop:
    """A system that runs, and how it is met."""

    cluster: Cluster
    folder: Path
    api_url: str
    issuer_url: str
    admin_url: str
    """Of Postgres, as its owner."""
    clock_file: Path

    def as_stack(self) -> Stack:
        """Return what the tests' books ask of a stack, and nothing more."""
        found = SimpleNamespace(
            api_url=self.api_url,
            issuer_url=self.issuer_url,
            place=SimpleNamespace(admin_url=self.admin_url),
            parts=SimpleNamespace(check=lambda: None),
        )
        return cast("Stack", found)

    def journal(self, pattern: str) -> str:
        """Return what stands in the journals that pods have written."""
        return self.cluster.kubectl(*_beside_the_door(), "--", "python", "-c", READ, pattern)


@contextmanager
def deployed(cluster: Cluster, overlays: Overlays, name: str) -> Iterator[Shop]:
    """Run ``added/<name>`` until the block ends, from an empty namespace on."""
    ports = {"8000": free_port(), "5432": free_port(), "issuer": free_port()}
    issuer_url = f"http://{HOST}:{ports['issuer']}"
    _prepare(overlays, issuer_url, ports["issuer"])
    text = cluster.build(overlays.root / "added" / name)
    # Two shops of one name may follow each other, and each has books of its own.
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=overlays.root.parent))
    clock_file = folder / "clock.json"
    now = datetime.now(UTC)
    write_anchor(clock_file, Anchor(now, now, 1.0))
    try:
        cluster.apply(text)
        with _clock_hand(cluster, clock_file), _forwarded(cluster, ports, folder):
            cluster.completed(NAMESPACE, UP_LIMIT_S)
            cluster.rolled_out(NAMESPACE, UP_LIMIT_S)
            password = overlays.given(OVERLAY, "postgres-owner.env")["password"]
            yield Shop(
                cluster,
                folder,
                f"http://{HOST}:{ports['8000']}",
                issuer_url,
                f"postgresql://postgres:{password}@{HOST}:{ports['5432']}/engage",
                clock_file,
            )
    except BaseException:
        cluster.show_trouble(NAMESPACE)
        raise
    finally:
        cluster.forget(NAMESPACE)


def _prepare(overlays: Overlays, issuer_url: str, port: int) -> None:
    """Write what the kustomizations lack: secrets, and where the issuer is."""
    overlays.give(OVERLAY, "links.env", {"LINK_KEY": LINK_KEY.get_secret_value()})
    overlays.folder(OVERLAY)
    met = overlays.root / "added" / "met"
    (met / "issuer.env").write_text(f"AUTH_ISSUER={issuer_url}\nISSUER_PORT={port}\n")
    Signer.kept_in(met / "issuer.pem", issuer_url)
    trading = overlays.root / "added" / "trading"
    made = ("-keyout", str(trading / "tls.key"), "-out", str(trading / "tls.crt"))
    named = ("-subj", "/CN=sink", "-addext", "subjectAltName=DNS:sink")
    words = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    subprocess.run([*words, *made, *named], capture_output=True, timeout=60, check=True)


def _beside_the_door(*options: str) -> tuple[str, ...]:
    where = ("--namespace", NAMESPACE, "deployment/door", "--container", "door")
    return ("exec", *options, *where)


@contextmanager
def _clock_hand(cluster: Cluster, file: Path) -> Iterator[None]:
    """Give the cluster the anchor that stands in a file, again whenever it is replaced."""
    cluster.kubectl(
        *("rollout", "status", "deployment/door", "--namespace", NAMESPACE),
        f"--timeout={UP_LIMIT_S:.0f}s",
        limit_s=UP_LIMIT_S + 60,
    )
    command, environment = cluster.command(
        *_beside_the_door("--stdin"), "--", "python", "-u", "-c", CLOCK_HAND
    )
    over = threading.Event()
    with subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as hand:
        follower = threading.Thread(target=_follow, args=(hand, file, over))
        follower.start()
        try:
            yield
        finally:
            over.set()
            follower.join()
            hand.terminate()


def _follow(hand: subprocess.Popen[str], file: Path, over: threading.Event) -> None:
    given: IO[str] = cast("IO[str]", hand.stdin)
    told: IO[str] = cast("IO[str]", hand.stdout)
    seen = ""
    while not over.wait(CLOCK_POLL_S):
        text = file.read_text()
        if text != seen:
            given.write(text + "\n")
            given.flush()
            if not told.readline():
                raise ConnectionError("nobody sets the clock in the cluster any more")
            seen = text


def _forwarded(
    cluster: Cluster, ports: dict[str, int], folder: Path
) -> AbstractContextManager[None]:
    """Forward loopback ports to the door's."""
    pairs = [f"{ports[inner]}:{inner}" for inner in ("8000", "5432")]
    pairs.append(f"{ports['issuer']}:{ports['issuer']}")
    command, environment = cluster.command(
        *("port-forward", "--namespace", NAMESPACE, "--address", HOST, "deployment/door", *pairs)
    )
    return forwarded(command, environment, ports.values(), folder / "forward.log")
