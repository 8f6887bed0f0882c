"""Emails leave by SMTP at most once.

What failed for sure is tried again; what may not have failed is a person's to resolve.
"""

import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from common.policy import EmailRules, QuietHours, ShopPolicy
from common.unsubscribe import client_of
from mailer.delivery.message import message_id_of
from tests.integration.mailer.post import PASSWORD, Post, running_post
from tests.integration.mailer.world import Process, World, until

TO_WRITTEN = ["pending", "writing", "draft", "written"]


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A mail server."""
    async with running_post(tmp_path) as running:
        yield running


async def one_letter(world: World, **row: Any) -> tuple[int, str]:
    """Tell of a client at risk, whose text needs no approval; return client and episode."""
    await world.policy(auto_approve=True)
    client_id = await world.client(**row)
    return client_id, world.opened(client_id)


async def paused(mailer: Process) -> str:
    """Why the mailer sends nothing, once it says so."""

    async def why() -> str | None:
        answer = await mailer.ask("/readyz")
        found = None if answer is None else answer.json().get("delivery")
        return None if found is None or "not answered yet" in found else str(found)

    return str(await until(why))


async def deliveries(world: World, episode: str) -> list[asyncpg.Record]:
    """All tries of an episode."""
    return list(
        await world.db.fetch("SELECT * FROM deliveries WHERE episode_id = $1 ORDER BY id", episode)
    )


async def waits_at(post: Post, command: str) -> None:
    """Return once the server was given a command that it holds."""

    async def came() -> bool:
        return command in post.asked

    await until(came)


async def test_a_final_text_is_sent_once_by_an_encrypted_and_known_way(world: World, post: Post):
    """STARTTLS with a verified certificate, login, one message that can be unsubscribed from."""
    client_id, episode = await one_letter(world)
    mailer = await world.run(**post.settings())
    await world.reach(episode, "sent")
    assert await world.path(episode) == [*TO_WRITTEN, "sending", "sent"]
    (message,) = post.messages
    email = await world.email(episode)
    assert message["Subject"] == email["subject"]
    assert message["From"] == "Your Shop <news@shop.example>"
    assert message["To"] == "canary@example.com"
    assert message["Message-ID"] == message_id_of(episode, "shop.example")
    body = message.get_content().replace("\r\n", "\n")
    assert body.startswith(email["body"])
    link = message["List-Unsubscribe"].strip("<>")
    assert link in body
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    base, token = link.rsplit("/u/", 1)
    assert base == "https://shop.example/hello"
    assert client_of(token, SecretStr(post.settings()["LINK_KEY"])) == client_id
    (row,) = await deliveries(world, episode)
    assert (row["outcome"], row["status_code"]) == ("sent", 250)
    assert row["message_id"] == message["Message-ID"]
    assert row["ended_at"] > row["began_at"]
    assert mailer.stop() == 0
    again = await world.run(**post.settings())
    assert again.stop() == 0
    assert len(post.taken) == 1
    await world.check_the_sums()
    for canary in (PASSWORD, post.settings()["LINK_KEY"], token):
        assert canary not in world.logs()


async def test_off_means_that_nothing_is_sent(world: World, post: Post):
    """Off is the default, whatever else is set; the text stays final."""
    _, episode = await one_letter(world)
    mailer = await world.run(**post.settings(DELIVERY="off"))
    await world.reach(episode, "written")
    assert mailer.stop() == 0
    assert await world.path(episode) == TO_WRITTEN
    assert post.asked == []


async def test_a_refused_address_ends_the_episode(world: World, post: Post):
    """550 to the recipient is for good: no data goes out and nobody asks again."""
    _, episode = await one_letter(world)
    post.answers["RCPT"] = "550 5.1.1 canary@example.com is unknown"
    await world.run(**post.settings())
    await world.reach(episode, "suppressed")
    row = await world.row("SELECT reason FROM episodes WHERE id = $1", episode)
    assert row["reason"] == "the server refused the recipient: 550 5.1.1"
    assert await world.path(episode) == [*TO_WRITTEN, "suppressed"]
    assert post.asked.count("RCPT") == 1
    assert post.taken == []
    await world.check_the_sums()


async def test_a_server_that_refuses_everybody_does_not_end_the_outbox(world: World, post: Post):
    """A relay that will not have us pauses sending; once it will, the letters go out."""
    await world.policy(auto_approve=True)
    post.answers["RCPT"] = "550 relay not permitted"
    mailer = await world.run(**post.settings(SMTP_CONNECTIONS=1))
    episodes = [world.opened(await world.client()) for _ in range(5)]

    async def why() -> bool:
        answer = await mailer.ask("/readyz")
        return answer is not None and "one client after another" in answer.text

    await until(why)
    post.heal()

    async def over() -> bool:
        states = [await world.state(episode) for episode in episodes]
        return set(states) <= {"sent", "suppressed"}

    await until(over)
    assert len(post.taken) == 3, "only the first two refusals could be the addresses' fault"
    await world.check_the_sums()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RCPT", "450 4.2.1 come back later"),
        ("DATA", "554 5.7.1 not from you"),
    ],
)
async def test_a_message_that_is_put_off_is_tried_again(
    world: World, post: Post, command: str, answer: str
):
    """What failed before any data keeps the text, with a reason that says so, and goes on later."""
    _, episode = await one_letter(world)
    post.answers[command] = answer
    await world.run(**post.settings())

    async def tried() -> int:
        return len([row for row in await deliveries(world, episode) if row["ended_at"]])

    await until(tried)
    row = await world.row("SELECT * FROM episodes WHERE id = $1", episode)
    assert row["state"] == "written"
    assert row["reason"].startswith("not sent yet: the server refused ")
    assert answer[:9] in row["reason"]
    post.heal()
    await world.reach(episode, "sent")
    assert len(post.taken) == 1
    assert await world.path(episode) == [*TO_WRITTEN, "sending", "sent"]
    *failed, last = await deliveries(world, episode)
    assert {row["outcome"] for row in failed} == {"not sent"}
    assert last["outcome"] == "sent"
    await world.check_the_sums()


async def test_a_recipient_is_not_put_off_for_ever(world: World, post: Post):
    """After a bounded number of tries the episode ends, and says why."""
    _, episode = await one_letter(world)
    post.answers["RCPT"] = "450 4.2.1 come back later"
    await world.run(**post.settings(DELIVERY_RETRY_BASE_S=0.001))
    await world.reach(episode, "suppressed")
    row = await world.row("SELECT reason FROM episodes WHERE id = $1", episode)
    assert row["reason"] == "the server refused the recipient: 450 4.2.1, for the 12th time"
    assert len(await deliveries(world, episode)) == 12
    assert post.taken == []


@pytest.mark.parametrize(
    ("command", "answer", "why"),
    [
        ("connect", "421", "paused: the server answered 421"),
        ("MAIL", "550 5.7.1 not you", "paused: the server refused the sender: 550"),
        ("password", "another", "paused: the server refused the login: 535"),
    ],
)
async def test_an_ailing_server_pauses_sending_and_nothing_else(
    world: World, post: Post, command: str, answer: str, why: str
):
    """Readiness says what is wrong, texts are written all the same, and no tries are used up."""
    _, episode = await one_letter(world)
    post.answers[command] = answer
    if command == "password":
        post.password = answer
    mailer = world.start(**post.settings())
    assert await paused(mailer) == why
    await world.reach(episode, "written")
    assert await deliveries(world, episode) == []
    post.password = PASSWORD
    post.heal()
    await world.reach(episode, "sent")
    assert await mailer.healthy("/readyz")
    assert len(post.taken) == 1
    await world.check_the_sums()


async def test_a_server_that_fails_at_work_pauses_sending(world: World, post: Post):
    """A connection that breaks before any data costs no try; the text goes out later."""
    _, episode = await one_letter(world)
    post.answers["RCPT"] = "drop"
    mailer = await world.run(**post.settings())
    await waits_at(post, "RCPT")
    assert await paused(mailer) == "paused: the server cannot be reached"
    assert await world.state(episode) == "written"
    post.heal()
    await world.reach(episode, "sent")
    assert len(post.taken) == 1
    (row,) = await deliveries(world, episode)
    assert row["outcome"] == "sent"


async def test_a_certificate_that_nobody_vouches_for_is_refused(world: World, post: Post):
    """Without the authority the mailer sends nothing, not even its password."""
    _, episode = await one_letter(world)
    settings = post.settings()
    del settings["SMTP_CA_FILE"]
    mailer = world.start(**settings)
    assert await paused(mailer) == "paused: the server's certificate cannot be trusted"
    await world.reach(episode, "written")
    assert post.asked == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("554 5.6.0 no", "the server refused the message: 554 5.6.0"),
        ("drop", "the connection broke before the server had answered"),
        ("wait", "the server did not answer in time whether it took the message"),
    ],
)
async def test_whatever_is_not_250_after_the_data_is_uncertain(
    world: World, post: Post, answer: str, why: str
):
    """Once the data went out nobody sends it again, and a person is told what is known."""
    _, episode = await one_letter(world)
    post.answers["message"] = answer
    mailer = await world.run(**post.settings(SMTP_REPLY_S=1))
    await world.reach(episode, "uncertain")
    row = await world.row("SELECT reason FROM episodes WHERE id = $1", episode)
    assert row["reason"] == why
    (delivery,) = await deliveries(world, episode)
    assert delivery["outcome"] == "uncertain"
    assert delivery["status_code"] == (int(answer[:3]) if answer[:3].isdigit() else None)
    mailer.stop()
    post.heal()
    other, second = await world.client(), None
    second = world.opened(other)
    await world.run(**post.settings())
    await world.reach(second, "sent")
    assert [m["Message-ID"] for m in post.messages].count(
        message_id_of(episode, "shop.example")
    ) == 1
    assert await world.path(episode) == [*TO_WRITTEN, "sending", "uncertain"]
    await world.check_the_sums()


@pytest.mark.parametrize("delivery", ["smtp", "off"])
async def test_a_mailer_killed_while_sending_leaves_it_uncertain(
    world: World, post: Post, delivery: str
):
    """The next mailer finds out, whether it sends itself or not, and sends no second message."""
    _, episode = await one_letter(world)
    post.answers["message"] = "wait"
    mailer = await world.run(**post.settings())
    await waits_at(post, "message")
    assert await world.state(episode) == "sending"
    (row,) = await deliveries(world, episode)
    assert row["ended_at"] is None
    mailer.kill()
    post.heal()
    await world.run(**post.settings(DELIVERY=delivery))
    await world.reach(episode, "uncertain")
    assert await world.path(episode) == [*TO_WRITTEN, "sending", "uncertain"]
    assert len(post.taken) == 1
    await world.check_the_sums()


async def test_a_mailer_killed_before_the_data_loses_nothing(world: World, post: Post):
    """The text goes out by the next one, once."""
    _, episode = await one_letter(world)
    post.answers["RCPT"] = "wait"
    mailer = await world.run(**post.settings())
    await waits_at(post, "RCPT")
    mailer.kill()
    post.heal()
    await world.run(**post.settings())
    await world.reach(episode, "sent")
    assert len(post.taken) == 1


async def test_a_sender_that_slept_through_its_lease_sends_nothing(world: World, post: Post):
    """Another mailer has sent the text meanwhile; the server's 354 finds the sleeper without it."""
    _, episode = await one_letter(world)
    post.answers["RCPT"] = "wait"
    sleeper = await world.run(**post.settings(SMTP_TIMEOUT_S=60))
    await waits_at(post, "RCPT")
    sleeper.signal(signal.SIGSTOP)
    post.answers.clear()  # the next mailer finds a server that is well
    await world.run(**post.settings())
    await world.reach(episode, "sent")
    post.go_on.set()
    sleeper.signal(signal.SIGCONT)

    async def noticed() -> bool:
        # On a machine so slow that the server's time is over, too, it gives up by that.
        log = sleeper.log.read_text()
        return "lease lost before sending" in log or "did not answer in time" in log

    await until(noticed)
    assert len(post.taken) == 1
    assert await world.path(episode) == [*TO_WRITTEN, "sending", "sent"]
    await world.check_the_sums()


