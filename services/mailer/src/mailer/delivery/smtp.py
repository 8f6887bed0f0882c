"""The adapter to the SMTP server: everything up to the point of no return, and what lies behind it.

A message is taken when the server answers the end of its data, and not before (RFC 5321, 4.1.1.4).
So all that fails until then, DATA's own 354 included, has failed for sure; from the first byte of
the message on, only a 250 says what happened.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

import aiosmtplib
from aiosmtplib import SMTPStatus
from aiosmtplib.protocol import SMTPProtocol

from mailer.delivery.settings import DeliverySettings

QUIT_LIMIT_S = 2.0
SERVICE_SHUTS_DOWN = 421
PERMANENT = 500
OURS = frozenset({523, 538, 554})
"""Refusals that are about us (encryption, relaying), unless an enhanced code says more."""
OURS_ALWAYS = frozenset({503, 530, 535})
"""Refusals that are about us (order of commands, login), whatever an enhanced code says."""
OF_THE_SYSTEM = frozenset({"3", "4"})
"""The subjects of enhanced codes about the server and its network (RFC 3463, 3.4 and 3.5)."""
POLICY = "7"
"""The subject of enhanced codes about security and policy (RFC 3463, 3.8): X.7.X."""
KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "the server's certificate cannot be trusted"),
    (ssl.SSLError, "no encrypted connection could be made"),
    (aiosmtplib.SMTPAuthenticationError, "the server refused the login: {code}"),
    (aiosmtplib.SMTPSenderRefused, "the server refused the sender: {code}"),
    (aiosmtplib.SMTPResponseException, "the server answered {code}"),
    (TimeoutError, "the server did not answer in time"),
    (OSError, "the server cannot be reached"),
)
"""What errors say of the server, the most telling first."""

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
_LINE_BEGINS_WITH_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True)
class Reply:
    """What the server said in the end; without a code it said nothing that we could read."""

    code: int | None
    text: str
    """Ours, never the server's: that may quote the address."""

    @property
    def accepted(self) -> bool:
        """Whether the server has taken the message over."""
        return self.code == SMTPStatus.completed


class Unavailable(Exception):
    """Nothing can be sent at present, to nobody; the text says why and names no one."""

    def __init__(self, text: str, *, at_recipient: bool = False) -> None:
        """``at_recipient``: the server was well until it was told for whom the message is."""
        super().__init__(text)
        self.at_recipient = at_recipient


class Refused(Exception):
    """The server will not take a message for this recipient, now or ever; nothing was sent."""

    def __init__(self, text: str, code: int, *, for_good: bool, ours: bool) -> None:
        """``for_good``: it is the address. ``ours``: it is us, as far as the codes tell."""
        super().__init__(text)
        self.code = code
        self.for_good = for_good
        self.ours = ours


class Exchange:
    """A server that waits for the data of one message."""

    def __init__(self, protocol: SMTPProtocol, reply_s: float) -> None:
        """Hold a connection on which DATA was answered with 354."""
        self._protocol = protocol
        self._reply_s = reply_s
        self.over = False

    async def send(self, message: bytes) -> Reply:
        """Send the data and return what the server made of it. Call it once."""
        data = _LINE_BEGINS_WITH_DOT.sub(b"..", message)
        try:
            self._protocol.write(data + b".\r\n")
        except aiosmtplib.SMTPServerDisconnected:
            return Reply(None, "the connection broke before any of the message was sent")
        try:
            answer = await self._protocol.read_response(timeout=self._reply_s)
        except aiosmtplib.SMTPTimeoutError:
            return Reply(None, "the server did not answer in time whether it took the message")
        except aiosmtplib.SMTPResponseException:
            return Reply(None, "the server gave no answer that could be read")
        except (aiosmtplib.SMTPException, OSError):
            return Reply(None, "the connection broke before the server had answered")
        self.over = True
        if answer.code == SMTPStatus.completed:
            return Reply(answer.code, "the server took the message")
        code = f"{answer.code}{_enhanced(answer.message)}"
        return Reply(answer.code, f"the server refused the message: {code}")


