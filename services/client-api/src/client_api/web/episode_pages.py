"""Pages of episodes, with or without their emails: what is read, and where the next one begins."""

from collections.abc import Sequence

from fastapi import Response

from client_api.shapes.episodes import EpisodesQuery
from client_api.shapes.money import priced
from client_api.shapes.requests import EmailsQuery
from client_api.store.episode_lists import SORTS, Asked
from client_api.web import answers, cursors


def asked(query: EpisodesQuery | EmailsQuery) -> Asked:
    """Return what to read: one row more than is shown. Raises Invalid for a cursor not ours."""
    return Asked(
        query.sort,
        cursors.decode(query.cursor, query.sort, cursors.OF_EPISODES[query.sort]),
        query.state,
        query.client_id,
        query.limit + 1,
    )


def episode_page(
    rows: Sequence[answers.Fields], query: EpisodesQuery | EmailsQuery, currency: str
) -> Response:
    """Answer with the rows that were read, and the cursor behind the last one shown."""
    key = SORTS[query.sort].column
    return answers.page(
        rows,
        query.limit,
        lambda row: cursors.encode(query.sort, row[key], row["episode_id"]),
        lambda row: priced(row, currency),
    )
