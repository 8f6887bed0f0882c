"""Runs inside an image of ours, with nothing but its Python, and fails when it holds too much."""

import importlib.util
import os
import shutil
import subprocess
import sys

TOOLS = ("gcc", "cc", "c++", "make", "ld", "pip", "pip3", "uv", "npm", "node", "cargo")
PACKAGES = ("pip", "ensurepip", "setuptools", "uv_build")
SEARCH = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is not None)"
BASE = (sys._base_executable, "-I", "-c", SEARCH)  # type: ignore[attr-defined]

found = [name for name in TOOLS if shutil.which(name)]
found += [name for name in PACKAGES if importlib.util.find_spec(name)]
# The environment does not see what its base has.
found += [
    name for name in ("pip", "ensurepip") if subprocess.run([*BASE, name], check=False).returncode
]
if found:
    sys.exit(f"build tools are in the image: {', '.join(found)}")
if (os.getuid(), os.getgid()) != (10001, 10001):
    sys.exit(f"runs as {os.getuid()}:{os.getgid()}")
# Permissions, not access: that is refused in any case while the container is read-only.
for folder, _, files in os.walk(sys.prefix):
    for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118
        is_at = os.stat(path)  # noqa: PTH116
        if is_at.st_uid == os.getuid() or is_at.st_mode & 0o002:
            sys.exit(f"may change its own code: {path}")
