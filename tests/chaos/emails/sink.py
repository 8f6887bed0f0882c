"""A mail server that keeps what it takes: ``python -m tests.chaos.emails.sink PORT JOURNAL``.

A message is in the journal before the sender hears that it was taken. Both take their time, so that
a kill meets a sender who waits, with the message taken or not.
"""

import asyncio
import json
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.chaos.emails.books import Doc

HOST = "127.0.0.1"
PAUSE_S = 0.15


class Keeper:
    """Takes every message and writes one JSON line for each address it was for."""

    def __init__(self, journal: Path) -> None:
        """Append to ``journal``."""
        self._journal = journal.open("a", encoding="utf-8")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message: the hook's name and answer are aiosmtpd's."""
        await asyncio.sleep(PAUSE_S)
        content = cast("bytes", envelope.content)
        message = message_from_bytes(content, policy=policy.default)
        body = message.get_body(("plain",))
        text = "\n".join(
            [
                *(f"{name}: {value}" for name, value in message.items()),
                body.get_content() if body else "",
            ]
        )
        for address in envelope.rcpt_tos:
            line = {"at": time.time(), "to": address, "id": message["Message-ID"], "text": text}
            self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()
        await asyncio.sleep(PAUSE_S)
        return "250 taken"


class Taken:
    """Reads the sink's journal as it grows."""

    def __init__(self, file: Path) -> None:
        """Read ``file``, which need not be there yet."""
        self._file = file

    def messages(self) -> list[Doc]:
        """Return every message taken until now."""
        if not self._file.exists():
            return []
        lines: list[dict[str, Any]] = [
            json.loads(line) for line in self._file.read_text().splitlines()
        ]
        return [{"number": number, **line} for number, line in enumerate(lines)]


async def serve(port: int, journal: Path) -> None:
    """Serve for ever."""
    keeper = Keeper(journal)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(keeper, enable_SMTPUTF8=True), HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
