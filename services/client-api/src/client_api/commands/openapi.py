"""``openapi``: the API's own document."""

import sys

from client_api.web.app import describe
from client_api.web.openapi import dumps


def run() -> None:
    """Print the OpenAPI document."""
    sys.stdout.write(dumps(describe()))
