"""Canaries in every column and every secret: each stays where it belongs, whatever goes wrong.

All services log at DEBUG. What each provoked failure would have to leak is in its error, its row or
its answer; all logs, prompts, topics, metrics and answers are searched afterwards.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from stack.launcher import Stack
from stack.tokens import As
from tests.e2e import books
from tests.e2e.traces import records
from tests.e2e.waiting import wait_for

LIMIT_S = 180.0
LOGGING = (
    "client-api",
    "projector",
    "relay",
    "scorer",
    "mailer",
    "migrations",
    "topics",
    "connector",
)
POLICY = {"holdout_percent": 0, "auto_approve": True, "hold_after_days": 365}

API_KEY = "sk-or-v1-kanarienkey"
PERSONAL = {
    "surname": "Quorbital",
    "email": "zyx@canary.example",
    "phone": "+49555010203",
    "address": "Kanarienweg 17",
    "time_zone": "Antarctica/Troll",
}
"""Leaves Postgres in no direction, but for the address at sending."""
TOLD = {"first_name": "Zyxwila", "style_tag": "wobbletag", "category": "snurfware"}
"""May stand in a prompt and in an email, and nowhere else outside of Postgres."""
UNTOLD = {"loaded tag": "kanarfree discounts", "loaded category": "kanar.test"}
"""Client text that is no fact: not even a prompt holds it."""
SURE_LENGTH = 5
"""What has fewer characters stands in random ids by chance."""
COUNTED = {"amount": "739184.17", "cents": "73918417", "currency": "XTS"}
"""Of an order: what the score is made of, and no prompt or log."""
SHOUTED = "kanarruf"
"""In errors, answers and poison that a test provokes: may stand in a dead letter's value only."""
ADA = 430_017_001

SHOUTING = f"""
    CREATE OR REPLACE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the row is refused' USING DETAIL = '{SHOUTED} ' || NEW::text;
    END $$
"""
"""A trigger that refuses a row and quotes all of it, as constraints do."""

pytestmark = pytest.mark.timeout(1_200)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running system that logs all it has to say."""
    folder = tmp_path_factory.mktemp("privacy")
    print(f"logs: {folder / 'logs'}")
    extra = {name: {"LOG_LEVEL": "DEBUG"} for name in LOGGING}
    quick = {"RETRY_BASE_S": "0.1", "PROBE_BASE_S": "0.2", "LEASE_S": "5"}
    extra["mailer"] |= {"OPENROUTER_API_KEY": API_KEY, **quick}
    with Stack(folder, durable=False, extra=extra) as running:
        running.start()
        yield running


@dataclass
class Listener:
    """The API, and all that it answered when something was wrong."""

    http: httpx.Client
    heard: list[str]

    def create(self, path: str, **body: object) -> Any:
        """Create something that must be accepted."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def fail(self, method: str, path: str, body: Any = None, **options: Any) -> int:
        """Ask for something that must be refused; return the status."""
        answer = self.http.request(method, path, json=body, **options)
        assert answer.status_code >= 400, answer.text
        self.heard.append(f"{answer.headers} {answer.text}")
        return answer.status_code

    def look(self, url: str) -> None:
        """Read a page of any kind, if there is one."""
        answer = self.http.get(url)
        self.heard.append(f"{answer.headers} {answer.text}")


@pytest.fixture
def api(stack: Stack) -> Iterator[Listener]:
    """The API."""
    with httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=60
    ) as http:
        yield Listener(http, [])


def days_ago(days: float) -> str:
    """Return a moment so many days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def client_at_risk(api: Listener, number: int, **row: Any) -> int:
    """Create a client with a canary in every column, whose orders are long ago."""
    client = ADA + number
    told = {"first_name": TOLD["first_name"], "style_tags": [TOLD["style_tag"]], **row}
    category = told.pop("category", TOLD["category"])
    api.create("/api/clients", id=client, **PERSONAL, **told)
    for age in (170, 155):
        api.create(
            "/api/orders",
            client_id=client,
            ordered_at=days_ago(age),
            amount=COUNTED["amount"],
            currency=COUNTED["currency"],
            category=category,
        )
    return client


def reach(stack: Stack, client: int, *states: str) -> None:
    """Wait until the client's episode is in one of some states."""

    def look() -> bool | None:
        rows = books.select(stack, f"SELECT state FROM episodes WHERE client_id = {client}")
        return True if rows and rows[0]["state"] in states else None

    wait_for(f"client {client} is {states}", look, LIMIT_S)


