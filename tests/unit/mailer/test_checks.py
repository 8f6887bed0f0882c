"""Each rule catches its thing, and good texts pass."""

import itertools
import json
import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.cdnow import CATEGORIES as DEMO_CATEGORIES
from demo.cdnow import FIRST_NAMES, STYLE_TAGS
from mailer.words.checks import RULES, Draft, broken_rules, read
from mailer.words.letter import SIGN_OFF, render
from mailer.words.prompt import facts_of, messages_for
from sandbox.writing import facts_in, write

TEXTS = Path(__file__).parent / "texts"
SENTENCES = tomllib.loads((TEXTS / "rules.toml").read_text(encoding="utf-8"))
GOOD_EMAILS = tomllib.loads((TEXTS / "good_emails.toml").read_text(encoding="utf-8"))["email"]

FACTS = facts_of("Anna", ["boho", "80s"], ["shoes"], 60)
NAMELESS = facts_of("", [], ["shoes"], 60)
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


def sentences(kind):
    """Each sentence of the file that a rule must catch, or that must pass, beside its rule."""
    return [(rule, text) for rule, table in SENTENCES.items() for text in table[kind]]


def test_a_good_text_passes():
    """A grounded, plain, personal text breaks no rule."""
    assert broken_rules(GOOD, FACTS) == ()


@pytest.mark.parametrize(("rule", "text"), sentences("caught"))
def test_each_rule_catches_its_sentences(rule, text):
    """A sentence that does the forbidden thing breaks the rule made for it."""
    assert rule in broken_rules(with_text(text), FACTS)


@pytest.mark.parametrize(("rule", "text"), sentences("passes"))
def test_near_misses_pass(rule, text):
    """A sentence that only looks like the forbidden thing breaks no rule."""
    assert broken_rules(with_text(text), FACTS) == (), rule


BAD = [
    ("length", GOOD.model_copy(update={"subject": "A"})),
    ("length", GOOD.model_copy(update={"subject": "A" * 101})),
    ("length", GOOD.model_copy(update={"body": "Hello Anna,"})),
    ("length", with_text("so " * 600)),
    ("plain", GOOD.model_copy(update={"subject": "A note\nBcc: all"})),
    ("link", GOOD.model_copy(update={"subject": "Visit shop.example"})),
    ("offer", GOOD.model_copy(update={"subject": "Something free for you"})),
    ("number", GOOD.model_copy(update={"subject": "Only 3 left"})),
    ("name", GOOD.model_copy(update={"subject": "A note for Robert"})),
    ("name", GOOD.model_copy(update={"subject": "A Note For Robert"})),
    ("name", GOOD.model_copy(update={"subject": "Thinking of Zebedee"})),
    ("name", with_body("Hello Bob,")),
    ("name", with_body("Hello,")),
    ("name", with_body("Hello Anna Smith,")),
    ("name", with_body("It has been a while.")),
    ("facts_used", GOOD.model_copy(update={"facts_used": ["surname"]})),
    ("facts_used", GOOD.model_copy(update={"facts_used": ["http://evil.test"]})),
    ("facts_used", GOOD.model_copy(update={"facts_used": ["first_name"] * 20})),
]


@pytest.mark.parametrize(("rule", "draft"), BAD)
def test_each_rule_catches_its_drafts(rule, draft):
    """What is no sentence of the body is caught as well."""
    assert rule in broken_rules(draft, FACTS)


def test_every_rule_is_shown_to_catch_something():
    """There is no rule without an example that breaks it, and none but these."""
    shown = {rule for rule, _ in (*sentences("caught"), *BAD)}
    assert shown == {rule.name for rule in RULES}


@pytest.mark.parametrize("email", GOOD_EMAILS, ids=lambda email: email["subject"])
def test_good_emails_pass(email):
    """An email as a careful person writes it breaks no rule."""
    name, tags, categories, days = email["client"]
    draft = Draft(subject=email["subject"], body=email["body"], facts_used=["last_order"])
    assert broken_rules(draft, facts_of(name, tags, categories, days)) == ()


def test_good_emails_are_many_and_fit_no_one_else():
    """The corpus is large enough, and no email of it passes as one to a client of another name."""
    assert len(GOOD_EMAILS) >= 40
    other = facts_of("Wilhelmina", [], [], 3000)
    for email in GOOD_EMAILS:
        draft = Draft(subject=email["subject"], body=email["body"], facts_used=[])
        assert "name" in broken_rules(draft, other), email["subject"]