class Smtp:
    """Speaks to one server, with a connection of its own for each message."""

    def __init__(self, settings: DeliverySettings) -> None:
        """Take the server, the way to it and the sender from the settings."""
        self._settings = settings
        self._sender = settings.sender.addr_spec
        self._tls = ssl.create_default_context(cafile=settings.smtp_ca_file)

    async def verify(self) -> str | None:
        """Ask whether the server would take messages from us: None, or what is wrong."""
        try:
            async with self._connected():
                return None
        except Unavailable as error:
            return str(error)

    @asynccontextmanager
    async def exchange(self, recipient: str) -> AsyncIterator[Exchange]:
        """Bring the server to where the next thing it takes is a message for ``recipient``.

        Raises Unavailable and Refused. A block that is left without ``send`` sends nothing: the
        connection is cut, and a server keeps no message whose end it never saw.
        """
        async with self._connected() as smtp:
            exchange = Exchange(await self._to_data(smtp, recipient), self._settings.smtp_reply_s)
            try:
                yield exchange
            finally:
                if not exchange.over:
                    _cut(smtp)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Connect, greet, encrypt, log in and name the sender."""
        set_ = self._settings
        smtp = aiosmtplib.SMTP(
            hostname=set_.smtp_host,
            port=set_.smtp_port,
            use_tls=set_.smtp_tls == "tls",
            start_tls=set_.smtp_tls == "starttls",
            tls_context=None if set_.smtp_tls == "none" else self._tls,
            local_hostname=self._sender.partition("@")[2],
            timeout=set_.smtp_timeout_s,
        )
        try:
            await self._introduce(smtp)
            yield smtp
            if smtp.is_connected:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await smtp.quit(timeout=QUIT_LIMIT_S)
        finally:
            _cut(smtp)

    async def _introduce(self, smtp: aiosmtplib.SMTP) -> None:
        user, password = self._settings.smtp_user, self._settings.smtp_password
        try:
            async with asyncio.timeout(self._settings.smtp_timeout_s):
                await smtp.connect()
                if user is not None and password is not None:
                    await smtp.login(user, password.get_secret_value())
                await smtp.mail(self._sender)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_why(error)) from None

    async def _to_data(self, smtp: aiosmtplib.SMTP, recipient: str) -> SMTPProtocol:
        try:
            async with asyncio.timeout(self._settings.smtp_timeout_s):
                await smtp.rcpt(recipient)
                if (protocol := smtp.protocol) is None:
                    raise Unavailable("the connection broke", at_recipient=True)
                answer = await protocol.execute_command(b"DATA")
        except aiosmtplib.SMTPRecipientRefused as error:
            raise refusal("the recipient", error.code, error.message) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_why(error), at_recipient=True) from None
        if answer.code != SMTPStatus.start_input:
            raise refusal("to take a message", answer.code, answer.message, at_data=True)
        return protocol


def _cut(smtp: aiosmtplib.SMTP) -> None:
    """End the connection without another word, and without what has not gone out yet."""
    if smtp.transport is not None:
        cast("asyncio.WriteTransport", smtp.transport).abort()
    smtp.close()


def _enhanced(message: str) -> str:
    """Return the enhanced status code (RFC 3463) at the beginning of an answer, if there is one."""
    found = _ENHANCED.match(message)
    return f" {found[0]}" if found else ""


def refusal(what: str, code: int, message: str, *, at_data: bool = False) -> Refused | Unavailable:
    """Say what an answer to RCPT or, with ``at_data``, to DATA means that is not the hoped-for one.

    By DATA the server has taken the recipient: what it refuses then for good is no address.
    """
    if code == SERVICE_SHUTS_DOWN:
        return Unavailable(f"the server answered {code}", at_recipient=True)
    text = f"the server refused {what}: {code}{_enhanced(message)}"
    found = _ENHANCED.match(message)
    subject = found[2] if found else None
    permanent = code >= PERMANENT  # 450 4.7.1 is greylisting: it will pass
    by_code = at_data or code in OURS_ALWAYS or (subject is None and code in OURS)
    ours = subject in OF_THE_SYSTEM or (permanent and (by_code or subject == POLICY))
    return Refused(text, code, for_good=permanent and not ours, ours=ours)


def _why(error: BaseException) -> str:
    """Say what is wrong, by its kind alone: a server's own words may hold an address."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    for kind, text in KINDS:
        if any(isinstance(step, kind) for step in chain):
            return text.format(code=getattr(error, "code", ""))
    return "the server offers no encryption, or no login that we know"