async def test_an_answer_that_comes_after_the_lease_is_noted_for_a_person(world: World, post: Post):
    """The state stays a person's to resolve; the delivery's row says that the server took it."""
    _, episode = await one_letter(world)
    post.answers["message"] = "wait"
    sleeper = await world.run(**post.settings())
    await waits_at(post, "message")
    sleeper.signal(signal.SIGSTOP)
    await world.run(**post.settings(DELIVERY="off"))
    await world.reach(episode, "uncertain")
    post.heal()
    sleeper.signal(signal.SIGCONT)

    async def noted() -> bool:
        (row,) = await deliveries(world, episode)
        return bool(row["outcome"] == "sent" and row["status_code"] == 250)

    await until(noted)
    assert await world.state(episode) == "uncertain"
    assert len(post.taken) == 1


@pytest.mark.parametrize("change", ["order", "consent", "suppression", "address", "erased"])
async def test_what_changes_while_the_server_listens_is_seen_before_the_data(
    world: World, post: Post, change: str
):
    """The last look is at the moment when the next byte would be the message's."""
    client_id, episode = await one_letter(world)
    post.answers["RCPT"] = "wait"
    await world.run(**post.settings())
    await waits_at(post, "RCPT")
    match change:
        case "order":
            await world.order(client_id)
        case "consent":
            await world.db.execute("UPDATE clients SET consent = false WHERE id = $1", client_id)
        case "suppression":
            await world.db.execute(
                "INSERT INTO suppressions SELECT address_hash(email), 'test', 'test'"
                " FROM clients WHERE id = $1",
                client_id,
            )
        case "address":
            await world.db.execute(
                "UPDATE clients SET email = 'new-canary@example.com' WHERE id = $1", client_id
            )
        case "erased":
            await world.db.execute("DELETE FROM orders WHERE client_id = $1", client_id)
            await world.db.execute("DELETE FROM clients WHERE id = $1", client_id)
    post.heal()
    ends = {"order": "recovered", "address": "sent"}.get(change, "suppressed")
    await world.reach(episode, ends)
    if change == "address":
        (message,) = post.messages
        assert message["To"] == "new-canary@example.com"
    else:
        assert post.taken == []
    assert "sending" not in (await world.path(episode))[:-2]


