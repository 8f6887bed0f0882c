"""A shop in which a row of every kind stands, brought there by the system itself, and their ids.

An email waits in each state that people meet; addresses are suppressed, a client is erased, runs
have ended and a dead letter waits.
"""

from typing import Any, NamedTuple

import httpx

from stack.launcher import Stack
from tests.e2e import books, shop
from tests.e2e.letterbox import Letterbox
from tests.e2e.waiting import wait_for

LIMIT_S = 180.0
LEAVING = 9_001
"""The first of those who are there to be deleted."""
WHEN_NEVER = "12000-01-01Z"
"""A moment that Postgres holds and no event can name: its order is parked by the relay."""


class Stock(NamedTuple):
    """What can be asked for."""

    kept: dict[str, list[Any]]
    """Values of parameters, by name."""
    leaving: dict[str, list[Any]]
    """Values of parameters of requests that delete."""
    decisions: list[dict[str, Any]]
    """Decisions that fit the states of emails."""


def fill(stack: Stack, http: httpx.Client, box: Letterbox) -> Stock:
    """Fill the shop; emails leave by ``box``."""
    shop.fill(stack)
    drafts = [found["episode_id"] for found in _emails(http, "draft")]
    assert len(drafts) >= 9, drafts
    erased, waits, lost, sent, rejected, edited, hushed, *others = drafts
    box.later.add(_address(http, waits))
    box.lost.add(_address(http, lost))
    _suppress(http, _address(http, hushed))
    for episode in (waits, lost, sent, hushed):
        _decide(http, episode, "approve")
    _decide(http, rejected, "reject", {"reason": "does not sound like us"})
    _decide(http, edited, "edit", {"subject": "Hello", "body": "Hello again, " * 5})
    reached = {waits: "written", lost: "uncertain", sent: "sent", rejected: "rejected"}
    for episode, state in (reached | {hushed: "suppressed"}).items():
        _reaches(http, episode, state)
    _erase(http, erased)
    held = _emails(http, "held")[0]["episode_id"]
    client = _client(sent)
    runs = _run_some(stack, http, client)
    park(stack, client)
    episodes = [erased, held, waits, lost, sent, rejected, edited, hushed]
    clients = [_client(episode) for episode in episodes]
    orders = http.get("/api/orders", params={"client_id": client}).json()["items"]
    return Stock(
        kept={
            "episode_id": episodes,
            "client_id": clients,
            "order_id": [order["id"] for order in orders],
            "resource": [f"episode/{sent}", f"client/{clients[0]}"],
            "topic": ["cdc.public.orders"],
            "version": [http.get("/api/policies/current").json()["version"]],
            **runs,
        },
        leaving=_leaving(http),
        decisions=[
            {"episode_id": others[0], "action": "approve"},
            {"episode_id": others[1], "action": "reject"},
            {"episode_id": edited, "action": "edit"},
            {"episode_id": held, "action": "release"},
            {"episode_id": rejected, "action": "retry"},
            {"episode_id": lost, "action": "resolve"},
        ],
    )


def park(stack: Stack, client: int) -> None:
    """Enter an order that the relay parks, and wait for its dead letter."""
    books.execute(
        stack,
        "INSERT INTO orders (client_id, ordered_at, amount)"
        f" VALUES ({client}, '{WHEN_NEVER}', 20.00)",
    )

    def parked() -> bool | None:
        return True if books.dead_letters(stack, "cdc.public.orders") else None

    wait_for("a dead letter", parked, LIMIT_S)


def _client(episode: str) -> int:
    """Return whose episode it is: the id begins with the client's."""
    return int(episode.split("-", maxsplit=1)[0])


def _emails(http: httpx.Client, state: str) -> list[Any]:
    found: list[Any] = _read(http, "/api/emails", state=state, limit=50)["items"]
    return found


def _read(http: httpx.Client, path: str, **params: Any) -> Any:
    answer = http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _post(http: httpx.Client, path: str, **body: Any) -> Any:
    answer = http.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def _address(http: httpx.Client, episode: str) -> str:
    found: str = _read(http, f"/api/clients/{_client(episode)}")["email"]
    return found


def _decide(
    http: httpx.Client, episode: str, action: str, payload: dict[str, Any] | None = None
) -> None:
    draft = _read(http, f"/api/emails/{episode}")["email"]["draft_hash"]
    words = {} if payload is None else {"payload": payload}
    _post(http, "/api/decisions", episode_id=episode, action=action, draft_hash=draft, **words)


def _reaches(http: httpx.Client, episode: str, state: str) -> None:
    def look() -> Any:
        return True if _read(http, f"/api/emails/{episode}")["state"] == state else None

    wait_for(f"{episode} is {state}", look, LIMIT_S)


def _suppress(http: httpx.Client, address: str) -> str:
    found: str = _post(http, "/api/suppressions", address=address, reason="asked for it")[
        "address_hash"
    ]
    return found


def _erase(http: httpx.Client, episode: str) -> None:
    answer = http.delete(f"/api/clients/{_client(episode)}")
    assert answer.status_code == 204, answer.text
    _reaches(http, episode, "suppressed")


def _run_some(stack: Stack, http: httpx.Client, client: int) -> dict[str, list[int]]:
    """Have a backfill, a replay and a what-if done; return their ids by the parameters' names."""
    backfill = _post(http, "/api/backfills", table="orders", where=f"client_id = {client}")["id"]
    _ended(stack, http, backfill)
    replay = _post(http, "/api/replays", client_ids=[client])["id"]
    _ended(stack, http, replay)
    what_if = _post(http, "/api/what-ifs", policy={"theta": 0.4})["id"]
    _ended(stack, http, what_if)
    return {"operation_id": [backfill, replay, what_if], "what_if_id": [what_if]}


def _ended(stack: Stack, http: httpx.Client, run: int) -> None:
    def look() -> Any:
        stack.parts.check()
        found = _read(http, f"/api/operations/{run}")
        return None if found["state"] == "running" else found

    ended = wait_for(f"run {run} has ended", look, LIMIT_S)
    assert ended["state"] == "done", ended


def _leaving(http: httpx.Client) -> dict[str, list[Any]]:
    """Make some who are there to be deleted."""
    found: dict[str, list[Any]] = {"client_id": [], "order_id": [], "address_hash": []}
    for id_ in range(LEAVING, LEAVING + 3):
        _post(http, "/api/clients", id=id_, first_name="Gone", email=f"gone.{id_}@example.com")
        order = _post(http, "/api/orders", client_id=id_, amount="29.90")
        found["client_id"].append(id_)
        found["order_id"].append(order["id"])
        found["address_hash"].append(_suppress(http, f"gone.{id_}@example.com"))
    return found
