"""Cursors: what went in comes out, and nothing else gets in."""

from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_api.problems import Invalid
from client_api.shapes.episodes import EpisodeSort
from client_api.store.episode_lists import SORTS
from client_api.web import cursors

IDS = st.integers(1, 2**63 - 1)


@given(IDS, st.none() | st.floats(0, 1))
def test_a_score_key_survives_exactly(row_id: int, score: float | None) -> None:
    """Floats come back bit for bit, or rows at the edge of a page would repeat or vanish."""
    cursor = cursors.encode("score", score, row_id)
    assert cursors.decode(cursor, "score", cursors.BY_SCORE) == (score, row_id)


@given(IDS, st.none() | st.floats(0, 1), st.none() | st.dates())
def test_a_cursor_tells_the_day_of_its_list(
    row_id: int, score: float | None, day: date | None
) -> None:
    """The day goes along with the key, for lists that have one."""
    cursor = cursors.encode("-score", score, row_id, day=day)
    assert cursors.decode(cursor, "-score", cursors.BY_SCORE) == (score, row_id)
    assert cursors.day_of(cursor) == day
    with pytest.raises(Invalid):
        cursors.decode(cursor, "score", cursors.BY_SCORE)


@given(
    st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: urlsafe_b64encode(raw).decode())
)
def test_the_day_of_any_other_text_is_refused(text: str) -> None:
    """Whatever a caller makes up."""
    with pytest.raises(Invalid):
        cursors.day_of(text)


@given(IDS, st.datetimes(timezones=st.just(UTC)))
def test_a_time_key_survives_exactly(row_id: int, moment: datetime) -> None:
    """Times of the whole calendar come back to the microsecond."""
    cursor = cursors.encode("-created", moment, row_id)
    assert cursors.decode(cursor, "-created", cursors.BY_TIME) == (moment, row_id)


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    """Whatever a caller makes up is a 422 problem, never an error of ours."""
    with pytest.raises(Invalid):
        cursors.decode(text, "id", cursors.BY_ID)


@pytest.mark.parametrize(
    "raw",
    [b"[]", b'["id"]', b'["id",1,2]', b'["id",0]', b'["id",1.0]', b'["id",true]', b'["-id",1]'],
)
def test_a_key_of_another_shape_is_refused(raw: bytes) -> None:
    """A cursor must have the sort's name and exactly its key."""
    with pytest.raises(Invalid):
        cursors.decode(urlsafe_b64encode(raw).decode(), "id", cursors.BY_ID)


def test_no_cursor_means_the_beginning() -> None:
    """The first page has none."""
    assert cursors.decode(None, "id", cursors.BY_ID) is None


def test_every_sort_of_episodes_has_a_column_and_a_form_of_cursor():
    """A sort that only the query knows would be an error of ours."""
    assert set(get_args(EpisodeSort)) == SORTS.keys() == cursors.OF_EPISODES.keys()
