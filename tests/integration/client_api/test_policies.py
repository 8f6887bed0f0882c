"""The shop's rules as versioned data over HTTP."""

import asyncio

import pytest

from tests.integration.client_api.serving import assert_problem


async def current(api):
    """Return the rules in force."""
    answer = await api.http.get("/api/policies/current")
    assert answer.status_code == 200
    return answer.json()


def changed(policy, **changes):
    """Return a request for the same rules with some changed."""
    document = {**policy["document"], **changes}
    return {"document": document, "note": "a trial"}


async def test_new_rules_are_the_next_version(api):
    """Published rules are in force at once, under the next version, and the old ones stay."""
    first = await current(api)
    answer = await api.http.post("/api/policies", json=changed(first, holdout_percent=0))
    assert answer.status_code == 201
    second = await current(api)
    assert answer.json() == second
    assert second["version"] == first["version"] + 1 == second["document"]["version"]
    assert second["document"]["holdout_percent"] == 0
    listed = (await api.http.get("/api/policies")).json()["items"]
    assert [row["version"] for row in listed] == [second["version"], first["version"]]


async def test_rules_published_at_once_get_versions_one_after_the_other(api):
    """Concurrent publishers get different versions, without a gap."""
    first = await current(api)
    answers = await asyncio.gather(
        *(api.http.post("/api/policies", json=changed(first)) for _ in range(5))
    )
    versions = sorted(answer.json()["version"] for answer in answers)
    assert versions == [first["version"] + n for n in range(1, 6)]


async def test_of_two_publishers_who_saw_one_version_the_second_is_refused(api):
    """With If-Match on the version that they saw, exactly one of those at once gets through."""
    first = await current(api)
    seen = {"If-Match": f'"{first["version"]}"'}
    answers = await asyncio.gather(
        *(
            api.http.post("/api/policies", json=changed(first, holdout_percent=n), headers=seen)
            for n in range(1, 6)
        )
    )
    [made] = [answer for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer is not made:
            assert_problem(answer, 412)
    assert await current(api) == made.json()
    assert made.json()["version"] == first["version"] + 1
    onto = {"If-Match": made.headers["etag"]}
    again = await api.http.post("/api/policies", json=changed(made.json()), headers=onto)
    assert again.status_code == 201


async def test_a_lost_answer_is_given_again_although_the_version_is_not_in_force_any_more(api):
    """The key of a publication counts before its If-Match, which its own version has outdated."""
    first = await current(api)
    headers = {"If-Match": f'"{first["version"]}"', "Idempotency-Key": "lost"}
    made, again = [
        await api.http.post("/api/policies", json=changed(first), headers=headers) for _ in range(2)
    ]
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.json() == made.json() == await current(api)


@pytest.mark.parametrize(
    "changes",
    [
        {"theta": 1.5},
        {"silence_max_days": 200},
        {"exit_factor": 0.9},
        {"mood": "good"},
        {"weights": {"intercept": 0, "frequency": -1}},
    ],
)
async def test_bad_rules_are_refused(api, changes):
    """Rules that make no sense are 422, and the ones in force stay."""
    first = await current(api)
    answer = await api.http.post("/api/policies", json=changed(first, **changes))
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert await current(api) == first


async def test_each_version_can_be_read_and_never_changes(api):
    """A version has its own address and its number as ETag; there is none beyond the last."""
    first = await current(api)
    made = await api.http.post("/api/policies", json=changed(first, theta=0.41))
    assert made.headers["location"] == f"/api/policies/{first['version'] + 1}"
    for version, row in ((first["version"], first), (first["version"] + 1, made.json())):
        answer = await api.http.get(f"/api/policies/{version}")
        assert answer.json() == row
        assert answer.headers["etag"] == f'"{version}"'
    assert_problem(await api.http.get(f"/api/policies/{first['version'] + 2}"), 404)
    assert_problem(await api.http.get("/api/policies/newest"), 422)
