"""What is personal in an answer goes, and nothing else does."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from client_api.shapes.masking import ABOUT_CLIENTS, MASK, WORDS, hidden

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


def test_other_subjects_and_names_stay() -> None:
    """The token's subject and name, an episode's reason and a policy's note are no client's."""
    told = {"subject": "ana", "name": "Ana", "reason": "quiet hours", "note": "x"}
    assert hidden(told) == told


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