@pytest.mark.parametrize(
    ("email", "days_old", "why"),
    [
        (None, 0, "the client has no address that emails can be sent to"),
        ("canary@example.com", 15, "the text became final too long ago to be sent"),
    ],
)
async def test_what_cannot_or_shall_not_be_sent_is_suppressed(
    world: World, post: Post, email: str | None, days_old: int, why: str
):
    """No address, none that SMTP takes, or a text from before delivery was switched on."""
    client_id, episode = await one_letter(world)
    mailer = await world.run(DELIVERY="off")
    await world.reach(episode, "written")
    mailer.stop()
    await world.db.execute("UPDATE clients SET email = $2 WHERE id = $1", client_id, email)
    await world.db.execute(
        "UPDATE emails SET written_as_of = written_as_of - $1::interval",
        timedelta(days=days_old),
    )
    await world.run(**post.settings())
    await world.reach(episode, "suppressed")
    row = await world.row("SELECT reason FROM episodes WHERE id = $1", episode)
    assert row["reason"] == why
    assert "RCPT" not in post.asked


async def test_quiet_hours_that_began_since_are_kept(world: World, post: Post):
    """A text that became final before them waits, says until when, and goes out after them."""
    _, episode = await one_letter(world)
    mailer = await world.run(DELIVERY="off")
    await world.reach(episode, "written")
    mailer.stop()
    now = datetime.now(UTC)
    hours = QuietHours(
        begin=(now - timedelta(hours=1)).time(), end=(now + timedelta(hours=1)).time()
    )
    rules = ShopPolicy(
        version=101, holdout_percent=0, auto_approve=True, emails=EmailRules(quiet_hours=hours)
    )
    await world.db.execute(
        "INSERT INTO policies (id, document, created_by) VALUES (101, $1, 'test')",
        rules.model_dump_json(),
    )
    await world.run(**post.settings())

    async def waits() -> Any:
        return await world.db.fetchval("SELECT until FROM episodes WHERE id = $1", episode)

    assert timedelta() < await until(waits) - now <= timedelta(hours=1, seconds=60)
    assert await world.state(episode) == "written"
    assert post.taken == []
    louder = rules.model_copy(update={"version": 102, "emails": EmailRules()})
    await world.db.execute(
        "INSERT INTO policies (id, document, created_by) VALUES (102, $1, 'test')",
        louder.model_dump_json(),
    )
    await world.db.execute("UPDATE episodes SET until = now() WHERE id = $1", episode)
    await world.reach(episode, "sent")
    assert len(post.taken) == 1


async def test_postgres_that_does_not_answer_before_the_data_costs_nothing(
    world: World, post: Post
):
    """The server is left without a message, and the text goes out once Postgres answers."""
    client_id, episode = await one_letter(world)
    post.answers["RCPT"] = "wait"
    await world.run(**post.settings())
    await waits_at(post, "RCPT")
    async with world.db.transaction():
        await world.db.fetch("SELECT FROM clients WHERE id = $1 FOR UPDATE", client_id)
        post.heal()

        async def given_back() -> bool:
            found = "SELECT lease_token > 1 FROM episodes WHERE id = $1 AND state = 'written'"
            return bool(await world.db.fetchval(found, episode))

        await until(given_back)
        assert post.taken == []
    await world.reach(episode, "sent")
    assert len(post.taken) == 1


async def test_stopping_while_the_server_thinks_leaves_it_uncertain(world: World, post: Post):
    """A mailer that is told to stop waits for its grace and then lets go, visibly."""
    _, episode = await one_letter(world)
    post.answers["message"] = "wait"
    mailer = await world.run(**post.settings())
    await waits_at(post, "message")
    assert mailer.stop() == 0
    assert await world.state(episode) == "uncertain"
    assert len(post.taken) == 1
    await world.check_the_sums()
