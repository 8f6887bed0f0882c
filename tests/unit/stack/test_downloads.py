"""What is fetched: pinned, and nothing but what the lock names."""

import hashlib
import re
from pathlib import Path

import pytest

from stack import downloads
from stack.errors import Missing


def test_every_download_is_pinned_to_one_version():
    """No range, no latest, no snapshot."""
    artifacts = (
        *downloads.KAFKA_ARTIFACTS,
        downloads.DEBEZIUM_ARTIFACT,
        downloads.POSTGRES_ARTIFACT,
        downloads.MAVEN_PLUGIN,
    )
    for artifact in artifacts:
        assert re.fullmatch(r"\d+(\.\d+)+(\.Final)?", artifact.split(":")[2])


def test_the_lock_names_what_is_fetched_and_no_registry():
    """The lock holds a digest for each file and no address."""
    text = downloads.LOCK.read_text()
    locked = downloads.read_lock(text)
    assert f"kafka_2.13-{downloads.KAFKA}.jar" in locked
    assert f"debezium-connector-postgres-{downloads.DEBEZIUM}-plugin.tar.gz" in locked
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in locked.values())
    assert "://" not in text + downloads.pom_of(downloads.KAFKA_ARTIFACTS).replace(
        "http://maven.apache.org/POM/4.0.0", ""
    )


def test_the_cache_is_what_the_lock_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file whose content is another's, or that nobody named, is refused."""
    lock = tmp_path / "lock.txt"
    lock.write_text(f"{hashlib.sha256(b'right').hexdigest()}  a.jar\n")
    monkeypatch.setattr(downloads, "LOCK", lock)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.jar").write_bytes(b"right")
    downloads._verify(folder)
    (folder / "a.jar").write_bytes(b"wrong")
    with pytest.raises(Missing, match=r"a\.jar .*refused"):
        downloads._verify(folder)
    (folder / "a.jar").write_bytes(b"right")
    (folder / "b.jar").write_bytes(b"more")
    with pytest.raises(Missing, match=r"b\.jar .*refused"):
        downloads._verify(folder)


def test_a_failed_download_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The cache's folder appears when it is complete, and the next start tries again."""
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")

    def half(folder: Path) -> None:
        (folder / "first.jar").write_bytes(b"")
        raise Missing("the line went dead")

    with pytest.raises(Missing, match="line went dead"):
        downloads.cached("thing", half)
    assert not (tmp_path / "cache" / "thing").exists()
    whole = downloads.cached("thing", lambda folder: (folder / "a").touch())
    assert (whole / "a").is_file()
