"""The courier's last step: between the commit and the first byte of the message."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from mailer.delivery.courier import TOO_LATE, UNKNOWN_COMMIT, Courier
from mailer.delivery.outbox import Parcel
from mailer.delivery.results import Ready, Results
from mailer.delivery.settings import DeliverySettings
from mailer.delivery.smtp import Exchange, Refused, Reply, Smtp, Unavailable, refusal
from mailer.metrics import Metrics
from mailer.words.letter import Letter
from tests.spans import parent_of, record

LEASE_S = 60.0
PARCEL = Parcel("42-20000", 42, 1)
TAKEN = Reply(250, "the server took the message")


class Server:
    """A server that waits for data, and notes what came."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.trouble: Exception | None = None

    @asynccontextmanager
    async def exchange(self, _: str) -> AsyncIterator[Exchange]:
        """Wait for the data, or do not come so far."""
        if self.trouble is not None:
            raise self.trouble
        yield cast(Exchange, self)

    async def send(self, message: bytes) -> Reply:
        """Take it."""
        self.taken.append(message)
        return TAKEN


class Ledger:
    """Notes what the courier says of its parcel; ``slept_s`` is how long a commit takes it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, slept_s: float = 0.0) -> None:
        self.begun: int | Exception | None = 7
        self.ended: list[Reply | str] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = asyncio.Event()
        self._slept_s = slept_s
        self._monkeypatch = monkeypatch

    async def look(self, _: Parcel) -> Ready:
        """Nothing is in the way."""
        return Ready(Letter("Hello", "Dear Ann"), "ann@example.com")

    async def begin(self, *_: object) -> int | None:
        """Commit, and sleep."""
        if isinstance(self.begun, Exception):
            raise self.begun
        late = time.monotonic() + self._slept_s
        self._monkeypatch.setattr(time, "monotonic", lambda: late)
        return self.begun

    async def finish(self, _: Parcel, __: int, reply: Reply) -> None:
        """Note the end, once it answers."""
        self.asked.set()
        await self.answers.wait()
        self.ended.append(reply)

    async def abandon(self, _: Parcel, reason: str) -> None:
        """Note the end."""
        self.ended.append(reason)

    async def refuse(self, _: Parcel, __: str, refused: Refused) -> None:
        """Note whether that ends the episode."""
        self.ended.append("ended" if refused.for_good else "given back")

    async def release(self, _: Parcel, put_off: int) -> None:
        """Note how long it waits."""
        self.ended.append(f"put off {put_off}")


def courier_of(ledger: Ledger, server: Server, metrics: Metrics | None = None) -> Courier:
    """A courier between the two."""
    settings = DeliverySettings(
        delivery="smtp",
        smtp_host="smtp.example",
        mail_from="Your Shop <news@shop.example>",
        unsubscribe_base_url="https://shop.example",
        link_key="k" * 32,
    )
    counts = metrics or Metrics()
    return Courier(cast(Smtp, server), cast(Results, ledger), settings, LEASE_S, counts)


async def carry(ledger: Ledger) -> list[bytes]:
    """Carry one parcel; return what the server took."""
    server = Server()
    assert await courier_of(ledger, server).carry(PARCEL) is None
    return server.taken


async def test_the_message_goes_out_behind_the_commit(monkeypatch: pytest.MonkeyPatch):
    """The usual case, by which the others are measured."""
    ledger = Ledger(monkeypatch)
    assert len(await carry(ledger)) == 1
    assert ledger.ended == [TAKEN]


async def test_who_sleeps_behind_the_commit_sends_nothing(monkeypatch: pytest.MonkeyPatch):
    """The lease is over, so somebody else may have been told that it is uncertain."""
    ledger = Ledger(monkeypatch, slept_s=LEASE_S + 1)
    assert await carry(ledger) == []
    assert ledger.ended == [Reply(None, TOO_LATE)]


async def test_an_unknown_commit_sends_nothing(monkeypatch: pytest.MonkeyPatch):
    """Postgres went away over the commit: whichever way it went, no message went with it."""
    ledger = Ledger(monkeypatch)
    ledger.begun = TimeoutError()
    assert await carry(ledger) == []
    assert ledger.ended == [UNKNOWN_COMMIT]


async def test_a_refused_commit_sends_nothing(monkeypatch: pytest.MonkeyPatch):
    """The lease is another's, or the client has ordered: that is settled already."""
    ledger = Ledger(monkeypatch)
    ledger.begun = None
    assert await carry(ledger) == []
    assert ledger.ended == []


def parcel_of(client_id: int) -> Parcel:
    """A parcel of one client's."""
    return Parcel(f"{client_id}-20000", client_id, 1)


async def test_a_server_that_refuses_everybody_ends_nothing_more(monkeypatch: pytest.MonkeyPatch):
    """A few wrong addresses end; one after another is the server's word on us, and pauses."""
    ledger, server = Ledger(monkeypatch), Server()
    courier = courier_of(ledger, server)
    server.trouble = refusal("the recipient", 550, "relay not permitted")
    said = [await courier.carry(parcel_of(number)) for number in range(5)]
    assert ledger.ended == ["ended"] * 2 + ["given back"] * 3
    assert said[:2] == [None, None]
    assert said[4] == "the server refused the recipient: 550, for one client after another"


