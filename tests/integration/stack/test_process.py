"""One child: what it says when it fails, how it stops, and that it never outlives its parent."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from stack import tied
from stack.errors import PartFailed
from stack.family import Closing, Family
from stack.process import Process, run
from tests.integration.stack.watching import left, wait_until

LIMIT_S = 20.0
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
FOREVER = "import signal; signal.pause()"


def python(name: str, log: Path, program: str, **options) -> Process:
    """Describe a child that runs a Python program."""
    return Process(name, [sys.executable, "-c", program], log, **options)


def says(process: Process, word: str):
    """Return a check that waits for a word in the log."""
    return lambda: None if word in process.log.read_text() else f"it has not said {word}"


def test_a_part_that_fails_names_itself_and_shows_its_last_lines(tmp_path: Path):
    """The error holds the part's name, its exit code, and the end of its log, not the start."""
    program = "import sys\nfor n in range(100): print('line', n)\nsys.exit(3)"
    part = python("the oven", tmp_path / "log", program)
    with pytest.raises(PartFailed) as caught:
        part.start_ready(lambda: "never", LIMIT_S)
    said = str(caught.value)
    assert said.startswith("the oven ended with exit code 3; its last lines")
    assert "line 99" in said
    assert "line 10\n" not in said
    assert caught.value.part == "the oven"


def test_a_part_that_is_not_ready_in_time_says_why_and_is_gone(tmp_path: Path):
    """The error names the part and what it still lacked; the part does not stay."""
    part = python("the oven", tmp_path / "log", FOREVER)
    with pytest.raises(PartFailed, match=r"the oven was not ready within 0 s \(it is cold\)"):
        part.start_ready(lambda: "it is cold", 0.2)
    assert not part.running


def test_a_program_that_does_not_exist_is_said_to_fail(tmp_path: Path):
    """A command that cannot be run shows in the log of the part."""
    part = Process("the oven", [str(tmp_path / "nothing")], tmp_path / "log")
    with pytest.raises(PartFailed, match="the oven ended with exit code 1") as caught:
        part.start_ready(lambda: "never", LIMIT_S)
    assert "FileNotFoundError" in str(caught.value)


def test_a_part_that_ends_on_its_own_is_noticed_one_that_was_stopped_is_not(tmp_path: Path):
    """Only what nobody asked for is a failure."""
    part = python("the oven", tmp_path / "log", FOREVER)
    part.start()
    assert part.died() is None
    os.kill(part.pid, signal.SIGKILL)
    wait_until(lambda: part.died() is not None, "its death is noticed")
    assert "the oven was ended by SIGKILL" in str(part.died())
    part.start()
    part.kill()
    assert part.died() is None
    part.start()
    part.stop()
    assert part.died() is None


def test_a_part_that_will_not_stop_is_killed_with_all_it_started(tmp_path: Path):
    """After the limit KILL follows TERM, for its own children, too."""
    colt = f"{STUBBORN}\n{FOREVER}"
    program = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {colt!r}], start_new_session=True)\n{colt}"
    )
    part = python("the mule", tmp_path / "log", program)
    part.start_ready(
        lambda: None if (tmp_path / "log").read_text().count("deaf") == 2 else "not deaf", LIMIT_S
    )
    (grandchild,) = psutil.Process(part.pid).children()
    part.stop(limit_s=0.3)
    assert not part.running
    assert not left([grandchild])


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path):
    """A part that was started from a short-lived thread goes on when that thread ends."""
    part = python("the oven", tmp_path / "log", f"print('hot', flush=True); {FOREVER}")
    starter = threading.Thread(target=part.start)
    starter.start()
    starter.join()
    part.wait_ready(says(part, "hot"), LIMIT_S)
    assert part.running
    part.kill()


def test_a_child_dies_with_its_parent(tmp_path: Path):
    """Kill -9 of the parent leaves no child."""
    program = (
        "import sys; from pathlib import Path; from stack.process import Process\n"
        f"part = Process('sleeper', [sys.executable, '-c', {FOREVER!r}], Path(sys.argv[1]))\n"
        f"part.start(); print(part.pid, flush=True); {FOREVER}"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_until(lambda: not left([child]), "the child is gone")


def test_a_child_whose_parent_died_before_it_was_tied_never_starts(tmp_path: Path):
    """Between the start of a child and its tie the parent may die: then the child gives up."""
    somebody_else = os.getppid()
    done = subprocess.run(
        [sys.executable, tied.__file__, "KILL", str(somebody_else), "touch", tmp_path / "made"],
        timeout=LIMIT_S,
        check=True,
    )
    assert done.returncode == tied.EXIT_PARENT_GONE
    assert not (tmp_path / "made").exists()


def test_ctrl_c_of_the_terminal_does_not_reach_the_child(tmp_path: Path):
    """A child has a session of its own: the parent stops it in order."""
    part = python("the oven", tmp_path / "log", FOREVER)
    part.start()
    assert os.getsid(part.pid) != os.getsid(0)
    part.kill()


def test_nothing_starts_in_a_family_that_is_being_ended(tmp_path: Path):
    """A start that comes too late is refused, and what runs is gone."""
    family = Family()
    early = python("early", tmp_path / "early", FOREVER, family=family)
    late = python("late", tmp_path / "late", FOREVER, family=family)
    early.start()
    family.end()
    assert not early.running
    with pytest.raises(Closing):
        late.start()
    assert not late.running


def test_a_command_that_fails_shows_its_log(tmp_path: Path):
    """A one-shot command fails loudly, as a service does."""
    with pytest.raises(PartFailed, match="no flour"):
        run(
            "dough", [sys.executable, "-c", "raise SystemExit('no flour')"], tmp_path / "l", LIMIT_S
        )
    run("dough", [sys.executable, "-c", ""], tmp_path / "l", LIMIT_S)
