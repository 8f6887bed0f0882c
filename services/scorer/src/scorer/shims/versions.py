"""The guard: the shims reach into Faust's insides, so another version may make them lie.

Each shim was written against the source of these versions. With any other the scorer refuses to
start: read the shims against the new source, run tests/integration/scorer, then change the numbers.
"""

from importlib.metadata import version

from common.errors import Misconfigured

WRITTEN_FOR = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}


def require_versions() -> None:
    """Raise Misconfigured unless the shims were written for the installed versions."""
    for name, wanted in WRITTEN_FOR.items():
        found = version(name)
        if found != wanted:
            raise Misconfigured(f"the scorer's shims are written for {name} {wanted}, not {found}")