async def test_a_recipient_who_is_taken_ends_a_row_of_refusals(monkeypatch: pytest.MonkeyPatch):
    """Wrong addresses among right ones each end for good, however many there are."""
    ledger, server = Ledger(monkeypatch), Server()
    courier = courier_of(ledger, server)
    for number in range(10):
        server.trouble = refusal("the recipient", 550, "no such user") if number % 3 else None
        assert await courier.carry(parcel_of(number)) is None
    assert ledger.ended.count("ended") == 6


async def test_trouble_with_one_recipient_puts_that_one_off(monkeypatch: pytest.MonkeyPatch):
    """Who makes the server fail waits longer each time; a server that is away costs no wait."""
    ledger, server = Ledger(monkeypatch), Server()
    courier = courier_of(ledger, server)
    server.trouble = refusal("the recipient", 421, "4.7.0 too many errors")
    assert await courier.carry(PARCEL) == "the server answered 421"
    assert await courier.carry(PARCEL) is not None
    server.trouble = Unavailable("the server cannot be reached")
    assert await courier.carry(parcel_of(7)) == "the server cannot be reached"
    assert ledger.ended == ["put off 1", "put off 2", "put off 0"]


@pytest.mark.parametrize(
    ("code", "message", "at_data", "ours"),
    [
        (550, "5.4.5 daily limit", False, True),
        (550, "5.3.2 no mail today", False, True),
        (503, "5.5.1 log in first", False, True),
        (535, "5.1.1 what", False, True),
        (452, "4.3.1 disk full", False, True),
        (550, "5.1.1 no such user", False, False),
        (550, "5.1.1 no", True, True),
        (552, "", True, True),
    ],
)
def test_what_is_not_the_addresss_fault_ends_nobody(
    code: int, message: str, *, at_data: bool, ours: bool
):
    """Limits, logins and a server's own trouble are ours; only an address is for good."""
    found = refusal("the recipient", code, message, at_data=at_data)
    assert isinstance(found, Refused)
    assert (found.ours, found.for_good) == (ours, not ours)


async def test_what_the_server_said_is_noted_though_we_are_cancelled(
    monkeypatch: pytest.MonkeyPatch,
):
    """Whatever else breaks or stops, a send whose end is known does not become uncertain."""
    ledger = Ledger(monkeypatch)
    ledger.answers.clear()
    task = asyncio.create_task(courier_of(ledger, Server()).carry(PARCEL))
    await asyncio.wait_for(ledger.asked.wait(), 10)
    task.cancel()
    await asyncio.sleep(0)
    ledger.answers.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.ended == [TAKEN]


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (None, "sent"),
        (Unavailable("the server cannot be reached"), "unavailable"),
        (Refused("no such address", 550, for_good=True, ours=False), "refused"),
    ],
)
async def test_each_try_counts_once_by_what_it_came_to(
    monkeypatch: pytest.MonkeyPatch, trouble: Exception | None, outcome: str
):
    """And with the time that it took."""
    server, metrics, ledger = Server(), Metrics(), Ledger(monkeypatch)
    server.trouble = trouble
    ledger.answers.set()
    await courier_of(ledger, server, metrics).carry(PARCEL)

    counted = [
        (sample.labels["outcome"], sample.value)
        for sample in metrics.deliveries.collect()[0].samples
    ]
    assert counted == [(outcome, 1)]
    assert metrics.registry.get_sample_value("engage_mailer_delivery_seconds_count") == 1


async def test_what_is_left_after_all_is_no_try(monkeypatch: pytest.MonkeyPatch):
    """Something changed before the data went out: nothing was tried."""
    server, metrics, ledger = Server(), Metrics(), Ledger(monkeypatch)
    ledger.begun = None
    await courier_of(ledger, server, metrics).carry(PARCEL)

    assert server.taken == []
    assert metrics.deliveries.collect()[0].samples == []


@pytest.mark.parametrize(
    ("trouble", "outcome", "error"),
    [
        (None, "sent", None),
        (Unavailable("the server cannot be reached"), "unavailable", "Unavailable"),
        (refusal("the recipient", 550, "no such user"), "refused", "Refused"),
    ],
)
async def test_a_span_says_whether_the_message_was_sent(
    monkeypatch: pytest.MonkeyPatch, trouble: Exception | None, outcome: str, error: str | None
):
    """What was not sent is marked as failed, and so is the exchange in which it failed."""
    spans = record(monkeypatch)
    server = Server()
    server.trouble = trouble
    await courier_of(Ledger(monkeypatch), server).carry(PARCEL)

    send, exchange = spans.named("send email"), spans.named("smtp")
    assert parent_of(exchange) == f"{send.context.span_id:016x}"
    assert send.attributes["email.outcome"] == outcome
    assert send.status.is_ok is (error is None)
    assert exchange.attributes.get("error.type") == error


async def test_what_was_never_to_be_sent_is_no_failure(monkeypatch: pytest.MonkeyPatch):
    """Somebody took it back just before: it is said, and nothing went wrong."""
    spans = record(monkeypatch)
    ledger = Ledger(monkeypatch)
    ledger.begun = None
    await carry(ledger)

    send = spans.named("send email")
    assert send.attributes["email.outcome"] == "kept"
    assert send.status.is_ok
