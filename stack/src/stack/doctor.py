"""What the machine must have before anything else works; says in one line what is missing.

Runs as a file, ``python3 doctor.py [--install | --deploy]``, before there is an environment: it
must stay free of imports beyond the standard library and of syntax that an older Python cannot
read.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PYTHON = (3, 11)
NODE = (20, 19)
JAVA = (17,)
GO = (1, 26)
GO_THAT_FETCHES = (1, 21)
"""From here on Go fetches a newer one where it is asked for, unless it is told not to."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
TIMEOUT_S = 60
INSTALL_LIMIT_S = 1800


class Need:
    """One thing that must be there: how to see it, and the Debian packages that bring it."""

    def __init__(
        self, what: str, problem: Callable[[], str | None], packages: Sequence[str] = ()
    ) -> None:
        """Describe it; ``problem`` returns None when all is well."""
        self.what = what
        self.problem = problem
        self.packages = tuple(packages)


def version_in(said: str) -> tuple[int, ...]:
    """Return the first version number in what a program said about itself; empty without one."""
    found = re.search(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", said)
    return tuple(int(part) for part in found.groups() if part) if found else ()


def too_old(command: str, asked: str, least: tuple[int, ...]) -> str | None:
    """Tell whether a command is missing or older than it must be."""
    path = shutil.which(command)
    if path is None:
        return "not found"
    done = subprocess.run(
        [path, asked], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    version = version_in(done.stdout + done.stderr)
    return None if version >= least else "found " + (".".join(map(str, version)) or "no version")


def _python() -> str | None:
    have = sys.version_info[:2]
    return None if have >= PYTHON else "found {}.{}".format(*have)


def _venv() -> str | None:
    return None if importlib.util.find_spec("ensurepip") else "not found"


def browser() -> str | None:
    """Return the path of the system's Chromium, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _present(*commands: str) -> str | None:
    return None if any(shutil.which(command) for command in commands) else "not found"


def _namespaces() -> str | None:
    if os.geteuid() != 0:
        return None
    if shutil.which("unshare") is None:
        return "not found"
    command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", "true"]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    return None if done.returncode == 0 else "not allowed here; run as another user than root"


def _go() -> str | None:
    problem = too_old("go", "version", GO)
    path = shutil.which("go")
    if problem is None or path is None or too_old("go", "version", GO_THAT_FETCHES):
        return problem
    done = subprocess.run(
        [path, "env", "GOTOOLCHAIN"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return problem if done.stdout.strip() == "local" else None


NEEDS = (
    Need("Python 3.11 or later", _python),
    Need("Python's venv and pip", _venv, ["python3-venv"]),
    Need("Java 17 or later", lambda: too_old("java", "-version", JAVA), ["default-jre-headless"]),
    Need("Maven (mvn)", lambda: _present("mvn"), ["maven"]),
    Need("Node 20.19 or later", lambda: too_old("node", "--version", NODE), ["nodejs"]),
    Need("npm", lambda: _present("npm"), ["npm"]),
    Need("chromium", lambda: None if browser() else "not found", ["chromium"]),
    Need("user namespaces (Postgres refuses to run as root)", _namespaces, ["util-linux"]),
)

NEEDS_OF_DEPLOY_CHECK = (Need("Go 1.26 or later (go.dev/dl)", _go),)
"""What builds the programs that check ``deploy/``; nothing else needs it."""


def look(needs: Sequence[Need]) -> list[tuple[Need, str]]:
    """Return what is missing or too old, each with what is wrong."""
    return [(need, problem) for need in needs for problem in [need.problem()] if problem]


def install(lacking: Sequence[Need]) -> None:
    """Install the Debian packages of what is lacking; says so. Needs root and apt-get."""
    packages = [package for need in lacking for package in need.packages]
    if not packages:
        return
    print("installing by apt-get:", " ".join(packages), flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "-qq", *words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=INSTALL_LIMIT_S,
            check=True,
        )


def main(argv: Sequence[str]) -> int:
    """Look, with ``--install`` mend what apt can mend, and say in one line what is missing.

    ``--deploy`` looks for what `make deploy-check` needs beyond that, and for nothing else.
    """
    needs = NEEDS_OF_DEPLOY_CHECK if "--deploy" in argv else NEEDS
    lacking = look(needs)
    may_install = "--install" in argv and os.geteuid() == 0 and shutil.which("apt-get")
    if lacking and may_install:
        try:
            install([need for need, _ in lacking])
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"apt-get failed: {error}", file=sys.stderr)
        lacking = look(needs)
    if lacking:
        said = ", ".join(f"{need.what} ({problem})" for need, problem in lacking)
        print(f"cannot set up, this machine lacks: {said}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
