"""The relay's command line: what each command says of itself, and wrong settings in one line."""

import pytest

from cdc_relay.__main__ import main

GOOD = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "CDC_DATABASE_HOST": "127.0.0.1"}


@pytest.fixture
def said(monkeypatch, capsys):
    """Run the command line; return its exit code, what it said, and what it complained of."""

    def run(*words: str, **environment: str) -> tuple[object, str, str]:
        monkeypatch.setattr("sys.argv", ["cdc_relay", *words])
        for name, value in (GOOD | environment).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


@pytest.mark.parametrize("command", ["topics", "connector", "announce"])
def test_the_help_names_every_command(command, said):
    """What there is stands in the help of the whole."""
    code, out, _ = said("--help")
    assert code == 0
    assert command in out


def test_announcing_says_what_it_waits_for_and_how_long(said):
    """A job's author needs to know: what is told to whom, the limit, and the exit code."""
    code, out, _ = said("announce", "--help")
    assert code == 0
    for word in ("scorers", "ten minutes", "exits with 1", "settings of `connector`"):
        assert word in " ".join(out.split())


@pytest.mark.parametrize("command", ["topics", "connector", "announce"])
def test_a_file_that_is_missing_is_one_line_at_once(command, said):
    """Before anything is waited for: nobody will bring it."""
    code, out, err = said(
        command,
        KAFKA_SECURITY_PROTOCOL="SSL",
        KAFKA_SSL_CA_LOCATION="/nowhere/ca.crt",
        KAFKA_SSL_CERTIFICATE_LOCATION="/nowhere/user.crt",
        KAFKA_SSL_KEY_LOCATION="/nowhere/user.key",
    )
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "KAFKA_SSL_CA_LOCATION /nowhere/ca.crt cannot be read" in err
