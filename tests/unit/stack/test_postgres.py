"""Which Postgres is used: the newest of the machine, when it is new enough."""

from pathlib import Path

import pytest

from stack import downloads, postgres


def server(folder: Path, version: str) -> Path:
    """Make a bin folder whose server says a version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        file = folder / name
        file.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        file.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def nothing_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Hide the machine's own servers; what is fetched is a folder of its own."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(downloads, "embedded_postgres", lambda: tmp_path / "fetched")


def test_the_newest_installed_one_is_used(tmp_path: Path):
    """By number, not by name: 15 is newer than 9.6."""
    server(tmp_path / "9.6" / "bin", "9.6.24")
    server(tmp_path / "15" / "bin", "15.18 (Debian)")
    newest = server(tmp_path / "17" / "bin", "17.6")
    assert postgres.find_binaries(tmp_path) == newest


def test_one_on_the_path_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A server that is not Debian's is found by the PATH."""
    mine = server(tmp_path / "mine", "16.3")
    monkeypatch.setenv("PATH", f"{mine}:/bin")
    assert postgres.find_binaries(tmp_path / "none") == mine


def test_one_is_fetched_where_there_is_none_or_only_an_old_one(tmp_path: Path):
    """Postgres 14 will not do."""
    assert postgres.find_binaries(tmp_path) == tmp_path / "fetched" / "bin"
    server(tmp_path / "14" / "bin", "14.2")
    assert postgres.find_binaries(tmp_path) == tmp_path / "fetched" / "bin"
