"""Where the texts that begin with a prefix end."""

from hypothesis import given
from hypothesis import strategies as st

from client_api.store.search import HIGHEST, upper_bound

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(TEXT.filter(bool), TEXT)
def test_exactly_what_begins_with_the_prefix_lies_between(prefix: str, other: str) -> None:
    """Bytewise, as the index is: from the prefix on, below the bound."""
    low, high = prefix.encode(), upper_bound(prefix)
    for text in (prefix, prefix + other, other):
        raw = text.encode()
        between = raw >= low and (high is None or raw < high.encode())
        assert between == text.startswith(prefix)


def test_the_last_of_all_characters_has_nothing_above_it() -> None:
    """Then the character before it is raised, and without one there is no bound."""
    assert upper_bound("a" + chr(HIGHEST)) == "b"
    assert upper_bound(chr(HIGHEST)) is None
    assert upper_bound("\ud7ff") == "\ue000"
