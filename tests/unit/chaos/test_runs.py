"""The command: one JSON line at the end, evidence of what went wrong, and a run that goes on."""

import json
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.emails import __main__ as command
from tests.chaos.emails.books import Books
from tests.chaos.emails.checker import KINDS
from tests.chaos.emails.schedule import Outcome

CLEAN = {"lost": 0, "duplicate": 0, "phantom": 0, "cross_talk": 0, "stale": 0, "stuck": 0}


def outcome(**findings: list[str]) -> Outcome:
    """What a schedule of five episodes comes to."""
    found: dict[str, list[str]] = {kind: findings.get(kind, []) for kind in KINDS}
    books = Books(delivery=False, journal=[])
    return Outcome(5, Counter(sent=5), Counter({"mailer-kill": 1}), Counter(), found, books, 1.0)


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Put fakes in the place of the stack and its schedules; return the schedules asked for."""
    asked: list[tuple[int, int]] = []
    bad: dict[int, Outcome] = {}

    @contextmanager
    def started(folder: Path, *, delivery: bool):
        (folder / "logs").mkdir(parents=True)
        (folder / "logs" / "mailer.log").write_text("as it was")
        (folder / "journal.jsonl").write_text("{}\n")
        yield None

    def run(_running, seed: int, number: int) -> Outcome:
        asked.append((seed, number))
        return bad.get(number, outcome())

    monkeypatch.setattr(command, "RUNS", tmp_path)
    monkeypatch.setattr(command, "PROGRESS", tmp_path / "progress.json")
    monkeypatch.setattr(command, "FOLDER", tmp_path / "run")
    monkeypatch.setattr(command, "started", started)
    monkeypatch.setattr(command.schedule, "run", run)
    monkeypatch.setattr(command.signals, "as_interrupts", lambda: None)
    return asked, bad, tmp_path


def test_a_run_ends_with_one_json_line(runs, capsys):
    """On stdout there is nothing else; the seed is shown on stderr."""
    assert command.main(["--schedules", "4", "--seed", "9"]) == 0
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    assert json.loads(said.out) == {"schedules": 4, "episodes": 20, **CLEAN}
    assert "seed 9" in said.err
    assert runs[0] == [(9, number) for number in range(4)]


@pytest.mark.parametrize("kind", KINDS)
def test_anything_wrong_fails_the_run_and_keeps_the_evidence(runs, capsys, kind):
    """It stops there, says where logs, journal and books are, and would begin there again."""
    asked, bad, folder = runs
    bad[2] = outcome(**{kind: ["one", "two"]})
    assert command.main(["--schedules", "4", "--seed", "9"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {"schedules": 3, "episodes": 15, **CLEAN, kind: 2}
    kept = folder / "chaos-emails-failed-9-2"
    assert str(kept) in said.err
    assert {path.name for path in kept.iterdir()} == {
        *("books.json", "findings.json", "journal.jsonl", "logs")
    }
    assert json.loads((kept / "findings.json").read_text())[kind] == ["one", "two"]
    assert (kept / "logs" / "mailer.log").read_text() == "as it was"

    bad.clear()
    asked.clear()
    assert command.main(["--schedules", "4", "--resume"]) == 0
    assert asked == [(9, 2), (9, 3)]
    assert json.loads(capsys.readouterr().out) == {"schedules": 4, "episodes": 20, **CLEAN}


def test_another_seed_is_no_resumption(runs):
    """Whoever names another seed than the last run's is told so."""
    command.main(["--schedules", "1", "--seed", "9"])
    with pytest.raises(SystemExit, match="the last run had the seed 9"):
        command.main(["--schedules", "2", "--seed", "8", "--resume"])


def test_a_schedule_that_breaks_off_leaves_its_logs(runs, monkeypatch, capsys):
    """Such as one whose part does not come back: that is no result, and it shows."""

    def run(*_arguments) -> Outcome:
        raise RuntimeError("mailer does not come back")

    monkeypatch.setattr(command.schedule, "run", run)
    with pytest.raises(RuntimeError):
        command.main(["--schedules", "1", "--seed", "9"])
    assert capsys.readouterr().out == ""
    assert (runs[2] / "chaos-emails-failed-9-0" / "logs" / "mailer.log").is_file()
