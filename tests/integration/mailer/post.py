"""A real SMTP server for tests, with TLS and login, that fails when and as it is told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER = "mailer-at-the-post"
PASSWORD = "canary-smtp-password"


class Post:
    """What the server took, and what goes wrong there: answers by the command they are given to.

    An answer is a line of SMTP, ``drop`` (the connection is cut), ``hang`` (no answer until
    ``go_on`` is set) or ``wait`` (the usual answer, once ``go_on`` is set).
    """

    def __init__(self, folder: Path) -> None:
        """Make a certificate and an authority that nobody else trusts."""
        self.answers: dict[str, str] = {}
        self.taken: list[bytes] = []
        """The data of messages, whole, whatever was answered to it."""
        self.asked: list[str] = []
        """Commands that came so far, with the recipients'."""
        self.password = PASSWORD
        self.go_on = asyncio.Event()
        self.port = 0
        authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self.tls)

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages, read as a receiver does."""
        return [message_from_bytes(raw, policy=policy.default) for raw in self.taken]

    def heal(self) -> None:
        """Answer well from now on."""
        self.answers.clear()
        self.go_on.set()

    def settings(self, **changes: Any) -> dict[str, Any]:
        """What a mailer is told that shall send by this server."""
        return {
            "DELIVERY": "smtp",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": self.port,
            "SMTP_USER": USER,
            "SMTP_PASSWORD": PASSWORD,
            "SMTP_CA_FILE": self.ca_file,
            "SMTP_TIMEOUT_S": 20,
            "SMTP_REPLY_S": 30,
            "DELIVERY_RETRY_BASE_S": 0.2,
            "MAIL_FROM": "Your Shop <news@shop.example>",
            "UNSUBSCRIBE_BASE_URL": "https://shop.example/hello",
            "LINK_KEY": "canary-link-key-of-at-least-32-bytes",
            **changes,
        }

    async def answer(self, command: str, server: SMTP, usual: str) -> str:
        """Answer as planned, or as usual."""
        self.asked.append(command)
        planned = self.answers.get(command, usual)
        if planned in ("hang", "wait"):
            await self.go_on.wait()
            planned = "drop" if planned == "hang" else usual
        if planned == "drop":
            cut(server)
        return planned

    # --- aiosmtpd's hooks ------------------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self.answer("MAIL", server, "250 OK")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        answer = await self.answer("RCPT", server, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return await self.answer("message", server, "250 OK")

    def authenticate(self, _: Any, __: Any, ___: Any, ____: str, login: Any) -> AuthResult:
        """Let those in who know the password."""
        success = (login.login, login.password) == (USER.encode(), self.password.encode())
        return AuthResult(success=success, handled=success)


class _Server(SMTP):
    """Also fails at DATA itself, before any data."""

    post: Post

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if "DATA" in self.post.answers:
            await self.push(await self.post.answer("DATA", self, ""))
        else:
            await super().smtp_DATA(arg)


def cut(server: SMTP) -> None:
    """End a connection at once, if it is still there."""
    if server.transport is not None:
        cast("asyncio.WriteTransport", server.transport).abort()


class _Busy(asyncio.Protocol):
    """Has no time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 4.3.2 too busy\r\n")
        transport.close()


@asynccontextmanager
async def running_post(folder: Path, tls: str = "starttls") -> AsyncIterator[Post]:
    """Serve on a free port until the block ends; only ``starttls`` demands a login."""
    post = Post(folder)
    open_now: list[SMTP] = []

    def serve() -> asyncio.BaseProtocol:
        if "connect" in post.answers:
            return _Busy()
        server = _Server(
            post,
            tls_context=post.tls if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            auth_required=tls == "starttls",
            authenticator=post.authenticate,
            loop=asyncio.get_running_loop(),
        )
        server.post = post
        open_now.append(server)
        return server

    async with _listening(serve, post.tls if tls == "tls" else None) as post.port:
        yield post
        post.heal()
        for server in open_now:
            cut(server)


@asynccontextmanager
async def _listening(
    serve: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None
) -> AsyncIterator[int]:
    listening = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await listening.wait_closed()
