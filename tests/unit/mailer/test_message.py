"""The message as it goes out: read again by Python's own parser, which is not its builder."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.message import FOOTER, Outgoing, build, message_id_of, one_line, usable
from mailer.words.letter import Letter

SENDER = Address("Your Shop", "news", "shop.example")
LINK = "https://shop.example/a/long/way/to/client-api/u/" + "t" * 32
DATE = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NASTY = st.lists(
    st.sampled_from(
        [
            "\r\n",
            "\n",
            "\r",
            "\x00",
            "\x0b",
            "\x85",
            "\u2028",
            "Bcc: x@evil.example",
            " ",
            "é",
            "🎉",
            '"',
            ".",
            "<",
            "=?utf-8?q?x?=",
        ]
    ),
    max_size=40,
).map("".join)


def outgoing(
    subject: str = "Hello", body: str = "Dear Ann,\n\nhello.", **changes: object
) -> Outgoing:
    """A message to Ann, changed in some places."""
    parts: dict[str, object] = {
        "sender": SENDER,
        "recipient": "ann@example.com",
        "letter": Letter(subject, body),
        "message_id": message_id_of("42-20000", "shop.example"),
        "link": LINK,
        "date": DATE,
        **changes,
    }
    return Outgoing(**parts)  # type: ignore[arg-type]  # the names are those of its fields


def read(message: bytes) -> EmailMessage:
    """Read a message as a receiver does."""
    return message_from_bytes(message, policy=policy.default)


def test_it_says_all_that_a_receiver_needs():
    """Sender, recipient, subject, date, id, and the two headers of one-click unsubscribing."""
    raw = build(outgoing("Grüße, Ann"))
    message = read(raw)
    assert message["From"] == "Your Shop <news@shop.example>"
    assert message["To"] == "ann@example.com"
    assert message["Subject"] == "Grüße, Ann"
    assert message["Date"].datetime == DATE
    assert message["List-Unsubscribe"] == f"<{LINK}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    # RFC 8058: mail programs read the header before decoding anything, so it is on one line as is.
    assert f"\r\nList-Unsubscribe: <{LINK}>\r\n".encode() in raw


def test_the_text_ends_with_the_link():
    """A person without a button in the mail program finds the link, and nothing else was added."""
    body = read(build(outgoing())).get_content()
    assert body.splitlines() == ["Dear Ann,", "", "hello.", "", FOOTER, LINK]


@given(st.one_of(TEXT, NASTY), st.one_of(TEXT, NASTY), st.one_of(TEXT, NASTY))
def test_no_text_makes_a_header_or_a_line_that_smtp_cannot_take(subject: str, body: str, name: str):
    """Whatever subject, text and sender's name hold, the headers are ours and the text arrives."""
    sender = Address(one_line(name), "news", "shop.example")
    raw = build(outgoing(subject, body, sender=sender))
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line or b"\x00" in line for line in lines)
    assert all(len(line) <= 998 for line in lines)
    message = read(raw)
    assert message.keys() == HEADERS
    assert not message.defects
    assert [to.addr_spec for to in message["To"].addresses] == ["ann@example.com"]
    assert (
        message.get_content().split(FOOTER, maxsplit=1)[0].split()
        == body.split(FOOTER, maxsplit=1)[0].split()
    )


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=120))
def test_a_subject_arrives_as_it_was_written(subject: str):
    """Letters, digits, signs and emojis of any script."""
    assert read(build(outgoing(subject)))["Subject"] == subject


@given(st.from_regex(r"[0-9]{1,12}-[0-9]{1,6}", fullmatch=True))
def test_an_episode_has_one_message_id(episode_id: str):
    """The same for ever, of RFC 5322's form, and without the client's number in it."""
    found = message_id_of(episode_id, "shop.example")
    assert found == message_id_of(episode_id, "shop.example")
    assert found != message_id_of(episode_id + "0", "shop.example")
    assert episode_id not in found
    message = build(outgoing(message_id=found))
    assert f"\r\nMessage-ID: {found}\r\n".encode() in message


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ann@example.com", "ann@example.com"),
        (" ann+tag@example.com ", "ann+tag@example.com"),
        ("ann@müller.example", "ann@xn--mller-kva.example"),
        ("o'hara@example.com", "o'hara@example.com"),
        (None, None),
        ("", None),
        ("ann", None),
        ("@example.com", None),
        ("ann@", None),
        ("änn@example.com", None),
        ("a b@example.com", None),
        ("ann@example.com>\r\nRCPT TO:<x@evil.example", None),
        ("ann@exa mple.com", None),
        ("<ann@example.com>", None),
        ("a@b@example.com", None),
        (".ann@example.com", None),
        ("a..b@example.com", None),
        ("a" * 65 + "@example.com", None),
        ("a@" + "b" * 64 + ".example", None),
        ("a@" + ".".join(["b" * 60] * 5), None),
    ],
)
def test_only_addresses_that_smtp_takes_are_usable(address: str | None, expected: str | None):
    """Domains are put into ASCII; what would need quoting or SMTPUTF8 is left out."""
    assert usable(address) == expected


@given(st.one_of(TEXT, NASTY, st.emails()))
def test_whatever_is_usable_can_break_no_command(text: str):
    """Nothing that ends an address or a line of SMTP survives."""
    address = usable(text)
    assert address is None or not set(address) & set(' \t\r\n<>"\\,;:()[]\x00')
