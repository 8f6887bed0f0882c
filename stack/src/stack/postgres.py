"""A Postgres server: the machine's own binaries where present, fetched ones otherwise."""

import os
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from stack import downloads
from stack.environment import base
from stack.family import Family
from stack.places import HOST, free_port
from stack.process import Process, run

OLDEST = 15
START_LIMIT_S = 60.0
INIT_LIMIT_S = 120.0
STOP_LIMIT_S = 20.0
ADMIN = "postgres"
PASSWORD_FILE = "password"  # noqa: S105 - a file's name
PID_FILE_STATUS = 7
"""The line of postmaster.pid, from 0, with the status (Postgres: LOCK_FILE_LINE_PM_STATUS)."""

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path has a short limit, folders have not
    "wal_level": "logical",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    # A slot that nobody reads may keep this much; then it is lost, and the disk is not.
    "max_slot_wal_keep_size": "4GB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_error_verbosity": "terse",  # the details of an error quote the row that it is about
}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests, whose data nobody needs after a crash of the machine."""

# Postgres refuses to run as root. In a user namespace root's own folders belong to another number.
AS_NOBODY = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
INSTALLED = Path("/usr/lib/postgresql")


class Postgres:
    """A server that runs; made by ``start``."""

    def __init__(self, process: Process, port: int, password: str, data: Path) -> None:
        """Hold a running server; use ``start``."""
        self.process = process
        self.port = port
        self._password = password
        self._data = data

    @classmethod
    def start(
        cls,
        folder: Path,
        port: int | None = None,
        *,
        durable: bool = True,
        binaries: Path | None = None,
        family: Family | None = None,
    ) -> Self:
        """Start a server whose data and log lie in ``folder``; on a used folder it goes on there.

        Listens on ``port`` (default: a free one) of the loopback address. ``durable=False`` trades
        safety against a crash of the machine for speed. Returns when it takes connections.
        Raises Missing, PartFailed, Closing.
        """
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        binaries = binaries or find_binaries()
        port = port or free_port()
        data = folder / "data"
        password = password_of(folder)
        if not data.exists():
            _init(folder, data, binaries, family)
        settings = {**SETTINGS, **({} if durable else CARELESS), "port": str(port)}
        process = Process(
            "postgres",
            [
                str(binaries / "postgres"),
                "-D",
                str(data),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            folder / "postgres.log",
            env=base(),
            before=_before(),
            # INT is the fast shutdown; TERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            family=family,
        )
        server = cls(process, port, password, data)
        process.start_ready(server.check, START_LIMIT_S)
        return server

    @property
    def admin_url(self) -> str:
        """The superuser's URL of the database ``postgres``."""
        return self.url(ADMIN, self._password, "postgres")

    @property
    def password(self) -> str:
        """The superuser's password."""
        return self._password

    def url(self, user: str, password: str, database: str) -> str:
        """Return a URL of this server."""
        return f"postgresql://{user}:{quote(password, safe='')}@{HOST}:{self.port}/{database}"

    def check(self) -> str | None:
        """Tell what is wrong, if anything, from the pid file's status line, as pg_ctl does."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return "it has written no pid file"
        # A file left by a server that was killed names another process.
        if lines[:1] != [str(self.process.pid)]:
            return "its pid file is another's"
        status = lines[PID_FILE_STATUS].strip() if len(lines) > PID_FILE_STATUS else "none yet"
        return None if status == "ready" else f"its status is {status}"

    def stop(self) -> None:
        """Stop the server: clients are cut off, everything committed is kept."""
        self.process.stop(STOP_LIMIT_S)

    def __enter__(self) -> Self:
        """Use the server for a while."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()


def password_of(folder: Path) -> str:
    """Return the superuser's password of the server in ``folder``, made up when it is new."""
    file = folder / PASSWORD_FILE
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()


def find_binaries(installed: Path = INSTALLED) -> Path:
    """Return the newest bin folder of Postgres on this machine, or a fetched one. Raises Missing.

    Looks on the PATH and where Debian keeps the versions side by side.
    """
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(installed.glob("*/bin"))
    found = {folder: version for folder in folders if (version := _version(folder)) >= OLDEST}
    if found:
        return max(found, key=lambda folder: found[folder])
    return downloads.embedded_postgres() / "bin"


def _version(folder: Path) -> int:
    """Return the major version of the server in a bin folder; 0 when there is none."""
    if not all((folder / name).is_file() for name in ("postgres", "initdb")):
        return 0
    said = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=False
    ).stdout
    found = re.search(r"(\d+)", said)
    return int(found.group(1)) if found else 0


def _before() -> tuple[str, ...]:
    return AS_NOBODY if os.geteuid() == 0 else ()


def _init(folder: Path, data: Path, binaries: Path, family: Family | None) -> None:
    """Make the database cluster in a draft folder, so that a half-made one is never used."""
    draft = folder / "data.draft"
    shutil.rmtree(draft, ignore_errors=True)
    run(
        "initdb",
        [
            str(binaries / "initdb"),
            f"--pgdata={draft}",
            f"--username={ADMIN}",
            f"--pwfile={folder / PASSWORD_FILE}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        folder / "initdb.log",
        INIT_LIMIT_S,
        before=_before(),
        family=family,
    )
    draft.rename(data)