@pytest.mark.parametrize("rule", ["offer", "link", "watching", "plain", "machine"])
def test_no_good_email_hides_what_is_added_to_it(rule):
    """Whatever the email, a caught sentence at the end of any paragraph is caught in it."""
    draw = random.Random(rule)
    for email in GOOD_EMAILS:
        name, tags, categories, days = email["client"]
        paragraphs = email["body"].split("\n\n")
        at = draw.randrange(1, len(paragraphs))
        paragraphs[at] += " " + draw.choice(SENTENCES[rule]["caught"])
        draft = Draft(subject=email["subject"], body="\n\n".join(paragraphs), facts_used=[])
        broken = broken_rules(draft, facts_of(name, tags, categories, days))
        assert rule in broken, (email["subject"], paragraphs[at])


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


def test_goods_that_were_given_pass_in_any_number():
    """A category may be named in the singular and the plural, and by its parts."""
    facts = facts_of("Anna", [], ["hats & scarves", "party dresses", "knives"], 60)
    text = "That hat, a scarf, those dresses, a party dress, a knife: all yours."
    draft = with_body(f"Hello Anna,\n\n{text} We hope that you enjoy them.")
    draft = draft.model_copy(update={"body": draft.body.replace("your shoes", "them")})
    assert "product" not in broken_rules(draft, facts)
    more = draft.model_copy(update={"body": f"{draft.body} And there is a vase."})
    assert "product" in broken_rules(more, facts)


@pytest.mark.parametrize(
    ("days", "said", "passes"),
    [
        (60, "It was about two months ago.", True),
        (60, "It was some weeks ago.", True),
        (60, "It was three months ago.", False),
        (60, "It was a year ago.", False),
        (10, "It was about a week ago.", True),
        (10, "It was months ago.", False),
        (500, "It was more than a year ago.", True),
        (500, "It was days ago.", False),
    ],
)
def test_the_time_since_the_last_order_is_the_one_given(days, said, passes):
    """A lapse of time may be told as it was given, or in the next smaller unit without a figure."""
    facts = facts_of("Anna", ["boho"], ["shoes"], days)
    draft = GOOD.model_copy(
        update={"body": BODY.replace("It was about two months ago that", "Once") + " " + said}
    )
    assert (broken_rules(draft, facts) == ()) == passes


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


@given(st.text(max_size=200), st.text(max_size=1600), st.lists(st.text(max_size=20), max_size=5))
def test_any_text_can_be_checked(subject, body, used):
    """The checks answer for every text, always the same, with names of rules in their order."""
    draft = Draft(subject=subject, body=body, facts_used=used)
    broken = broken_rules(draft, FACTS)
    assert broken == broken_rules(draft, FACTS)
    order = [rule.name for rule in RULES]
    assert list(broken) == [name for name in order if name in broken]


def test_the_letter_adds_our_sign_off():
    """Our template sets the text and signs it; the hash follows every word."""
    letter = render(GOOD.model_copy(update={"body": f"\n{BODY}\n\n\n\n"}))
    assert letter.body == f"{BODY}\n\n{SIGN_OFF}"
    assert letter.draft_hash != letter._replace(subject="Another").draft_hash


NAMES = ["Anna", "Bob", "José", "Mary Ann", "", "May", "O'Brien", "Анна", "अनीता", "Zoë", "J. R."]
NAMES += FIRST_NAMES
TAGS = ["boho", "80s", "minimal", "evening wear", "Y2K", "R&B", "mid-century", "Art Déco"]
TAGS += STYLE_TAGS
CATEGORIES = [
    *("shoes", "dresses", "general", "music", "hats & scarves", "vinyl records", "board games"),
    *("home decor", "books", "watches", "T-shirts", "3D prints", "kitchen", "garden tools"),
    *DEMO_CATEGORIES,
]


def test_the_sandbox_writes_what_passes():
    """The sandbox's texts pass the checks, for any realistic client, and differ between clients."""
    draw = random.Random(7)
    bodies = set()
    for number in range(1000):
        facts = facts_of(
            draw.choice(NAMES),
            draw.sample(TAGS, draw.randint(0, 4)),
            draw.sample(CATEGORIES, draw.randint(0, 4)),
            number,
        )
        draft = read(json.dumps(write(facts_in(messages_for(facts)) or {})))
        assert isinstance(draft, Draft)
        assert broken_rules(draft, facts) == (), (draft, facts)
        bodies.add(draft.body)
    assert len(bodies) > 900


def test_a_fact_by_itself_never_breaks_a_rule():
    """Whatever gets into a prompt may be repeated: an email that does is not rejected for it."""
    for tag, category in itertools.product(TAGS, CATEGORIES):
        facts = facts_of("Anna", [tag], [category], 60)
        for fact in (*facts.style_tags, *facts.order_categories):
            draft = with_body(f"Hello Anna,\n\nHere is to {fact}, and to you.")
            assert set(broken_rules(draft, facts)) <= {"product"}, fact
