"""Pushes images and promotes them by digest: ``python -m deploy.release STEP``.

The steps, in order: ``pinned``, ``push``, ``sign``, ``promote``.

What was pushed stands in ``.cache/release/images.json``: for each image its name in a registry and
the digest that the registry gave it. Whoever signs or deploys goes by that: a tag can be moved.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from deploy.tools import Missing, tool

ROOT = Path(__file__).resolve().parents[1]
TOLD = ROOT / ".cache" / "release" / "images.json"
SBOMS = ROOT / ".cache" / "sbom"
PROD = ROOT / "deploy" / "k8s" / "overlays" / "prod"
OURS = "engagement/"
DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
BASES = ("PYTHON_IMAGE", "NODE_IMAGE", "KAFKA_IMAGE")
"""What production's images are built on, by the variables that `make images` takes."""
STRIMZI = "strimzi/kafka"
"""The image that Connect's must be built on: Strimzi starts it by scripts that no other one has."""
DASHBOARD = "dashboard"
STEPS = "usage: python -m deploy.release pinned | push | sign | promote\n"
LIMIT_S = 1800


class Refused(Exception):
    """A step cannot be taken; the message says why in one line."""


def promoted() -> list[str]:
    """Return production's images, as the manifests name them (``engagement/scorer``)."""
    document = yaml.safe_load((PROD / "kustomization.yaml").read_text())
    return [image["name"] for image in document["images"] if image["name"].startswith(OURS)]


def pinned(environment: Mapping[str, str]) -> None:
    """See that every base is named by its digest, and Connect's is Strimzi's. Raises Refused."""
    for variable in BASES:
        image = environment.get(variable, "")
        name, _, digest = image.rpartition("@")
        if not name or DIGEST.match(digest) is None:
            raise Refused(f"{variable} must name an image by digest, name:tag@sha256:…: {image!r}")
    if STRIMZI not in environment["KAFKA_IMAGE"]:
        raise Refused(f"KAFKA_IMAGE must be Strimzi's own, …/{STRIMZI}:…: Strimzi runs Connect")


def push(prefix: str, version: str) -> dict[str, str]:
    """Push production's images; return ``name@digest`` by image. Raises Refused.

    The digest is the one that the registry answered with, for the repository that was pushed to.
    """
    told = {}
    for image in promoted():
        name = f"{prefix}/{image.removeprefix(OURS)}"
        run(["docker", "push", "--quiet", f"{name}:{version}"])
        looked = run(
            ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", f"{name}:{version}"]
        )
        told[image] = pushed(name, json.loads(looked))
    return told


def pushed(name: str, digests: Sequence[str]) -> str:
    """Return the one of an image's digests that is its digest as ``name``. Raises Refused."""
    found = [it for it in digests if it.rpartition("@")[0] == name]
    if len(found) != 1 or DIGEST.match(found[0].rpartition("@")[2]) is None:
        raise Refused(
            f"{name} has no digest of its own after the push: {', '.join(digests) or 'none'}"
        )
    return found[0]


def sign(images: Mapping[str, str]) -> None:
    """Sign each image, and attest what it contains, with the identity of whoever runs this.

    Raises Refused; where a bill is missing, nothing is signed.
    """
    bills = {image: bills_of(image) for image in images}
    missing = [bill.name for each in bills.values() for bill in each if not bill.exists()]
    if missing:
        raise Refused(f"there is no {', '.join(missing)}: run `make sbom` first")
    for image, reference in images.items():
        run(["cosign", "sign", "--yes", reference])
        for bill in bills[image]:
            attest = ["cosign", "attest", "--yes", "--type", "cyclonedx", "--predicate", str(bill)]
            run([*attest, reference])


def bills_of(image: str) -> list[Path]:
    """Return the files that say what an image contains; client-api brings the dashboard, too."""
    name = image.removeprefix(OURS)
    parts = [name, DASHBOARD] if name == "client-api" else [name]
    return [SBOMS / f"{part}.cdx.json" for part in parts]


def promote(images: Mapping[str, str], overlay: Path) -> None:
    """Write the digests into an overlay. Raises Refused; then nothing is written."""
    missing = [image for image in promoted() if image not in images]
    if missing:
        raise Refused(f"{TOLD.name} does not name {', '.join(missing)}: run `make push` first")
    for reference in images.values():
        if DIGEST.match(reference.rpartition("@")[2]) is None:
            raise Refused(f"{reference} is not an image by digest")
    words = [f"{image}={reference}" for image, reference in images.items()]
    run([str(tool("kustomize")), "edit", "set", "image", *words], cwd=overlay)


def main(argv: Sequence[str]) -> int:
    """Take one step; return the exit code."""
    try:
        match list(argv):
            case ["pinned"]:
                pinned(os.environ)
            case ["push"]:
                told = push(os.environ["IMAGES"], os.environ["VERSION"])
                TOLD.parent.mkdir(parents=True, exist_ok=True)
                TOLD.write_text(json.dumps(told, indent=2) + "\n")
                sys.stdout.write("".join(f"{reference}\n" for reference in told.values()))
            case ["sign"]:
                sign(_told())
            case ["promote"]:
                promote(_told(), PROD)
            case _:
                sys.stderr.write(STEPS)
                return 2
    except KeyError as error:
        sys.stderr.write(
            f"set {error.args[0]}: registry/prefix and version of what `make images` built\n"
        )
        return 2
    except (Refused, Missing) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _told() -> dict[str, str]:
    if not TOLD.exists():
        raise Refused("nothing has been pushed: run `make push` first")
    told: dict[str, str] = json.loads(TOLD.read_text())
    return told


def run(words: Sequence[str], *, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed. Raises Refused."""
    try:
        done = subprocess.run(
            words, cwd=cwd, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except FileNotFoundError:
        raise Refused(f"{words[0]} is not on the PATH") from None
    except subprocess.TimeoutExpired:
        raise Refused(f"{' '.join(words[:2])} took more than {LIMIT_S} s") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise Refused(f"{' '.join(words[:2])} failed: {lines[-1] if lines else done.returncode}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
