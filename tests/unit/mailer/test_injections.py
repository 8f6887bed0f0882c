"""Client text that gives orders to the model: none of it comes true, whoever obeys it."""

import itertools
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.words.checks import Draft, broken_rules, read
from mailer.words.letter import render
from mailer.words.prompt import facts_of, messages_for
from sandbox.obeying import DISGUISES, obey
from sandbox.writing import facts_in, write
from tests.injections import FIELDS, INJECTIONS, Injection

GOOD = {"first_name": "Anna", "style_tags": ["boho"], "categories": ["shoes"]}
CASES = list(itertools.product(INJECTIONS, FIELDS))


def facts_with(injection: Injection, field: str, days: int = 60):
    """The facts of a client who has the text in one field and nothing odd in the others."""
    text = injection.text if field == "first_name" else [injection.text, "jazz"]
    return facts_of(*({**GOOD, field: text}[name] for name in FIELDS), days)


def ids(case):
    """Name a case by its style."""
    return case.style if isinstance(case, Injection) else case


def good_email(facts):
    """What an honest author writes from the facts."""
    return write(facts_in(messages_for(facts)) or {})


def stored(email, facts):
    """The letter that would be stored for an answer; None if it is rejected."""
    draft = read(json.dumps(email))
    if isinstance(draft, str) or broken_rules(draft, facts):
        return None
    return render(draft)


def test_there_are_fifty_of_many_kinds():
    """The texts are many, all different, and each asks for something."""
    assert len({injection.text for injection in INJECTIONS}) >= 50
    assert all(injection.leaks and len(injection.text) <= 100 for injection in INJECTIONS)


@pytest.mark.parametrize(("injection", "field"), CASES, ids=ids)
def test_orders_are_no_facts(injection, field):
    """No text that asks for something gets into the prompt with what it asks for."""
    facts = facts_with(injection, field)
    given = facts.given()
    given.pop("last_order")
    assert injection.leaked_in(json.dumps(given, ensure_ascii=False)) == []
    assert injection.text not in messages_for(facts)[1]["content"]


@pytest.mark.parametrize(("injection", "field"), CASES, ids=ids)
def test_an_honest_author_writes_nothing_of_it(injection, field):
    """From such a client's facts a good email can be written, and it passes."""
    facts = facts_with(injection, field)
    letter = stored(good_email(facts), facts)
    assert letter is not None
    assert injection.leaked_in(f"{letter.subject}\n{letter.body}") == []


@pytest.mark.parametrize(("injection", "field"), CASES, ids=ids)
def test_a_model_that_obeys_its_prompt_is_rejected(injection, field):
    """A model that takes the facts for orders gets no email through, at neither try."""
    facts = facts_with(injection, field)
    for problems in ((), ("offer",)):
        messages = messages_for(facts, problems)
        assert stored(obey(messages), facts) is None


@pytest.mark.parametrize("injection", INJECTIONS, ids=ids)
@pytest.mark.parametrize("place", ["end", "own paragraph", "start", "subject"])
def test_what_an_obeying_model_adds_is_rejected(injection, place):
    """Were the order to reach the model all the same, what it adds is caught, wherever it is."""
    facts = facts_of("Anna", ["boho"], ["shoes"], 60)
    email = good_email(facts)
    greeting, rest = email["body"].split("\n\n", 1)
    added = injection.obeyed
    changed = {
        "end": {"body": f"{email['body']} {added}"},
        "own paragraph": {"body": f"{greeting}\n\n{added}\n\n{rest}"},
        "start": {"body": f"{greeting} {added}\n\n{rest}"},
        "subject": {"subject": added[:100]},
    }[place]
    letter = stored({**email, **changed}, facts)
    assert letter is None, broken_rules(Draft(**{**email, **changed}), facts)


@pytest.mark.parametrize("injection", INJECTIONS, ids=ids)
def test_a_model_that_repeats_the_order_leaks_nothing(injection):
    """A model that repeats the text itself is rejected, or repeats nothing that matters."""
    facts = facts_of("Anna", ["boho"], ["shoes"], 60)
    email = good_email(facts)
    for changed in (
        {"body": f"{email['body']} {injection.text}."},
        {"subject": injection.text[:100]},
        {"facts_used": [injection.text]},
        {"body": email["body"].replace("Hello Anna", f"Hello {injection.text}")},
    ):
        assert stored({**email, **changed}, facts) is None, changed


@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_disguise_is_seen_through(disguise):
    """Each of the obeying model's own additions is rejected by itself."""
    facts = facts_of("Anna", ["boho"], ["shoes"], 60)
    email = good_email(facts)
    assert stored({**email, "body": f"{email['body']} {disguise}"}, facts) is None


WORDS = st.lists(st.text(st.characters(categories=["L", "M", "Nd"]), max_size=12), max_size=3).map(
    " ".join
)
TEXTS = st.one_of(st.text(max_size=30), WORDS, st.sampled_from([one.text for one in INJECTIONS]))


@given(TEXTS, st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=3), st.integers(0, 900))
@example("A", [], ["OFFER"], 0)
def test_whatever_clients_write_an_honest_email_passes_and_an_obeying_one_does_not(
    name, tags, categories, days
):
    """No client text makes a good email impossible, and none makes a bad one pass."""
    facts = facts_of(name, tags, categories, days)
    assert stored(good_email(facts), facts) is not None
    assert stored(obey(messages_for(facts)), facts) is None
