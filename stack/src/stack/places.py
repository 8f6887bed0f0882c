"""The one place for folders and ports: where things lie, and which ports they take."""

import contextlib
import random
import socket
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The repository: the packages are installed editable, so this file lies in its source tree."""

CACHE = ROOT / ".cache"
"""Downloads, shared by all runs; git-ignored."""

RUNS = ROOT / ".run"
"""One folder for each run of the stack, with data, logs and secrets; git-ignored."""

STATE_FILE = RUNS / "state.json"
"""Which run is going on now, and where it answers."""

DASHBOARD = ROOT / "dashboard" / "dist"
"""The built dashboard."""

HOST = "127.0.0.1"

USUAL_PORTS = {
    "postgres": 15432,
    "kafka": 9092,
    "connect": 8083,
    "client-api": 8000,
    "sandbox": 8010,
    "issuer": 8020,
}
"""Ports that a person would look for first. All others, and those that are taken, are free ones."""


FREE_PORTS = range(10_000, 32_000)
"""Below those that the kernel gives to outgoing connections (Linux: from 32768 on): a client that
knocks at a server which is away could otherwise get the server's own port, and keep it."""


def free_port() -> int:
    """Return a port that nobody listens on at this moment; picked at random, so that two who look
    for one at the same time find different ones.
    """
    while True:
        port = random.choice(FREE_PORTS)  # noqa: S311 - no secret
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Tell whether a server could listen on ``port``, on this host and on all its addresses."""
    for address in (HOST, "0.0.0.0"):  # noqa: S104 - only asked, never served
        with socket.socket() as probe:
            # Servers set this too: without it a port counts as taken for a minute after its use.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


class Ports:
    """The ports of one run: each is picked when first asked for, and stays."""

    def __init__(self, *, usual: bool) -> None:
        """``usual``: take the usual ports where they are free."""
        self._usual = USUAL_PORTS if usual else {}
        self._lock = threading.Lock()
        self._picked: dict[str, int] = {}

    def __getitem__(self, part: str) -> int:
        """Return the port of a part."""
        with self._lock:
            if part not in self._picked:
                self._picked[part] = self._pick(part)
            return self._picked[part]

    def _pick(self, part: str) -> int:
        usual = self._usual.get(part)
        if usual is not None and is_free(usual):
            return usual
        port = free_port()
        while port in self._picked.values():
            port = free_port()
        return port


def answers(port: int) -> bool:
    """Tell whether somebody accepts connections on ``port``."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
