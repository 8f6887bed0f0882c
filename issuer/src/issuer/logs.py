"""One JSON object a line, as all our processes log."""

import json
import logging
import sys


class JsonLines(logging.Formatter):
    """Names the process in each line."""

    def __init__(self, service: str) -> None:
        """``service`` is the name."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        line = {"service": self._service, "level": record.levelname.lower()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({**line, "event": record.getMessage()})


def configure(service: str) -> logging.Logger:
    """Log to standard error from now on; return the process's logger."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    return logging.getLogger(service)
