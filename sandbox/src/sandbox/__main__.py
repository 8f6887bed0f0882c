"""The front door of the sandbox: a model for demos and tests, on this machine only."""

import json
import logging
import sys

import uvicorn

from sandbox.app import create_app
from sandbox.settings import load

HOST = "127.0.0.1"
STOP_S = 2


class JsonLines(logging.Formatter):
    """One JSON object a line, as all our processes log."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        line = {"service": "sandbox", "level": record.levelname.lower()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({**line, "event": record.getMessage()})


def main() -> int:
    """Serve until told to stop."""
    settings = load()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("sandbox").info("SANDBOX model, not a real one, on loopback")
    uvicorn.run(
        create_app(settings),
        host=HOST,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
