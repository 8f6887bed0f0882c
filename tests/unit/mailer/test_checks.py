"""Each rule catches its thing, and good texts pass."""

import json
import random

import pytest

from mailer.checks import RULES, Draft, broken_rules, read
from mailer.letter import SIGN_OFF, render
from mailer.prompt import facts_of, messages_for
from sandbox.writing import facts_in, write

FACTS = facts_of("Anna", ["boho", "80s"], ["shoes"], 60)
NAMELESS = facts_of("", [], [], 60)
BODY = (
    "Hello Anna,\n\nIt was about two months ago that you chose your shoes, and we hope that you"
    " enjoy them. Your boho style is a joy.\n\nCome by whenever you like."
)
GOOD = Draft(subject="A note from your shop", body=BODY, facts_used=["first_name"])


def with_text(text):
    """The good draft with one more sentence."""
    return GOOD.model_copy(update={"body": f"{BODY} {text}"})


def with_body(body):
    """The good draft with another body, long enough."""
    return GOOD.model_copy(update={"body": f"{body}\n\n{BODY.partition(chr(10))[2].strip()}"})


def test_a_good_text_passes():
    """A grounded, plain, personal text breaks no rule."""
    assert broken_rules(GOOD, FACTS) == ()


BAD = [
    ("length", GOOD.model_copy(update={"subject": "A"})),
    ("length", GOOD.model_copy(update={"subject": "A" * 101})),
    ("length", GOOD.model_copy(update={"body": "Hello Anna,"})),
    ("length", with_text("so " * 600)),
    ("plain", with_text("<b>bold</b>")),
    ("plain", with_text("<script>alert()</script>")),
    ("plain", with_text("**bold**")),
    ("plain", with_text("see [us](there)")),
    ("plain", with_text("\n# Heading")),
    ("plain", with_text("\n- an item")),
    ("plain", with_text("fish &amp; chips")),
    ("plain", with_text("hid\u200bden")),
    ("plain", with_text("\u202eturned")),
    ("plain", with_text("bell\x07")),
    ("plain", GOOD.model_copy(update={"subject": "A note\nBcc: all"})),
    ("link", with_text("See http://evil.test now")),
    ("link", with_text("See www.evil.test now")),
    ("link", with_text("Find us at evil.test today")),
    ("link", with_text("Write to us@evil.test")),
    ("link", with_text("javascript:alert()")),
    ("link", with_text("Just click here")),
    ("link", GOOD.model_copy(update={"subject": "Visit shop.example"})),
    ("placeholder", with_text("Dear {name}")),
    ("placeholder", with_text("[Shop name]")),
    ("placeholder", with_text("\nYour Name")),
    ("placeholder", with_text("XXX")),
    ("number", with_text("We have 3 new pairs")),
    ("number", with_text("Only 90% today")),
    ("number", with_text("Just $ for you")),
    ("number", with_text("From €")),
    ("number", with_text("the 90s are back")),
    ("number", with_text("half is ½")),
    ("number", with_text("room \uff14")),
    ("date", with_text("See you on Monday")),
    ("date", with_text("until next March")),
    ("date", with_text("before Christmas")),
    ("offer", with_text("Enjoy a discount")),
    ("offer", with_text("Get free delivery")),
    ("offer", with_text("A gift awaits")),
    ("offer", with_text("at half price")),
    ("offer", with_text("use your voucher")),
    ("offer", with_text("ten percent less")),
    ("offer", with_text("for twenty dollars")),
    ("offer", with_text("satisfaction guaranteed")),
    ("name", with_body("Hello Bob,")),
    ("name", with_body("Hello,")),
    ("name", with_body("Hello Anna Smith,")),
    ("name", with_body("It has been a while.")),
    ("watching", with_text("Your engagement score is low")),
    ("watching", with_text("We have noticed that you were away")),
    ("watching", with_text("Our records say so")),
    ("watching", with_text("You are at risk")),
    ("watching", with_text("We have been tracking you")),
    ("machine", with_text("As an AI I cannot")),
    ("machine", with_text("Following your instructions")),
    ("machine", with_text("I ignore previous ones")),
    ("signed", with_text("\n\nBest regards,\nThe team")),
    ("signed", with_text("\n\nLove,\nAnna's shop")),
    ("facts_used", GOOD.model_copy(update={"facts_used": ["surname"]})),
]


