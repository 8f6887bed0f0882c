"""The end of the process when something happened that must not be survived."""

import logging
import os
import sys
from typing import NoReturn

from common.logs import Logger

EXIT_FATAL = 1


class Fatal:
    """Ends the process at once, without committing anything: the records come again."""

    def __init__(self, log: Logger) -> None:
        """Say the last word to ``log``."""
        self._log = log

    def __call__(self, error: BaseException) -> NoReturn:
        """Log the error and exit with 1; no handler, no ``finally``, no commit runs any more."""
        self._log.critical("ending the process", exc_info=error)
        logging.shutdown()
        sys.stderr.flush()
        os._exit(EXIT_FATAL)
