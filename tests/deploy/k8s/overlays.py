"""deploy/k8s with made-up secrets, in a folder of a run's own: the repository is left as it is."""

import shutil
from pathlib import Path

from deploy import made_up_secrets
from stack.places import ROOT

SOURCE = ROOT / "deploy" / "k8s"
NAMES = ("dev", "prod", "test")
ADDED = Path(__file__).parent / "added"
"""Kustomizations of the tests' own, which build on ``overlays/test``."""


class Overlays:
    """A copy of deploy/k8s."""

    def __init__(self, folder: Path) -> None:
        """Copy it, and what the tests add, into ``folder``."""
        self.root = folder / "k8s"
        shutil.copytree(SOURCE, self.root, ignore=shutil.ignore_patterns("secrets"))
        shutil.copytree(ADDED, self.root / "added")

    def folder(self, name: str) -> Path:
        """Return the folder of one overlay, its secrets made up."""
        overlay = self.root / "overlays" / name
        made_up_secrets.make(overlay)
        return overlay

    def given(self, name: str, file: str) -> dict[str, str]:
        """Return what stands in a secret file of an overlay."""
        lines = (self.folder(name) / "secrets" / file).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def give(self, name: str, file: str, values: dict[str, str]) -> None:
        """Write a secret file of an overlay, before it is made up."""
        target = self.root / "overlays" / name / "secrets" / file
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
