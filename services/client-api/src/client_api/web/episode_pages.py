"""Pages of episodes, with or without their emails: what is read, and where the next one begins."""

from collections.abc import Sequence

from fastapi import Response

from client_api.shapes.episodes import EpisodesQuery
from client_api.shapes.money import priced
from client_api.store.episode_lists import SORTS, EpisodePage
from client_api.web import answers, cursors


def wanted(query: EpisodesQuery) -> EpisodePage:
    """Return what to read: one row more than is shown. Raises Invalid for a cursor not ours."""
    return EpisodePage(
        sort=query.sort,
        after=cursors.decode(query.cursor, query.sort, cursors.OF_EPISODES[query.sort]),
        state=query.state,
        client_id=query.client_id,
        limit=query.limit + 1,
    )


def answer(rows: Sequence[answers.Fields], query: EpisodesQuery, currency: str) -> Response:
    """Answer with the rows that were read, and the cursor behind the last one shown."""
    key = SORTS[query.sort].column
    return answers.page(
        rows,
        query.limit,
        lambda row: cursors.encode(query.sort, row[key], row["episode_id"]),
        lambda row: priced(row, currency),
    )
