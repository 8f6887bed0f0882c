"""What Connect's image adds to its base, as CycloneDX: ``python -m deploy.sbom FILE``.

That is one archive of Maven, the plugin; what lies in it and in the base, those who make them tell.
"""

import json
import sys
from pathlib import Path
from typing import Any

from stack import downloads


def connect() -> dict[str, Any]:
    """Return the bill, made from the lock that the image's build checks the plugin by."""
    locked = downloads.read_lock(downloads.LOCK.read_text())
    archive = f"debezium-connector-postgres-{downloads.DEBEZIUM}-plugin.tar.gz"
    package = f"pkg:maven/io.debezium/debezium-connector-postgres@{downloads.DEBEZIUM}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "connect"}},
        "components": [
            {
                "type": "library",
                "group": "io.debezium",
                "name": "debezium-connector-postgres",
                "version": downloads.DEBEZIUM,
                "purl": f"{package}?classifier=plugin&type=tar.gz",
                "hashes": [{"alg": "SHA-256", "content": locked[archive]}],
            }
        ],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(connect(), indent=2) + "\n")
