"""Each dialog and menu in a real browser, open: access for all in light and dark and on a phone,
and a keyboard that goes in, gets out, and is where it was before.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer
from playwright.sync_api import Locator, Page, expect

from common.topics import SCORES, dead_letters_of
from stack.launcher import Stack
from tests.e2e import shop
from tests.e2e.browsing import LIMIT_MS, Visit
from tests.e2e.operating import engage

CLIENT = 3
HOLDS_FOCUS = "(popup) => popup.contains(document.activeElement)"

pytestmark = pytest.mark.timeout(900)

Opener = Callable[[Page], Locator]
"""Prepares the page, and returns what opens the dialog when it is pressed."""


@pytest.fixture(scope="module", autouse=True)
def a_dead_letter(stack: Stack) -> Iterator[None]:
    """A letter of a topic that no other test looks at waits while this file looks at it."""
    topic = dead_letters_of(SCORES).name
    producer = Producer({"bootstrap.servers": stack.place.bootstrap_servers})
    producer.produce(
        topic,
        json.dumps({"kind": "odd", "client_id": CLIENT}).encode(),
        f"{CLIENT}".encode(),
        0,
        headers=[("reason", b"schema"), ("topic", SCORES.name.encode()), ("attempt", b"1")],
        timestamp=int(time.time() * 1000),
    )
    assert producer.flush(30) == 0
    yield
    engage(stack, "dlq", "dismiss", "--topic", SCORES.name)


def button(name: str | re.Pattern[str]) -> Opener:
    """A button of the page, by its name."""
    return lambda page: page.locator("main").get_by_role("button", name=name).first


def verb(name: str) -> Opener:
    """The button of a decision about the email that is open."""
    return lambda page: page.get_by_test_id("email-detail").get_by_role("button", name=name)


def many(page: Page) -> Locator:
    """Choose the first draft of the queue."""
    page.locator('li[data-testid^="email-"]').first.get_by_role("checkbox").check()
    return page.get_by_role("button", name="Approve chosen…")


def policy(page: Page) -> Locator:
    """Change a rule, and wait for what that would do: above the button, it moves it once."""
    page.get_by_label("Days between emails", exact=True).fill("22")
    effect = page.get_by_role("region", name="What if?").get_by_role("status")
    expect(effect).to_have_text("As of now", timeout=LIMIT_MS)
    return page.get_by_role("button", name="Save as a new version")


def backfill(page: Page) -> Locator:
    """Name rows."""
    form = page.get_by_role("form", name="Backfill")
    form.get_by_label("Rows").select_option("condition")
    form.get_by_label("Condition").fill(f"client_id = {CLIENT}")
    return form.get_by_role("button", name="Count the rows")


def replay(page: Page) -> Locator:
    """Name clients."""
    form = page.get_by_role("form", name="Replay")
    form.get_by_label("Numbers").fill(str(CLIENT))
    return form.get_by_role("button", name="Count the records")


def letter(page: Page) -> Locator:
    """Open the letter."""
    page.get_by_role("link", name=SCORES.name, exact=True).click()
    page.get_by_role("table", name=f"Letters of {SCORES.name}").get_by_role("link").first.click()
    return page.get_by_role("button", name="Send this one again")


DIALOGS: dict[str, tuple[str, Opener]] = {
    "create client": ("/clients", button("New client")),
    "edit client": (f"/clients/{CLIENT}", button("Edit client")),
    "add order": (f"/clients/{CLIENT}", button("Add order")),
    "edit order": (f"/clients/{CLIENT}", button(re.compile("^Edit order"))),
    "erase": (f"/clients/{CLIENT}", button(re.compile("^Erase$"))),
    "edit email": ("/emails/{draft}", verb("Edit")),
    "reject email": ("/emails/{draft}", verb("Reject")),
    "approve many": ("/emails?state=draft", many),
    "policy save": ("/policy", policy),
    "backfill": ("/operations?tab=runs", backfill),
    "replay": ("/operations?tab=runs", replay),
    "all letters": ("/operations?tab=letters", button("Send all again…")),
    "one letter": ("/operations?tab=letters", letter),
}


def wrong_in_any_look(visit: Visit, popup: Locator) -> list[str]:
    """Return the serious findings of the page as it is, in each theme and size, and what of the
    popup is out of sight.
    """
    found: list[str] = []
    for theme, width in visit.looks():
        look = f"{theme}, {width} px"
        found += [f"{look}: {finding}" for finding in visit.findings()]
        box = popup.bounding_box()
        assert box is not None, look
        if box["x"] < 0 or box["x"] + box["width"] > width or visit.width() > width:
            found.append(f"{look}: is wider than the screen")
    return found


def expect_focus_in(popup: Locator) -> None:
    """Wait until the focus is in a popup, or on the popup itself."""
    expect(popup).to_be_visible()
    popup.page.wait_for_function(HOLDS_FOCUS, arg=popup.element_handle())


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_can_be_used_by_all(visit: Visit, http: httpx.Client, name: str):
    """Open, it has no serious finding and fits the screen; the focus goes in, Escape closes it, and
    the focus is back at what opened it.
    """
    path, opener = DIALOGS[name]
    visit.sign_in("Olivia", path.format(draft=shop.episode(http, "draft")))
    opens = opener(visit.page)
    expect(opens).to_be_enabled(timeout=LIMIT_MS)
    opens.click()
    popup = visit.page.locator("[role$=dialog]")
    expect(popup).to_be_visible()
    expect_focus_in(popup)
    assert wrong_in_any_look(visit, popup) == []
    visit.page.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    expect(opens).to_be_focused()


def test_the_account_menu_can_be_used_by_all(visit: Visit):
    """The next stop of the tab key is in the menu; Escape closes it and leads back."""
    visit.sign_in("Olivia")
    account = visit.page.get_by_test_id("account")
    account.click()
    menu = visit.page.get_by_role("group", name="Account")
    expect(menu).to_be_visible()
    visit.page.keyboard.press("Tab")
    expect_focus_in(menu)
    assert wrong_in_any_look(visit, menu) == []
    visit.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(account).to_be_focused()


@pytest.mark.parametrize("way", ["key", "menu"])
def test_the_list_of_shortcuts_can_be_used_by_all(visit: Visit, way: str):
    """By its key or from the menu: the focus goes in, and is where it was afterwards."""
    visit.sign_in("Olivia")
    page = visit.page
    if way == "key":
        before = page.get_by_role("link", name="Engage")
        before.focus()
        page.keyboard.press("?")
    else:
        before = page.get_by_test_id("account")
        before.click()
        page.get_by_role("button", name="Keyboard shortcuts").click()
    popup = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(popup).to_be_visible()
    expect_focus_in(popup)
    assert wrong_in_any_look(visit, popup) == []
    page.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    expect(before).to_be_focused()


def test_an_import_can_be_used_by_all(visit: Visit, tmp_path: Path):
    """The preview of a file and what its check found have no serious finding."""
    file = tmp_path / "people.csv"
    file.write_text("First Name,E-mail\nLise,lise@example.com\nBob,no address\n")
    visit.sign_in("Olivia", "/clients/import")
    visit.page.set_input_files("input[type=file]", file)
    preview = visit.page.get_by_test_id("preview")
    expect(preview).to_contain_text("Lise")
    assert wrong_in_any_look(visit, visit.page.locator("main")) == []
    visit.page.get_by_role("button", name="Check all rows").click()
    expect(visit.page.get_by_test_id("check-result")).to_contain_text("1 client would be imported")
    assert wrong_in_any_look(visit, visit.page.locator("main")) == []
