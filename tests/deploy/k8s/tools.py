"""The programs of a Kubernetes cluster, without one: built once, kept in a git-ignored folder.

Whoever has a cluster, such as kind's, needs none of it but kubectl. For a machine without one
``PLATFORM_TOOLS`` (tests/deploy/engine.py) has further programs:

build-k8s.sh FOLDER         puts Kubernetes' own programs there; WITH_NODE=1: those of a node, too
cp-up.sh FOLDER             starts an API server with scheduler and controllers on loopback, at the
                            ports ETCD_PORT and API_PORT, kwok's nodes by KWOK_STAGES, and writes
                            FOLDER/kubeconfig; cp-down.sh FOLDER stops them
node-up.sh PROGRAMS IMAGES  starts a node in a container called node0, by build-k8s.sh's programs
                            and a folder of images, with its kubeconfig at /node/kubeconfig
dns.yaml                    CoreDNS, for that node
"""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stack.places import CACHE
from tests.deploy.engine import Missing

FOLDER = CACHE / "k8s-test"
BIN = FOLDER / "bin"
STAGES = FOLDER / "kwok-stages"
"""What kwok does to simulated nodes and pods; its own files."""

CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
NODE = ("kubelet", "kube-proxy")
KWOK = "sigs.k8s.io/kwok@v0.8.0"
COREDNS = "github.com/coredns/coredns@v1.15.0"
ETCD = "go.etcd.io/etcd/server/v3@v3.6.13"
"""Go's own checksum database vouches for all of them."""
ETCD_MAIN = """package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
"""
BUILD_LIMIT_S = 7200.0
INSTALL = (
    "name one by CLUSTER and LOAD, such as kind's after `kind create cluster --name k8s-test"
    ' --kubeconfig FILE`: CLUSTER=FILE LOAD="kind load docker-image --name k8s-test"'
    " (deploy/k8s/README.md)"
)


@dataclass(frozen=True)
class Tools:
    """Where the programs lie that were found."""

    folder: Path
    """That of ``PLATFORM_TOOLS``."""

    @property
    def environment(self) -> dict[str, str]:
        """Return our environment, with the programs on the path."""
        return {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "KWOK_STAGES": str(STAGES),
        }


def find() -> Tools:
    """Return the programs, built where they are missing, which takes minutes. Raises Missing."""
    named = os.environ.get("PLATFORM_TOOLS")
    if not named:
        raise Missing(f"there is no cluster: {INSTALL}")
    folder = Path(named).resolve()
    if shutil.which("openssl") is None:
        raise Missing("openssl is not here: apt-get install openssl")
    wanted = (*CONTROL_PLANE, *NODE)
    if not all((BIN / program).exists() for program in wanted):
        _need_go()
        _run([str(folder / "build-k8s.sh"), str(BIN)], {"WITH_NODE": "1"})
    _install("kwok", KWOK, "cmd/kwok")
    _install("coredns", COREDNS, "")
    if not (BIN / "etcd").exists():
        _build_etcd()
    if not STAGES.is_dir():
        _keep_stages()
    return Tools(folder)


def _need_go() -> None:
    if shutil.which("go") is None:
        raise Missing("Go is not here, which builds the programs of a cluster: see go.dev")


def _install(name: str, module: str, package: str) -> None:
    """Build one program of a module."""
    if (BIN / name).exists():
        return
    _need_go()
    where, _, version = module.partition("@")
    path = f"{where}/{package}@{version}" if package else module
    _run(["go", "install", "-trimpath", path], {"GOBIN": str(BIN), "CGO_ENABLED": "0"})


def _build_etcd() -> None:
    """Build etcd as a module of ours: its own cannot be installed.

    Debian's is too old to stream lists, which kwok asks for: it would hear of each pod only after
    a minute of refusals.
    """
    _need_go()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.go").write_text(ETCD_MAIN)
        for words in (
            ("go", "mod", "init", "etcd"),
            ("go", "get", ETCD),
            ("go", "build", "-trimpath", "-o", str(BIN / "etcd"), "."),
        ):
            _run([*words], {"CGO_ENABLED": "0"}, Path(folder))


def _keep_stages() -> None:
    """Copy kwok's stages out of its module."""
    told = subprocess.run(
        ["go", "mod", "download", "-json", KWOK],
        timeout=BUILD_LIMIT_S,
        check=True,
        capture_output=True,
        text=True,
    )
    source = Path(json.loads(told.stdout)["Dir"]) / "kustomize" / "stage"
    draft = STAGES.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft, copy_function=shutil.copyfile)
    draft.rename(STAGES)


def _run(words: list[str], more: dict[str, str], folder: Path | None = None) -> None:
    BIN.mkdir(parents=True, exist_ok=True)
    print(f"building by {' '.join(words)}: once, and for long", flush=True)
    subprocess.run(words, env={**os.environ, **more}, cwd=folder, timeout=BUILD_LIMIT_S, check=True)
