"""The command lines: one JSON object, a report that asks nobody, one clear line for bad input."""

import json
import re

import pytest

from fitting.parameters import Parameters
from tests.unit.fitting.shops import answer, csv_of, made_up, run

SPLIT = ("--split", "1998-03-15", "--horizon", "60")  # day 10,300
KEYS = {"n", "n_repeat", "churn", "auc_all", "auc_repeat", "pr_auc", "brier", "ece"} | {
    "lift_top_decile",
    "spend_top_20",
}


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """A file of a made-up shop's orders."""
    target = tmp_path_factory.mktemp("shop") / "orders.csv"
    target.write_text(csv_of(sorted(set(made_up(3_000)))))
    return str(target)


def test_the_evaluation_prints_the_figures_and_writes_a_report(orders, tmp_path):
    """One JSON object with the promised names; a report without a single outside address."""
    report = tmp_path / "report.html"
    found = answer(run("eval", "--orders", orders, *SPLIT, "--out", str(report)))
    assert set(found) == KEYS | {"recency", "weights"}
    assert set(found["recency"]) == KEYS
    assert set(found["weights"]) == {"intercept", "frequency", "value", "recency"}
    html = report.read_text()
    loading = r'(?:src|href)="(?!#)[^"]*"|url\((?!#)|@import|<script'
    assert not re.search(loading, html)
    for word in ("Calibration", "Lift", "At-risk rule", "Data quality", "duplicates"):
        assert word in html


def test_the_fit_writes_a_file(orders, tmp_path):
    """The file holds what the command printed, and is a parameter file."""
    target = tmp_path / "p.json"
    printed = answer(
        run(
            "fit",
            "--orders",
            orders,
            "--as-of",
            "1998-04-24",
            "--horizon",
            "60",
            "--max-ece",
            "0.2",
            "--out",
            str(target),
        )
    )
    assert Parameters.read(target).model_dump(mode="json")["policy"] == printed["policy"]
    assert json.loads(target.read_text())["schema_version"] == 1


def test_a_refused_fit_writes_no_file(orders, tmp_path):
    """Exit code 1, the reason on stderr, and nothing written."""
    target = tmp_path / "p.json"
    done = run(
        "fit",
        "--orders",
        orders,
        "--as-of",
        "1998-04-24",
        "--horizon",
        "60",
        "--max-ece",
        "1e-9",
        "--out",
        str(target),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("refused: calibration error")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "arguments", "line"),
    [
        ("eval", ["--orders", "none.csv", "--split", "1998-01-01"], "no such file"),
        ("eval", ["--orders", "{}", "--split", "soon"], "is no date"),
        ("eval", ["--orders", "{}", "--split", "2030-01-01"], "outside the data"),
        ("eval", ["--orders", "{}", *SPLIT, "--date-column", "when"], "no column 'when'"),
        ("eval", ["--orders", "{}", *SPLIT, "--out", "/nowhere/r.html"], "cannot be written"),
        ("eval", ["--orders", "{}", *SPLIT, "--time-zone", "Mars"], "no time zone"),
        ("fit", [], "name one source"),
        ("fit", ["--orders", "{}", "--as-of", "2030-01-01"], "outside the data"),
        ("fit", ["--orders", "{}", "--held-out", "none.txt"], "cannot be read"),
        ("fit", ["--database", "postgresql://x:secret@127.0.0.1:1/x"], "cannot be reached"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(orders, tmp_path, command, arguments, line):
    """A person reads what is wrong; no traceback, no secret."""
    given = [argument.replace("{}", orders) for argument in arguments]
    if command == "fit":
        given += ["--out", str(tmp_path / "p.json")]
    done = run(command, *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(line, done.stderr)
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
    assert list(tmp_path.iterdir()) == []
