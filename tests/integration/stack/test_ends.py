"""However the stack ends, it leaves no process behind, and says what happened."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from stack.errors import PartFailed
from stack.launcher import Stack
from stack.places import ROOT
from stack.tokens import As
from tests.integration.stack.watching import family_of, left, wait_until

LIMIT_S = 90
PROGRAM = Path(__file__).with_name("foreground.py")


class Run:
    """The servers, started by a command; all processes below it are known once they are up."""

    def __init__(self, command: list[str], folder: Path) -> None:
        """Start the command and wait until it says that all is up."""
        self.folder = folder
        self.child = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.child.stdout is not None
        assert self.child.stdout.readline() == "up\n", self.child.communicate(timeout=LIMIT_S)[1]
        self.processes = family_of(self.child.pid)
        # Postgres with its workers, two Javas, the sandbox, and the launcher itself.
        assert len(self.processes) >= 8

    def end(self) -> tuple[int, str]:
        """Wait for the command to end; return its exit code and what it said on standard error."""
        _, said = self.child.communicate(timeout=LIMIT_S)
        return self.child.returncode, said

    def find(self, words: str) -> psutil.Process:
        """Return the one process whose command line holds some words."""
        found = []
        for process in self.processes:
            # Those that only did something once are gone by now.
            with contextlib.suppress(psutil.NoSuchProcess):
                if words in " ".join(process.cmdline()):
                    found.append(process)
        (process,) = found
        return process

    def nothing_is_left(self) -> None:
        """Wait until not one of the processes is left."""
        wait_until(lambda: not left(self.processes), f"all have ended but {left(self.processes)}")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Run]:
    """The servers, started by the launcher."""
    run = Run([sys.executable, str(PROGRAM), str(tmp_path), "servers"], tmp_path)
    yield run
    run.child.kill()
    run.child.communicate(timeout=LIMIT_S)


@pytest.fixture
def servers_of_make(tmp_path: Path) -> Iterator[Run]:
    """The servers, started by make in the way in which the Makefile starts the stack."""
    makefile = tmp_path / "Makefile"
    makefile.write_text(
        f"include {ROOT}/Makefile\nservers:\n\t@$(TIED) $(PY) {PROGRAM} {tmp_path} servers\n"
    )
    command = ["make", "--no-print-directory", "-C", str(ROOT), "-f", str(makefile), "servers"]
    run = Run(command, tmp_path)
    yield run
    run.child.kill()
    run.child.communicate(timeout=LIMIT_S)


def test_kill_9_of_the_launcher_leaves_nothing(servers: Run):
    """The kernel ends the children of a launcher that could not."""
    servers.child.kill()
    servers.nothing_is_left()


def test_kill_9_of_make_leaves_nothing(servers_of_make: Run):
    """The launcher notices that make is gone, and stops everything."""
    servers_of_make.child.kill()
    servers_of_make.nothing_is_left()


def test_kill_9_of_each_server_is_noticed_and_leaves_nothing_of_it(tmp_path: Path):
    """Each server that dies is named with its log's last lines; it can be started again."""
    with Stack(tmp_path, durable=False) as stack:
        stack.start_servers()
        for name in ("sandbox", "connect", "kafka", "postgres"):
            stack.parts.check()
            notice_the_death(stack, name)
            stack.parts.restart(name)
    for name in stack.parts.names:
        assert not stack.parts.process(name).running


def notice_the_death(stack: Stack, name: str) -> None:
    """Kill a part from outside; see that it is named and that nothing of it stays."""
    part = stack.parts.process(name)
    processes = family_of(part.pid)
    processes[0].kill()
    wait_until(lambda: part.died() is not None, f"the end of {name} is noticed")
    with pytest.raises(PartFailed, match=f"{name} was ended by SIGKILL") as caught:
        stack.parts.check()
    assert len(str(caught.value).splitlines()) > 1
    wait_until(lambda: not left(processes), f"nothing of {name} is left")


def api(folder: Path) -> httpx.Client:
    """Talk to the API of the run that goes on."""
    state = json.loads((folder / "state.json").read_text())
    return httpx.Client(
        base_url=state["api_url"], auth=As(state["issuer_url"]), trust_env=False, timeout=LIMIT_S
    )


def test_the_whole_goes_on_where_it_was_killed(tmp_path: Path):
    """A service that dies ends the run; started again on its folder, it has all its data."""
    command = [sys.executable, str(PROGRAM), str(tmp_path), "all"]
    first = Run(command, tmp_path)
    with api(tmp_path) as http:
        made = http.post("/api/clients", json={"first_name": "Ann"}).json()
    first.find("-m scorer").kill()
    code, said = first.end()
    assert code == 1
    assert said.startswith("scorer was ended by SIGKILL; its last lines")
    first.nothing_is_left()
    assert not (tmp_path / "state.json").exists()

    second = Run(command, tmp_path)
    with api(tmp_path) as http:
        score = f"/api/clients/{made['id']}/score"
        wait_until(lambda: http.get(score).status_code == 200, "the client has a score")
        assert http.get(score).json()["version"] == made["version"]
    second.child.terminate()
    assert second.end() == (130, "")
    second.nothing_is_left()
    log = (tmp_path / "postgres" / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down")


def test_a_part_that_cannot_start_is_named_and_ends_the_run(tmp_path: Path):
    """When Kafka cannot start, the error shows Kafka's last lines and nothing else is left."""
    kafka = tmp_path / "kafka"
    (kafka / "data").mkdir(parents=True)
    (kafka / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=77\n")
    command = [sys.executable, str(PROGRAM), str(tmp_path), "servers"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("kafka ended with exit code 1; its last lines, from")
    assert "configured node id" in done.stderr
    wait_until(
        lambda: not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(p.info)],
        "nothing runs in the folder",
    )
