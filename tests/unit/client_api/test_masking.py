"""What is personal in an answer goes, and nothing else does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_api.shapes.letters import MASK
from client_api.shapes.masking import ABOUT_CLIENTS, WORDS, hidden

CLIENT = {
    "id": 7,
    "first_name": "Canarina",
    "surname": None,
    "email": "canary@example.com",
    "phone": "123",
    "address": "Canary Street 1",
    "style_tags": ["jazz"],
    "score": {"score": 0.25, "state": "at_risk"},
    "masked": False,
}
EPISODE = {
    "episode_id": "7-20000",
    "first_name": "Canarina",
    "email": {"subject": "Canarina!", "body": "Dear Canarina", "model": "m", "sandbox": True},
    "decisions": [
        {"payload": {"subject": "a", "sent": True}, "difference": "-a", "masked": False},
        {"payload": {}, "difference": None, "masked": False},
    ],
    "facts_used": ["Canarina", ["jazz"]],
    "masked": False,
}


def test_a_client_keeps_what_is_not_personal() -> None:
    """Null stays null: that there is none is no secret. The row says that it is masked."""
    assert hidden({"items": [CLIENT], "next": "c"}) == {
        "items": [
            {
                **CLIENT,
                **dict.fromkeys(("first_name", "email", "phone", "address"), MASK),
                "masked": True,
            }
        ],
        "next": "c",
    }


def test_an_email_loses_its_words_and_keeps_its_origin() -> None:
    """Subject, body, facts, and what people wrote in decisions; figures and flags stay."""
    found = hidden(EPISODE)
    assert found["email"] == {"subject": MASK, "body": MASK, "model": "m", "sandbox": True}
    assert found["decisions"][0] == {
        "payload": {"subject": MASK, "sent": True},
        "difference": MASK,
        "masked": True,
    }
    assert found["decisions"][1]["payload"] == {}
    assert found["facts_used"] == [MASK, [MASK]]


def test_an_episode_below_an_email_is_masked_as_any_other() -> None:
    """As in a lineage: its email is an episode with names, and an email of its own."""
    assert hidden({"email": EPISODE}) == {"email": hidden(EPISODE)}
    assert hidden({"email": EPISODE})["email"]["masked"] is True


def test_other_subjects_and_names_stay() -> None:
    """The token's subject and name, an episode's reason and a policy's note are no client's."""
    told = {"subject": "ana", "name": "Ana", "reason": "quiet hours", "note": "x"}
    assert hidden(told) == told


SUPPRESSION = {"address_hash": "ab" * 32, "reason": "Canarina called", "actor": "olivia"}


def test_a_suppression_loses_its_hash_and_its_reason() -> None:
    """Who guesses an address knows it by its hash; and people wrote the reason."""
    found = hidden({"items": [{**SUPPRESSION, "masked": False}], "next": None})
    masked = {"address_hash": MASK, "reason": MASK, "actor": "olivia", "masked": True}
    assert found["items"] == [masked]
    assert hidden({"resource": "address/abab"}) == {"resource": f"address/{MASK}"}
    assert hidden({"resource": "client/42"}) == {"resource": "client/42"}


def letter(**change: Any) -> dict[str, Any]:
    """Return a dead letter, as it is before it is masked."""
    own = {"reason": "bad_amount", "attempt": "2", "offset": "9", "Canary": "Canarina"}
    return {"topic": "t", "offset": 3, "headers": own, "key": "42/client", "value": None} | change


def test_a_letter_keeps_ids_times_and_why_it_was_parked() -> None:
    """Of its headers only those of whoever parked it."""
    image = {"op": "u", "after": {"id": 42, "version": 7, "ordered_at": "2026-01-02T03:04:05Z"}}
    found = hidden(letter(value=image, masked=False))
    assert found == letter(
        headers={"reason": "bad_amount", "attempt": "2", "offset": "9"}, value=image, masked=True
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Canarina, 12 Main St", MASK),
        (4915012345, MASK),
        ({"nickname": "Canarina"}, {MASK: MASK}),
        ({"Canarina": 1, "phone": 49150}, {MASK: MASK, "phone": MASK}),
        ({"consent": True, "amount": 9.5}, {"consent": MASK, "amount": 9.5}),
        ({"id": "canary@example.com", "status": "Canarina"}, {"id": MASK, "status": MASK}),
        ({"id": ["Canarina", 1, None]}, {"id": [MASK, MASK, None]}),
        ({"after": [{"id": 1, "name": "x"}]}, {"after": [{"id": 1, MASK: MASK}]}),
    ],
)
def test_a_letters_value_shows_only_what_is_known_to_be_harmless(value: Any, shown: Any) -> None:
    """Whatever the name and the type: a record that did not pass may hold anything."""
    assert hidden(letter(value=value))["value"] == shown


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (None, None),
        ("42", "42"),
        ("42/order/7", "42/order/7"),
        ('{"payload": {"id": 42, "note": "Canarina"}}', '{"payload":{"id":42,"•••":"•••"}}'),
        ("canary@example.com", MASK),
        ('"Canarina"', f'"{MASK}"'),
    ],
)
def test_a_letters_key_is_shown_where_it_is_an_id(key: str | None, shown: str | None) -> None:
    """A key is text of whoever sent the record."""
    assert hidden(letter(key=key))["key"] == shown


def test_a_letter_that_is_deep_is_cut() -> None:
    """However deep a record goes, what is far down is hidden."""
    deep: Any = 1
    for _ in range(200):
        deep = {"after": deep}
    assert str(hidden(letter(value=deep))["value"]).count("after") < 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*ABOUT_CLIENTS, *WORDS, "email", "id", "masked"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


def texts_below(document: Any, *, personal: bool = False) -> list[str]:
    """Return every text that stands below a personal name."""
    match document:
        case str():
            return [document] if personal else []
        case list():
            return [t for one in document for t in texts_below(one, personal=personal)]
        case dict():
            return [
                text
                for name, one in document.items()
                for text in texts_below(one, personal=personal or name in ABOUT_CLIENTS | WORDS)
            ]
    return []


@given(JSON)
def test_no_text_is_left_below_a_personal_name(document: Any) -> None:
    """Wherever it stands and however deep; and masking twice changes nothing more."""
    found = hidden(document)
    assert set(texts_below(found)) <= {MASK}
    assert hidden(found) == found
