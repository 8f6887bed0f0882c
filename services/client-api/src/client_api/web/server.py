"""The HTTP server's life: it ends open event streams before it waits for requests to finish."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

STOP_LIMIT_S = 5
"""What a request in flight may still take; then it is cut."""


class Server(uvicorn.Server):
    """Uvicorn's server, told what to do before it waits for open connections."""

    def __init__(self, config: uvicorn.Config, before_stop: Callable[[], None]) -> None:
        """``before_stop`` is called when the server begins to stop."""
        super().__init__(config)
        self._before_stop = before_stop
        self.failure: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Stop because a part of the process has died; ``serve`` then raises its error."""
        self.failure = error
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then stop as usual."""
        self._before_stop()
        await super().shutdown(sockets)


def _without_colour(record: logging.LogRecord) -> bool:
    """Let every record pass, without uvicorn's copy of its text for terminals."""
    record.__dict__.pop("color_message", None)
    return True


def make_server(app: FastAPI, host: str, port: int, before_stop: Callable[[], None]) -> Server:
    """Make a server for the application; its logs go where all logs go, without request paths."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # A header that anybody may send would else say whose failures are counted.
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_LIMIT_S,
    )
    logging.getLogger("uvicorn.error").addFilter(_without_colour)
    return Server(config, before_stop)


def serve(server: Server) -> None:
    """Serve until SIGTERM or SIGINT; raises what made a part of the process die."""
    # Uvicorn raises the signal once more when it is done; a wished-for end is a success.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    asyncio.run(server.serve())
    if server.failure is not None:
        raise server.failure