def faults(stack: Stack, *some: dict[str, Any]) -> None:
    """Put faults of the model in force."""
    url = f"{stack.place.url('sandbox')}/sandbox/faults"
    answer = httpx.put(url, json={"faults": some}, trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text


def crashed(stack: Stack, part: str) -> None:
    """Wait until a part has ended by itself."""
    wait_for(
        f"{part} crashes",
        lambda: None if stack.parts.process(part).running else True,
        LIMIT_S,
    )


def provoke_refusals(stack: Stack, api: Listener) -> None:
    """Have the API refuse what callers and Postgres may get wrong, each with canaries in it."""
    wrong = PERSONAL | {"first_name": TOLD["first_name"]}
    assert api.fail("POST", "/api/clients", {**wrong, "email": "Quorbital no address"}) == 422
    assert api.fail("POST", "/api/clients", {**wrong, "unknown": "Quorbital"}) == 422
    assert api.fail("POST", "/api/clients", {**wrong, "time_zone": "Zyxwila/Quorbital"}) == 422
    assert api.fail("POST", "/api/clients", {**wrong, "id": ADA}) == 409
    assert api.fail("POST", "/api/clients", {**wrong, "surname": "Quorbital" * 50}) == 422
    assert api.fail("PATCH", f"/api/clients/{ADA}", {"address": ["Kanarienweg 17"]}) == 422
    broken = b'{"first_name": "Zyxwila", "surname": "Quorbital"'
    assert api.fail("POST", "/api/clients", content=broken) == 422
    api.fail("POST", "/api/orders", {"client_id": ADA + 999, "amount": COUNTED["amount"]})
    api.fail("GET", "/api/clients/Quorbital")
    api.fail("GET", "/api/nothing/Quorbital")
    api.fail("DELETE", "/api/clients")
    lines = json.dumps({"first_name": 7, "surname": "Quorbital"}).encode() + b"\n{Quorbital}\n"
    answer = api.http.post(
        "/api/clients/bulk", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    api.heard.append(answer.text)
    books.execute(
        stack,
        SHOUTING,
        "CREATE TRIGGER shout BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION shout()",
        "ALTER TABLE orders ADD CONSTRAINT shout CHECK (category <> 'kanar') NOT VALID",
    )
    assert api.fail("POST", "/api/clients", wrong) >= 400
    order = {"client_id": ADA, "amount": COUNTED["amount"], "category": "kanar"}
    assert api.fail("POST", "/api/orders", order) >= 400
    books.execute(
        stack, "DROP TRIGGER shout ON clients", "ALTER TABLE orders DROP CONSTRAINT shout"
    )


def provoke_bad_decisions(api: Listener) -> None:
    """Decide about what is not there, and about another text, with canaries in the decision."""
    rows = api.http.get("/api/emails", params={"client_id": ADA}).json()["items"]
    edit = {
        "action": "edit",
        "actor": "Quorbital",
        "draft_hash": "0" * 64,
        "payload": {"subject": SHOUTED, "body": f"{SHOUTED} {PERSONAL['address']} " * 5},
    }
    api.fail("POST", "/api/decisions", {**edit, "episode_id": "999-1"})
    api.fail("POST", "/api/decisions", {**edit, "episode_id": "Quorbital"})
    api.fail("POST", "/api/decisions", {**edit, "episode_id": "999-1", "action": SHOUTED})
    answer = api.http.post("/api/decisions", json={**edit, "episode_id": rows[0]["episode_id"]})
    api.heard.append(answer.text if answer.status_code >= 400 else "")


def provoke_a_bad_model(stack: Stack, api: Listener) -> None:
    """Have the model answer with errors that quote the prompt, and with the client's text."""
    quoting = {"reasons": [SHOUTED], "flagged_input": f"{SHOUTED} {TOLD['first_name']}"}
    said = {"message": f"{SHOUTED} {API_KEY} {TOLD['first_name']}"}
    kinds: list[dict[str, Any]] = [
        {"kind": "status", "status": 403, "metadata": quoting, **said},
        {"kind": "status", "status": 400, **said},
        {"kind": "error_top", "status": 400, "metadata": quoting, **said},
        {"kind": "obey"},
        {"kind": "wrong_schema"},
        {"kind": "not_json"},
        {"kind": "text", "body": f"{SHOUTED} {TOLD['first_name']}"},
        {"kind": "refusal"},
    ]
    for number, fault in enumerate(kinds, start=10):
        faults(stack, fault)
        reach(stack, client_at_risk(api, number), "failed", "rejected")
    passing: list[dict[str, Any]] = [
        {"kind": "status", "status": 401, **said},
        {"kind": "status", "status": 503, **said},
        {"kind": "redirect", "location": f"http://127.0.0.1:9/{SHOUTED}"},
        {"kind": "html", "status": 524},
    ]
    for number, fault in enumerate(passing, start=30):
        faults(stack, {**fault, "times": 2})
        reach(stack, client_at_risk(api, number), "written")
    faults(stack)


def provoke_crashes(stack: Stack, api: Listener) -> None:
    """Have mailer and projector meet a row that Postgres refuses with all of it in the error."""
    for part, table, number in (("mailer", "emails", 40), ("projector", "score_features", 41)):
        books.execute(
            stack,
            f"CREATE TRIGGER shout BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION shout()",
        )
        client = client_at_risk(api, number)
        crashed(stack, part)
        books.execute(stack, f"DROP TRIGGER shout ON {table}")
        stack.parts.restart(part)
        reach(stack, client, "written")


def provoke_outages(stack: Stack, api: Listener) -> None:
    """Kill and restart what the services need while they work."""
    faults(stack, {"kind": "none", "delay_ms": 3_000})
    client = client_at_risk(api, 50)
    reach(stack, client, "writing")
    stack.parts.kill("mailer")
    stack.parts.restart("mailer")
    stack.parts.restart("postgres")
    faults(stack)
    reach(stack, client, "written")
    for part in ("relay", "scorer", "projector"):
        stack.parts.kill(part)
        stack.parts.restart(part)


def provoke_poison(stack: Stack) -> None:
    """Have each reader park a record with canaries in it, and the relay a row with them."""
    text = json.dumps({"data": {"client_id": ADA, "name": f"{SHOUTED} {PERSONAL['surname']}"}})
    producer = Producer({"bootstrap.servers": stack.place.bootstrap_servers})
    topics = ("client.events", "client.scores", "client.at-risk")
    before = {topic: len(books.dead_letters(stack, topic)) for topic in topics}
    for topic in topics:
        for value in (text, text[:-9]):
            producer.produce(topic, value.encode(), str(ADA).encode(), 0)
    assert producer.flush(30) == 0
    books.execute(
        stack,
        "INSERT INTO orders (client_id, ordered_at, amount, category)"
        f" VALUES ({ADA}, '12000-01-01Z', 20, '{TOLD['category']}')",
    )

    def parked() -> bool | None:
        more = all(len(books.dead_letters(stack, topic)) >= before[topic] + 1 for topic in topics)
        return True if more and books.dead_letters(stack, "cdc.public.orders") else None

    wait_for("all is parked", parked, LIMIT_S)


def secrets_of(stack: Stack) -> dict[str, str]:
    """Every secret of the run."""
    return asdict(stack.place.secrets) | {"admin": stack.place.admin_password, "key": API_KEY}


def found_in(text: str, canaries: Mapping[str, str]) -> list[str]:
    """Name the canaries that a text holds, in any case; short ones as words of their own, because
    Kafka's ids of topics hold any three letters now and then.
    """
    folded = text.casefold()
    return [name for name, canary in canaries.items() if _holds(folded, canary.casefold())]


def _holds(folded: str, canary: str) -> bool:
    if len(canary) >= SURE_LENGTH:
        return canary in folded
    return re.search(rf"(?<![\w-]){re.escape(canary)}(?![\w-])", folded) is not None


def prompts_of(stack: Stack) -> list[str]:
    """Everything that the model was ever sent."""
    lines = stack.place.sandbox_journal.read_text().splitlines()
    return [json.dumps(json.loads(line)["request"], ensure_ascii=False) for line in lines]


def assert_prompts_are_clean(stack: Stack) -> None:
    """Prompts hold what may be told, of one client each, and nothing else of it."""
    prompts = prompts_of(stack)
    assert any(found_in(prompt, TOLD) == list(TOLD) for prompt in prompts)
    never = PERSONAL | UNTOLD | COUNTED | secrets_of(stack) | {"id": str(ADA)[:6]}
    for prompt in prompts:
        assert found_in(prompt, never | {"shouted": SHOUTED}) == [], prompt


def assert_logs_are_clean(stack: Stack) -> None:
    """No log holds any canary: at DEBUG, and after every failure."""
    never = PERSONAL | TOLD | UNTOLD | COUNTED | secrets_of(stack) | {"shouted": SHOUTED}
    never.pop("time_zone")  # a zone alone is nobody's
    logs = sorted(stack.folder.glob("*/*.log"))
    assert {log.stem for log in logs} >= {*LOGGING, "sandbox", "kafka", "connect", "postgres"}
    leaks = {log.name: found_in(log.read_text(errors="replace"), never) for log in logs}
    assert not {name: found for name, found in leaks.items() if found}


def assert_topics_are_clean(stack: Stack) -> None:
    """No record of any topic holds a personal column or a secret; dead letters hold what came."""
    personal = PERSONAL | TOLD | UNTOLD
    seen = set()
    for record in records(stack, newest=False):
        topic = record.topic()
        seen.add(topic)
        headers = b" ".join(value or b"" for _, value in record.headers() or [])
        parts = [(record.key() or b"") + headers, record.value() or b""]
        if SHOUTED.encode() in parts[1]:
            parts.pop()  # our own poison, as it was written, and as it was parked
        text = b" ".join(parts).decode(errors="replace")
        never = personal | {"shouted": SHOUTED} | secrets_of(stack)
        assert found_in(text, never) == [], (topic, record.key())
    assert seen >= {"cdc.public.clients", *books.LANES[:1], "client.scores", "client.at-risk"}
    assert seen >= {"client.at-risk.dlq", "cdc.public.orders.dlq"}


def assert_pages_are_clean(stack: Stack, api: Listener) -> None:
    """No error answer, document, health page or metric holds a canary."""
    for path in ("/docs", "/openapi.json", "/livez", "/readyz", "/metrics", "/api/stats"):
        api.look(path)
    for part in ("mailer", "relay", "scorer", "projector"):
        for path in ("/livez", "/readyz", "/metrics"):
            api.look(f"{stack.place.url(part)}{path}")
    api.look(f"{stack.place.url('client-api-metrics')}/metrics")
    never = PERSONAL | TOLD | UNTOLD | COUNTED | secrets_of(stack) | {"shouted": SHOUTED}
    for name in ("time_zone", "currency"):
        never.pop(name)  # the API's document lists what it takes
    for page in api.heard:
        assert found_in(page, never) == [], page[:2_000]


def test_canaries_stay_where_they_belong(stack: Stack, api: Listener):
    """With a canary in every column and secret, and after every kind of failure, none is in a
    prompt, log, metric, document, error answer, dead letter or topic that may not hold it.
    """
    books.publish(stack, **POLICY)
    reach(stack, client_at_risk(api, 0), "written")
    loaded = client_at_risk(
        api,
        1,
        style_tags=[UNTOLD["loaded tag"], TOLD["style_tag"]],
        category=UNTOLD["loaded category"],
    )
    reach(stack, loaded, "written")
    provoke_refusals(stack, api)
    provoke_bad_decisions(api)
    provoke_a_bad_model(stack, api)
    provoke_crashes(stack, api)
    provoke_outages(stack, api)
    provoke_poison(stack)
    assert_prompts_are_clean(stack)
    assert_logs_are_clean(stack)
    assert_topics_are_clean(stack)
    assert_pages_are_clean(stack, api)
