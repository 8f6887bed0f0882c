"""The page about the API: its viewer comes from our own files, under the policy of all pages."""

from pathlib import Path

from tests.integration.client_api.serving import Api, running_api
from tests.servers import Database

PAGE = Path(__file__).parents[3] / "dashboard/public/api-docs"
STRICT = "default-src 'self'"


async def test_without_a_built_viewer_the_page_says_how_to_build_it(api: Api) -> None:
    """The document itself is there all the same."""
    answer = await api.http.get("/docs")
    assert answer.status_code == 200
    assert "make dashboard" in answer.text
    assert (await api.http.get("/openapi.json")).json()["openapi"].startswith("3.1.")


async def test_the_viewer_is_served_from_our_own_files(database: Database, tmp_path: Path) -> None:
    """Nothing inline and nothing from elsewhere: no exception in the policy."""
    built = tmp_path / "api-docs"
    built.mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>dashboard</title>")
    for name in ("index.html", "start.js"):
        (built / name).write_text((PAGE / name).read_text())
    async with running_api(database.client_api_url, dashboard=tmp_path) as api:
        page = await api.http.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        policy = page.headers["content-security-policy"]
        assert policy.startswith(STRICT)
        assert "unsafe" not in policy
        assert "data:" not in policy
        assert policy == (await api.http.get("/")).headers["content-security-policy"]
        assert "//" not in page.text.replace("<!doctype html>", "")
        assert "<script>" not in page.text
        assert "<style" not in page.text
        start = await api.http.get("/api-docs/start.js")
        assert start.status_code == 200
        assert "/openapi.json" in start.text
