"""Dockerfiles as tests look at them: stages, and the instructions of each."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from stack.places import ROOT

SERVICES = ROOT / "deploy" / "Dockerfile"
CONNECT = ROOT / "deploy" / "connect" / "Dockerfile"


def all_of_them() -> list[Path]:
    """Return every Dockerfile, those that only tests use, too."""
    folders = (ROOT / "deploy", ROOT / "tests" / "deploy")
    return sorted(file for folder in folders for file in folder.rglob("Dockerfile"))


@dataclass
class Stage:
    """What one FROM begins."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        """Return the arguments of an instruction, as often as it stands there."""
        return [rest for name, rest in self.instructions if name == instruction]


@dataclass
class Dockerfile:
    """A whole file; ``arguments`` are those before the first stage."""

    arguments: dict[str, str]
    stages: list[Stage]

    def stage(self, name: str) -> Stage:
        """Return a stage by its name."""
        return next(stage for stage in self.stages if stage.name == name)

    def lineage(self, name: str) -> list[Stage]:
        """Return a stage and those that it is based on, the last one first."""
        stage = self.stage(name)
        known = {stage.name for stage in self.stages}
        return [stage, *(self.lineage(stage.base) if stage.base in known else [])]

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables that an image of a stage has."""
        found: dict[str, str] = {}
        for stage in reversed(self.lineage(name)):
            for words in stage.all("ENV"):
                found |= dict(word.partition("=")[::2] for word in words.split())
        return found

    def health_command(self, name: str) -> list[str]:
        """Return the command of an image's health check."""
        for stage in self.lineage(name):
            for words in stage.all("HEALTHCHECK"):
                command: list[str] = json.loads(words.partition("CMD ")[2])
                return command
        raise AssertionError(f"{name} has no health check")


def read(file: Path) -> Dockerfile:
    """Read a file; comments are left out and lines put together."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n", "", "\n".join(lines))
    found = Dockerfile({}, [])
    for line in filter(str.strip, text.splitlines()):
        instruction, rest = line.split(maxsplit=1)
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            found.stages.append(Stage(base, name))
        elif found.stages:
            found.stages[-1].instructions.append((instruction, rest))
        else:
            name, _, value = rest.partition("=")
            found.arguments[name] = value
    return found
