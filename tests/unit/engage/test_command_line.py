"""The command line: help worth reading, and one clear line for whatever is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engage.__main__ import main

COMMANDS = [
    ["status"],
    ["replay"],
    ["backfill"],
    ["reconcile"],
    ["erase"],
    ["dlq", "list"],
    ["dlq", "show"],
    ["dlq", "replay"],
    ["dlq", "dismiss"],
]
NOWHERE = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "CONNECT_URL": "http://127.0.0.1:9",
    "ENGAGE_DATABASE_URL": "postgresql://engage:canary@127.0.0.1:9/engage",
}


OPTIONAL = (
    *("CLIENT_API_URL", "MAILER_URL", "TOPIC_PARTITIONS", "SHOP_TIME_ZONE"),
    "KAFKA_SECURITY_PROTOCOL",
)


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command line in an empty folder, with nothing of our environment."""

    def run(words: list[str], env: dict[str, str] | None = None, folder: Path = tmp_path) -> Said:
        for name in [*NOWHERE, *OPTIONAL]:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"COLUMNS": "100", **(env or {})}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        monkeypatch.setattr("sys.argv", ["engage", *words])
        monkeypatch.setattr("engage.broker.CONNECT_LIMIT_S", 0.5)
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Said(int(ended.value.code or 0), told.out, told.err)

    return run


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(words: list[str], run: Run):
    """What it does, and how it is used, without anything running."""
    done = run([*words, "--help"])
    assert done.code == 0
    assert f"engage {' '.join(words)}" in done.out
    assert "Example" in done.out
    assert not done.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["sing"], "sing"),
        (["status", "--loud"], "--loud"),
        (["replay"], "--clients"),
        (["replay", "--clients", "1,two"], "'two'"),
        (["replay", "--clients", "0"], "'0'"),
        (["replay", "--clients", "9" * 5_000], "no client id"),
        (["what-if", "--set", "theta=0.4", "--clients", "²"], "'²'"),
        (["what-if", "--set", "theta=0.4", "--clients", "9" * 19], "--clients"),
        (["what-if", "--set", "theta=0.4", "--cost-per-email", "inf"], "an amount"),
        (["what-if", "--set", "theta=0.4", "--cost-per-email", "nan"], "--cost-per-email"),
        (["replay", "--clients", "1", "--all"], "one of"),
        (["replay", "--file", "missing.txt"], "missing.txt"),
        (["backfill"], "--table"),
        (["backfill", "--table", "episodes"], "'episodes'"),
        (["backfill", "--table", "orders", "--where", "1=1) or (1"], "brackets"),
        (["dlq", "list", "--topic", "nothing"], "'nothing'"),
        (["dlq", "show", "--topic", "nothing"], "'nothing'"),
        (["dlq", "replay", "--topic", "nothing"], "'nothing'"),
        (["dlq", "replay", "--offset", "1"], "--topic"),
        (["reconcile", "--after-restore", "--fix"], "alone"),
        (["erase"], "--open"),
        (["erase", "--client", "1", "--open"], "either"),
        (["erase", "--client", "0"], "--client"),
        (["erase", "--client", "two"], "--client"),
        (["erase", "--client", str(2**63)], "--client"),
        (["erase", "--open", "--actor", " "], "--actor"),
        # What cannot be reached or is set up wrongly.
        (["replay", "--clients", "1"], "127.0.0.1:9"),
        (["backfill", "--table", "orders"], "Postgres"),
        (["reconcile"], "127.0.0.1:9"),
        (["dlq", "list"], "127.0.0.1:9"),
        (["dlq", "list", "--stack-file", "missing.json"], "missing.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(words: list[str], named: str, run: Run):
    """One line names what is wrong; no trace, no secret, nothing on stdout."""
    done = run(words, NOWHERE)
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1, done.err
    assert named in done.err
    assert not done.out
    assert "canary" not in done.err


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["backfill", "--table", "orders"], "ENGAGE_DATABASE_URL", "postgresql://e:canary[@h:1/e"),
        (["what-if", "--set", "theta=0.4"], "SHOP_TIME_ZONE", "Europe/Viena"),
    ],
)
def test_a_setting_that_is_wrong_is_named(words: list[str], name: str, value: str, run: Run):
    """One line, exit code 2, and the password stays unsaid."""
    done = run(words, {**NOWHERE, name: value})
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1, done.err
    assert name in done.err
    assert "canary" not in done.err


def test_without_any_settings_it_says_what_to_set(run: Run):
    """Neither environment nor state file: both are named."""
    done = run(["status"])
    assert done.code == 2
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.err
    assert "--stack-file" in done.err


def test_a_state_file_is_found_from_below_and_never_mixed_with_the_environment(
    run: Run, tmp_path: Path
):
    """The checkout's own stack is found from any folder in it; the environment hides it whole."""
    (tmp_path / ".run").mkdir()
    state = {"bootstrap_servers": "127.0.0.1:7", "connect_url": "http://127.0.0.1:7"}
    (tmp_path / ".run" / "state.json").write_text(json.dumps(state))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert "127.0.0.1:7" in run(["dlq", "list"], folder=below).err
    hidden = run(["dlq", "list"], {"CONNECT_URL": "http://127.0.0.1:9"}, below)
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in hidden.err


def test_tls_without_its_files_is_named_and_a_local_stack_needs_none(run: Run, tmp_path: Path):
    """What the environment says of another Kafka does not hold for a stack on this machine."""
    done = run(["dlq", "list"], {**NOWHERE, "KAFKA_SECURITY_PROTOCOL": "SSL"})
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "KAFKA_SSL_CA_LOCATION" in done.err
    (tmp_path / "state.json").write_text(json.dumps({"bootstrap_servers": "127.0.0.1:7"}))
    named = ["dlq", "list", "--stack-file", str(tmp_path / "state.json")]
    assert "answers at 127.0.0.1:7" in run(named, {"KAFKA_SECURITY_PROTOCOL": "SSL"}).err


def test_a_status_that_can_ask_nobody_says_so_and_fails(run: Run):
    """What cannot be asked is null, never zero; each part has its problem; the exit code is 1."""
    done = run(["status", "--json"], NOWHERE)
    assert done.code == 1
    document = json.loads(done.out)
    for part in ("dead_letters", "episodes", "connector", "policy"):
        assert document[part] is None
    assert document["hops"] == [{"hop": "Postgres → cdc", "records": None, "seconds": None}]
    assert {text.split(":")[0] for text in document["problems"]} == {
        *("Kafka", "Postgres", "connector")
    }