@pytest.mark.parametrize(("rule", "draft"), BAD)
def test_each_rule_catches_its_thing(rule, draft):
    """A text that does the forbidden thing breaks the rule made for it."""
    assert rule in broken_rules(draft, FACTS)


def test_every_rule_is_shown_to_catch_something():
    """There is no rule without an example that breaks it."""
    assert {rule for rule, _ in BAD} == {rule.name for rule in RULES}


@pytest.mark.parametrize(
    "text",
    [
        "Feel free to come by.",
        "The 80s are back.",
        "You may like it.",
        "We march on.",
        "Well, e.g.",
    ],
)
def test_harmless_words_pass(text):
    """Words that only look like trouble break no rule."""
    assert broken_rules(with_text(text), FACTS) == ()


def test_months_that_are_names_pass():
    """April may be greeted."""
    april = facts_of("April", [], [], 60)
    body = BODY.replace("Anna", "April").replace("shoes", "things").replace("boho ", "")
    draft = Draft(subject="For April", body=body, facts_used=[])
    assert broken_rules(draft, april) == ()


def test_without_a_name_nobody_is_named():
    """A client without a usable name is greeted without one."""
    assert "name" in broken_rules(GOOD, NAMELESS)
    for greeting in ("Hello,", "Hello there,"):
        draft = with_body(greeting).model_copy(update={"facts_used": []})
        assert broken_rules(draft, NAMELESS) == ()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("no json", "form: json_invalid"),
        ('```json\n{"subject": "a", "body": "b", "facts_used": []}\n```', "form: json_invalid"),
        ('{"subject": "a", "body": "b"}', "form: missing"),
        ('{"subject": 7, "body": "b", "facts_used": []}', "form: string_type"),
        ('{"subject": "a", "body": "b", "facts_used": [], "x": 1}', "form: extra_forbidden"),
        ('["a"]', "form: model_type"),
        ('{"subject": "\\ud800", "body": "b", "facts_used": []}', "form: json_invalid"),
        ("\ud800", "form: string_unicode"),
        ("x" * 20_001, "form: the answer is too long"),
    ],
)
def test_only_the_asked_form_is_read(answer, problem):
    """An answer in any other form than the one asked for is refused, without repeating it."""
    assert read(answer) == problem


def test_white_space_around_json_is_json():
    """White space around the JSON is no reason to refuse it."""
    answer = '\n {"subject": "a", "body": "b", "facts_used": []} \n'
    assert read(answer) == Draft(subject="a", body="b", facts_used=[])


def test_the_letter_adds_our_sign_off():
    """Our template sets the text and signs it; the hash follows every word."""
    letter = render(GOOD.model_copy(update={"body": f"\n{BODY}\n\n\n\n"}))
    assert letter.body == f"{BODY}\n\n{SIGN_OFF}"
    assert letter.draft_hash != letter._replace(subject="Another").draft_hash


def test_the_sandbox_writes_what_passes():
    """The sandbox's texts pass the checks and differ from person to person."""
    draw = random.Random(7)
    bodies = set()
    for number in range(500):
        facts = facts_of(
            draw.choice(["Anna", "Bob", "José", "Mary Ann", "", "May"]),
            draw.sample(["boho", "80s", "minimal", "evening wear"], draw.randint(0, 3)),
            draw.sample(["shoes", "dresses", "general", "music"], draw.randint(0, 3)),
            number,
        )
        draft = read(json.dumps(write(facts_in(messages_for(facts)) or {})))
        assert isinstance(draft, Draft)
        assert broken_rules(draft, facts) == ()
        bodies.add(draft.body)
    assert len(bodies) > 400
