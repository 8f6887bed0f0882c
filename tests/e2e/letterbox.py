"""A real SMTP server on this machine, which leaves an email in the state that a test asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Letterbox:
    """Takes every email, but those to ``later`` not yet and those to ``lost`` not for sure."""

    def __init__(self) -> None:
        """Make one that takes all."""
        self.later: set[str] = set()
        """Recipients whose emails wait: the server says to try again."""
        self.lost: set[str] = set()
        """Recipients of whose emails nobody knows: the data goes out and is not taken."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address in self.later:
            return "450 4.2.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope
    ) -> str:
        return "554 5.6.0 no" if self.lost & set(envelope.rcpt_tos) else "250 OK"


@contextmanager
def letterbox(port: int) -> Iterator[tuple[Letterbox, dict[str, Any]]]:
    """Serve until the block ends; give the box, and what a mailer is told that sends by it."""
    box = Letterbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield (
            box,
            {
                "DELIVERY": "smtp",
                "SMTP_HOST": "127.0.0.1",
                "SMTP_PORT": str(port),
                "SMTP_TLS": "none",
                "MAIL_FROM": "Your Shop <news@shop.example>",
                "UNSUBSCRIBE_BASE_URL": "https://shop.example/hello",
            },
        )
    finally:
        server.stop()
