"""What clients, callers and people do in a schedule: over HTTP alone, again until it is done."""

import heapq
import time
from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from common.unsubscribe import token_of
from tests.chaos.emails.journal import Journal
from tests.chaos.emails.model import Model
from tests.chaos.emails.nonces import word_of
from tests.chaos.emails.plan import Act, Person, Plan, later_order

DONE_LIMIT_S = 90.0
AGAIN_S = 0.1
LOOK_AGAIN_S = 0.3
LOOK_LIMIT_S = 45.0
OK = range(200, 300)
CONFLICT, NOT_FOUND = 409, 404

LOOKED_FOR = {"release": {"held"}, "retry": {"rejected", "failed"}}
"""The state in which a person finds an episode before deciding."""


LINK_KEY = SecretStr("a-key-of-the-chaos-runs-and-of-nothing-else")
"""Of the links in emails: this client has opened one that came with an earlier email."""


class Trade:
    """Does what a plan says at its time, and tells the journal before and after."""

    def __init__(self, http: httpx.Client, journal: Journal, model: Model, number: int) -> None:
        """Call the API through ``http``; ``number`` is the schedule's."""
        self._http = http
        self._journal = journal
        self._model = model
        self._number = number

    def run(self, plan: Plan, began: float) -> None:
        """Do all acts; a person's decision waits until there is something to decide."""
        queue = [(began + act.after_s, place, act) for place, act in enumerate(plan.acts)]
        heapq.heapify(queue)
        while queue:
            at, place, act = heapq.heappop(queue)
            time.sleep(max(0.0, at - time.monotonic()))
            if not self._do(act) and time.monotonic() < began + LOOK_LIMIT_S:
                heapq.heappush(queue, (time.monotonic() + LOOK_AGAIN_S, place, act))

    def _do(self, act: Act) -> bool:
        person = act.person
        match act.act:
            case "create":
                self._create(person)
            case "order":
                self._noted(person, "order", "POST", "/api/orders", later_order(person))
            case "withdraw":
                path = f"/api/clients/{person.client}"
                self._noted(person, "withdraw", "PATCH", path, {"consent": False})
            case "unsubscribe":
                self._noted(
                    person, "unsubscribe", "POST", f"/u/{token_of(person.client, LINK_KEY)}"
                )
            case "suppress":
                body = {"address": person.address, "reason": "chaos"}
                self._noted(person, "suppress", "POST", "/api/suppressions", body)
            case "erase":
                self._noted(person, "erase", "DELETE", f"/api/clients/{person.client}")
            case _:
                return self._decide(person, act.act)
        return True

    def _create(self, person: Person) -> None:
        self._journal.note(
            "client",
            schedule=self._number,
            client=person.client,
            fate=person.fate,
            consent=person.consent,
            episode=person.episode,
            address=person.address,
            trouble=person.trouble,
        )
        body = {
            "id": person.client,
            "first_name": person.name,
            "email": person.address,
            "style_tags": [word_of(person.client, "tag")],
            "consent": person.consent,
            "synthetic": True,
        }
        self._journal.note("asked", client=person.client, act="create")
        self._persist("POST", "/api/clients", body)
        # The newest first: the older alone would be another silence, of another episode.
        for order in sorted(person.orders, key=lambda order: order["ordered_at"], reverse=True):
            self._persist("POST", "/api/orders", order)
        self._journal.note("done", client=person.client, act="create")

    def _noted(
        self, person: Person, act: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> None:
        self._journal.note("asked", client=person.client, act=act)
        self._persist(method, path, body)
        self._journal.note("done", client=person.client, act=act)

    def _decide(self, person: Person, action: str) -> bool:
        """Decide about an episode as soon as it is found in a fitting state."""
        answer = self._ask("GET", f"/api/emails/{person.episode}")
        if answer is None or answer.status_code not in OK:
            return False
        if answer.json()["state"] not in LOOKED_FOR[action]:
            return False
        if action == "retry":
            self._model.forgive(person.client)
        body = {"episode_id": person.episode, "action": action}
        self._noted(person, action, "POST", "/api/decisions", body)
        return True

    def _persist(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """Send a request until it is answered well: that it was done before is an answer, too."""
        well: Callable[[int], bool] = lambda status: status in OK  # noqa: E731
        known = {"POST": CONFLICT, "DELETE": NOT_FOUND}.get(method)
        deadline, tries = time.monotonic() + DONE_LIMIT_S, 0
        while True:
            answer = self._ask(method, path, body)
            if answer is not None:
                again = tries > 0 and answer.status_code == known
                if well(answer.status_code) or again:
                    return
                assert answer.status_code >= 500, f"{method} {path}: {answer.text}"
            tries += 1
            assert time.monotonic() < deadline, f"{method} {path}: not within {DONE_LIMIT_S:.0f} s"
            time.sleep(AGAIN_S)

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response | None:
        try:
            return self._http.request(method, path, json=body)
        except httpx.TransportError:
            return None
