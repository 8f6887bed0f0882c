"""The folders of runs: a fresh one each time, old ones removed, and which run is going on now."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import psutil

from stack.places import RUNS, STATE_FILE

OWNER_FILE = "owner.json"


@dataclass(frozen=True)
class Owner:
    """The process that a run belongs to; a process id alone may be somebody else's by now."""

    pid: int
    created: float
    """When the process was created, in seconds since 1970, as the system tells it."""

    @classmethod
    def me(cls) -> Self:
        """Return this process."""
        return cls(os.getpid(), psutil.Process().create_time())

    def lives(self) -> bool:
        """Tell whether that very process runs."""
        try:
            process = psutil.Process(self.pid)
            ended = process.status() == psutil.STATUS_ZOMBIE
            return not ended and process.create_time() == self.created
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True)
class State:
    """A run that answers: what another terminal must know to talk to it."""

    owner: Owner
    folder: str
    api_url: str
    """The API, and the dashboard under the same address."""
    bootstrap_servers: str
    connect_url: str
    topic_partitions: int
    clock_file: str
    model_sandbox: bool
    engage_database_url: str
    """Holds a password: the file is its owner's alone."""
    mailer_url: str
    """Where the mailer tells its health."""
    issuer_url: str
    """Whose access tokens open the API."""
    auth_audience: str
    tools_client_id: str
    tools_client_secret: str
    """With it programs get tokens at the issuer; a secret, as the database's password."""

    def write(self, file: Path = STATE_FILE) -> None:
        """Make this the run that is found, at once and whole."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{self.owner.pid}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(file)

    def withdraw(self, file: Path = STATE_FILE) -> None:
        """Take the file away, unless a later run has put its own there."""
        if read(file) == self:
            file.unlink()


def read(file: Path = STATE_FILE) -> State | None:
    """Return the run that is going on, or None: there is none, or it was killed."""
    try:
        raw = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    try:
        state = State(**{**raw, "owner": Owner(**raw["owner"])})
    except TypeError:  # left by another version of the stack
        return None
    return state if state.owner.lives() else None


def new_folder(runs: Path = RUNS) -> Path:
    """Return a fresh folder for a run of this process; remove those whose processes have ended."""
    runs.mkdir(parents=True, exist_ok=True)
    remove_ended(runs)
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    folder = runs / f"{stamp}-{os.getpid()}"
    folder.mkdir()
    claim(folder)
    return folder


def claim(folder: Path) -> None:
    """Note that a folder belongs to this process as long as it lives."""
    (folder / OWNER_FILE).write_text(json.dumps(asdict(Owner.me())))


def remove_ended(runs: Path = RUNS) -> None:
    """Remove the folders of runs that have ended."""
    for owner_file in runs.glob(f"*/{OWNER_FILE}"):
        if not Owner(**json.loads(owner_file.read_text())).lives():
            shutil.rmtree(owner_file.parent, ignore_errors=True)
