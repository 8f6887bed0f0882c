"""The adapter speaks SMTP to a real server: what arrives, and what each answer means."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailer.delivery.settings import DeliverySettings
from mailer.delivery.smtp import Refused, Smtp, Unavailable
from tests.integration.mailer.post import Post, running_post

MESSAGE = b"Subject: Hello\r\n\r\n.\r\n..\r\nDear Ann,\r\n.hidden\r\nbye.\r\n"
TO = "ann@example.com"

Reader = Callable[..., Smtp]


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Make the adapter by the settings for a server."""

    def _make(post: Post, **changes: Any) -> Smtp:
        for name, value in post.settings(**changes).items():
            if value is not None:
                monkeypatch.setenv(name, str(value))
        return Smtp(DeliverySettings())

    return _make


@pytest.mark.parametrize("tls", ["starttls", "tls", "none"])
async def test_a_message_arrives_as_it_was_given(tmp_path: Path, smtp: Reader, tls: str):
    """By each of the three ways; lines that begin with a dot, and end nothing, are kept."""
    login = {} if tls == "starttls" else {"SMTP_USER": None, "SMTP_PASSWORD": None}
    async with running_post(tmp_path, tls) as post:
        adapter = smtp(post, SMTP_TLS=tls, **login)
        assert await adapter.verify() is None
        assert post.taken == []
        async with adapter.exchange(TO) as exchange:
            reply = await exchange.send(MESSAGE)
        assert reply.accepted
        assert post.taken == [MESSAGE]


async def test_a_block_without_a_message_sends_none(tmp_path: Path, smtp: Reader):
    """After the server's 354 there is still a way back: the connection is cut."""
    async with running_post(tmp_path) as post:
        adapter = smtp(post)
        async with adapter.exchange(TO):
            pass
        async with adapter.exchange(TO) as exchange:
            await exchange.send(MESSAGE)
        assert post.taken == [MESSAGE]


@pytest.mark.parametrize(
    ("command", "answer", "for_good", "ours", "text"),
    [
        ("RCPT", "550 5.1.1 ann@example.com?", True, False, "the recipient: 550 5.1.1"),
        ("RCPT", "550 no such user", True, False, "the recipient: 550"),
        ("RCPT", "553 5.1.3 what", True, False, "the recipient: 553 5.1.3"),
        ("RCPT", "554 5.1.1 no such user", True, False, "the recipient: 554 5.1.1"),
        ("RCPT", "554 no", False, True, "the recipient: 554"),
        ("RCPT", "550 5.7.1 relaying denied", False, True, "the recipient: 550 5.7.1"),
        ("RCPT", "530 5.7.0 log in first", False, True, "the recipient: 530 5.7.0"),
        ("RCPT", "450 4.7.1 greylisted", False, False, "the recipient: 450 4.7.1"),
        ("RCPT", "452 4.2.2 full", False, False, "the recipient: 452 4.2.2"),
        ("DATA", "451 later", False, False, "to take a message: 451"),
        ("DATA", "451 4.3.0 later", False, True, "to take a message: 451 4.3.0"),
        ("DATA", "554 5.7.1 no", False, True, "to take a message: 554 5.7.1"),
    ],
)
async def test_a_refusal_tells_the_address_from_us(
    tmp_path: Path,
    smtp: Reader,
    command: str,
    answer: str,
    *,
    for_good: bool,
    ours: bool,
    text: str,
):
    """Only what is surely about the address is for good; the server's words are not repeated."""
    async with running_post(tmp_path) as post:
        post.answers[command] = answer
        with pytest.raises(Refused) as caught:
            async with smtp(post).exchange(TO):
                raise AssertionError("the server refused")
        assert (caught.value.for_good, caught.value.ours) == (for_good, ours)
        assert str(caught.value) == f"the server refused {text}"
        assert post.taken == []


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        ("250 2.0.0 queued", 250, "the server took the message"),
        ("554 5.6.0 no", 554, "the server refused the message: 554 5.6.0"),
        ("451 perhaps later", 451, "the server refused the message: 451"),
        ("251 what", 251, "the server refused the message: 251"),
        ("no code at all", None, "the server gave no answer that could be read"),
        ("drop", None, "the connection broke before the server had answered"),
        ("wait", None, "the server did not answer in time whether it took the message"),
    ],
)
async def test_after_the_data_only_250_is_an_answer(
    tmp_path: Path, smtp: Reader, answer: str, code: int | None, text: str
):
    """The server has the whole message; what it says of it is told by its code alone."""
    async with running_post(tmp_path) as post:
        post.answers["message"] = answer
        async with smtp(post, SMTP_REPLY_S=1).exchange(TO) as exchange:
            reply = await exchange.send(MESSAGE)
        assert (reply.code, reply.text) == (code, text)
        assert reply.accepted is (code == 250)
        assert post.taken == [MESSAGE]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("connect", "421"),
        ("MAIL", "550 no"),
        ("RCPT", "421 bye"),
        ("RCPT", "drop"),
        ("DATA", "drop"),
        ("RCPT", "hang"),
    ],
)
async def test_what_is_nobodys_address_is_unavailable(
    tmp_path: Path, smtp: Reader, command: str, answer: str
):
    """A server that is busy, gone, or silent; nothing of a message went out."""
    async with running_post(tmp_path) as post:
        post.answers[command] = answer
        with pytest.raises(Unavailable):
            async with smtp(post, SMTP_TIMEOUT_S=1).exchange(TO):
                raise AssertionError("the server refused")
        assert post.taken == []


async def test_a_server_without_encryption_learns_nothing(tmp_path: Path, smtp: Reader):
    """Nobody strips the encryption: without STARTTLS there is neither login nor sender."""
    async with running_post(tmp_path, "none") as post:
        problem = await smtp(post).verify()
        assert problem == "the server offers no encryption, or no login that we know"
        assert post.asked == []


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path, smtp: Reader):
    """The authority is known, the name is not the server's."""
    async with running_post(tmp_path) as post:
        problem = await smtp(post, SMTP_HOST="localhost").verify()
        assert problem == "the server's certificate cannot be trusted"
        assert post.asked == []


async def test_nobody_at_home_is_unavailable(tmp_path: Path, smtp: Reader):
    """A port at which nobody listens."""
    async with running_post(tmp_path) as post:
        adapter = smtp(post)
    assert await adapter.verify() == "the server cannot be reached"
