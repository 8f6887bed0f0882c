"""Whatever goes wrong, the answer is a problem document and the log holds nothing personal."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from client_api.web import cursors
from tests.integration.client_api.serving import Api, assert_problem, running_api
from tests.servers import Database


async def test_unknown_paths_and_methods_are_problems(api: Api) -> None:
    """404 and 405 look like every other problem; 405 names what is allowed."""
    for path in ("/nope", "/api/nope", "/api/clients/1/nope"):
        assert_problem(await api.http.get(path), 404)
    assert_problem(await api.http.post("/api/nope"), 404)
    answer = await api.http.put("/api/clients")
    assert_problem(answer, 405)
    assert answer.headers["allow"]


async def test_a_body_that_is_too_large_is_a_413_problem(api: Api) -> None:
    """Ten megabytes for one client are refused without being read."""
    answer = await api.http.post(
        "/api/clients",
        content=b'{"first_name": "' + b"x" * 10_000_000 + b'"}',
        headers={"Content-Type": "application/json"},
    )
    assert_problem(answer, 413)


async def test_a_value_that_only_postgres_refuses_is_a_422_problem(api: Api) -> None:
    """A moment in a forged cursor that no timestamp can hold in UTC is still no 500."""
    cursor = cursors.encode("-created", "0001-01-01T00:00:00+14:00", "1-1")
    asked = {"sort": "-created", "cursor": cursor}
    assert_problem(await api.http.get("/api/emails", params=asked), 422)


async def test_a_failure_that_nobody_foresaw_is_a_500_problem_without_details(
    api: Api, admin: asyncpg.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the answer nor the log repeats what the caller sent or what Postgres quoted."""
    await admin.execute("ALTER TABLE clients ADD COLUMN odd integer")
    await admin.execute(
        """CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'row of %', NEW.email; END $$"""
    )
    await admin.execute(
        "CREATE TRIGGER fail BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    body = {"first_name": "Canarina", "email": "canary@example.com"}
    answer = await api.http.post("/api/clients", json=body)
    assert_problem(answer, 500)
    logged = capfd.readouterr()
    assert "RaiseError" in logged.out + logged.err
    for text in (answer.text, logged.out, logged.err):
        assert "anar" not in text


async def test_names_in_queries_stay_out_of_the_log(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    """A search is logged as its route, without what was searched for."""
    await api.http.get("/api/clients", params={"search": "Canarina"})
    await api.http.get("/api/Canarina")
    logged = capfd.readouterr()
    assert "/api/clients" in logged.out + logged.err
    assert "Canarina" not in logged.out + logged.err


async def test_an_answer_means_committed(api: Api, admin: asyncpg.Connection) -> None:
    """A row whose commit fails is never answered as created."""
    await admin.execute(
        """CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'at commit'; END $$"""
    )
    await admin.execute(
        """CREATE CONSTRAINT TRIGGER late AFTER INSERT ON clients DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION late()"""
    )
    assert_problem(await api.http.post("/api/clients", json={"first_name": "Ada"}), 500)
    assert await admin.fetchval("SELECT count(*) FROM clients") == 0


async def test_connections_that_postgres_closed_are_replaced(
    api: Api, admin: asyncpg.Connection
) -> None:
    """After Postgres drops all connections the next request works."""
    row = await api.client()
    assert (await api.http.get(f"/api/clients/{row['id']}")).status_code == 200
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'client-api%'"
    )
    assert (await api.http.get(f"/api/clients/{row['id']}")).status_code == 200
    assert (await api.http.get(f"/api/clients/{row['id']}/score")).status_code == 404


async def test_a_database_that_is_away_is_a_503_and_readiness_names_it(
    database: Database, admin: asyncpg.Connection
) -> None:
    """Callers are told to come back; /readyz says postgres; /livez stays well."""
    away = database.client_api_url.replace(database.name, "engage_away")
    async with running_api(away) as api:
        answer = await api.http.get("/api/clients")
        assert_problem(answer, 503)
        assert answer.headers["retry-after"]
        ready = await api.http.get("/readyz")
        assert ready.status_code == 503
        assert "postgres" in ready.json()["checks"]
        assert ready.json()["postgres"]
        assert (await api.http.get("/livez")).status_code == 200


async def test_no_cache_keeps_what_is_below_api(api: Api) -> None:
    """Answers tell of people, also those to a caller without a token; the document does not."""
    for path in ("/api/clients", "/api/stats", "/api/auth", "/api/nope"):
        assert (await api.http.get(path)).headers["cache-control"] == "no-store", path
    bare = await api.http.get("/api/clients", auth=None)
    assert (bare.status_code, bare.headers["cache-control"]) == (401, "no-store")
    assert (await api.http.get("/openapi.json")).headers["cache-control"] == "no-cache"


async def test_many_callers_at_once_are_all_answered(api: Api) -> None:
    """More requests than connections wait for their turn."""
    answers = await asyncio.gather(*(api.http.get("/api/stats") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    """A built page."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("1" * 10_000)
    return tmp_path


async def test_the_dashboard_is_served_beside_the_api(database: Database, dashboard: Path) -> None:
    """Paths of the page fall back to it; files are found; unknown API paths stay problems."""
    html = {"Accept": "text/html"}
    async with running_api(database.client_api_url, dashboard=dashboard) as api:
        for path in ("/", "/clients/7", "/emails"):
            page = await api.http.get(path, headers=html)
            assert page.status_code == 200
            assert "page" in page.text
            assert page.headers["cache-control"] == "no-cache"
            assert page.headers["content-security-policy"].startswith("default-src 'self'")
        script = await api.http.get("/assets/index-abc.js")
        assert "immutable" in script.headers["cache-control"]
        assert script.headers["content-encoding"] == "gzip"
        missing = await api.http.get("/assets/index-old.js")
        assert_problem(missing, 404)
        assert missing.headers["cache-control"] == "no-cache"
        assert_problem(await api.http.get("/api/nope", headers=html), 404)
        assert_problem(await api.http.post("/clients/7"), 404)
        assert_problem(await api.http.put("/api/clients"), 405)
        outside = await api.http.get("/%2e%2e/%2e%2e/etc/passwd")
        assert outside.status_code == 404
        assert (await api.http.get("/api/stats")).status_code == 200
        assert (await api.http.get("/openapi.json")).status_code == 200
        assert (await api.http.get("/docs")).status_code == 200
