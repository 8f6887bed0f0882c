"""Callers who ask too often, or hold too much open, are told to wait; others never notice."""

import asyncio
import time

import httpx

from client_api.auth.tokens import LEEWAY_S
from tests.integration.client_api.serving import Api, assert_problem, running_api
from tests.servers import Database
from tests.tokens import issuer


async def asked(api: Api, **headers: str) -> httpx.Response:
    """Ask with these headers and no other token."""
    async with httpx.AsyncClient(base_url=api.http.base_url) as http:
        return await http.get("/api/me", headers=headers)


def assert_told_to_wait(answer: httpx.Response) -> None:
    """A 429 problem that says how long, in seconds."""
    assert_problem(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 120


async def until_told_to_wait(api: Api, most: int = 10, **headers: str) -> list[int]:
    """Ask on until the limit of 5 a minute is met; return what was answered before.

    The minute slides: where one ends and the next begins, a few more may pass. Who has been told to
    wait gets ``most`` 2 at once, and whoever is counted anew gets 5.
    """
    answers: list[int] = []
    while (answer := await asked(api, **headers)).status_code != 429:
        answers.append(answer.status_code)
        assert len(answers) <= most
    assert_told_to_wait(answer)
    return answers


async def test_a_subject_that_asks_too_often_waits_and_others_do_not(database: Database) -> None:
    """Counted by subject, whatever its tokens; a bulk load counts as one request."""
    rules = issuer().rules(requests_per_minute=5)
    async with running_api(database.client_api_url, rules=rules) as api:
        await api.load("clients", [{"first_name": f"n{number}"} for number in range(50)])
        first = await until_told_to_wait(api, **issuer().bearer())
        assert set(first) == {200}
        await until_told_to_wait(api, most=2, **issuer().bearer("clients:read"))
        assert (await asked(api, **issuer().bearer(sub="other"))).status_code == 200


async def test_an_address_that_fails_too_often_waits_but_valid_tokens_pass(
    database: Database,
) -> None:
    """Whoever guesses tokens is slowed down; who shares the address with it is not."""
    rules = issuer().rules(failures_per_minute=5)
    async with running_api(database.client_api_url, rules=rules) as api:
        bad = {"Authorization": "Bearer x"}
        first = await until_told_to_wait(api, **bad)
        assert set(first) == {401}
        await until_told_to_wait(api, most=2)
        assert (await asked(api, **issuer().bearer())).status_code == 200


async def test_who_fails_too_often_can_still_ask_where_to_sign_in(database: Database) -> None:
    """400 failed tokens of an address are none of its questions, which are bounded themselves."""
    async with (
        running_api(database.client_api_url) as api,
        httpx.AsyncClient(base_url=api.http.base_url) as http,
    ):
        bad = {"Authorization": "Bearer x"}
        answers = [(await http.get("/api/me", headers=bad)).status_code for _ in range(400)]
        assert set(answers) == {401, 429}
        assert (await http.get("/api/auth")).status_code == 200
        asked = [(await http.get("/api/auth")).status_code for _ in range(400)]
        assert set(asked) == {200, 429}


async def test_nobody_says_by_a_header_whose_failures_are_counted(database: Database) -> None:
    """The address is that of the connection, also when it comes from this machine."""
    rules = issuer().rules(failures_per_minute=5)
    async with (
        running_api(database.client_api_url, rules=rules) as api,
        httpx.AsyncClient(base_url=api.http.base_url) as http,
    ):
        answers = [
            (await http.get("/api/me", headers={"X-Forwarded-For": f"192.0.2.{n}"})).status_code
            for n in range(20)
        ]
        assert 429 in answers


async def test_an_event_stream_ends_when_its_token_does(api: Api) -> None:
    """The page is told why, so that it comes back with a new one."""
    soon = issuer().bearer(exp=int(time.time()) - LEEWAY_S + 6)
    async with asyncio.timeout(30), api.http.stream("GET", "/api/events", headers=soon) as answer:
        assert answer.status_code == 200
        said = [line async for line in answer.aiter_lines() if line]
    assert said[-2:] == ["event: cut", 'data: {"reason":"expired"}']
    assert_problem(await asked(api, **soon), 401)


async def test_open_event_streams_of_a_subject_are_bounded(database: Database) -> None:
    """One too many is a 429; one that ends makes room."""
    rules = issuer().rules(streams_per_subject=1)
    async with running_api(database.client_api_url, rules=rules) as api:
        async with api.http.stream("GET", "/api/events") as first:
            assert first.status_code == 200
            assert_told_to_wait(await api.http.get("/api/events"))
            other = issuer().bearer(sub="other")
            async with api.http.stream("GET", "/api/events", headers=other) as second:
                assert second.status_code == 200
        async with asyncio.timeout(10):
            while len(api.hub):  # noqa: ASYNC110 - nobody could set an event
                await asyncio.sleep(0.01)
        async with api.http.stream("GET", "/api/events") as again:
            assert again.status_code == 200
