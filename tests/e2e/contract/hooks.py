"""What a JSON schema cannot say and the document says in words, said to Schemathesis in code.

Nothing is excluded and no check is weakened here: valid cases are made to be valid in these
respects, too, and cases that are wrong on purpose stay as they are. The document's examples name
rows of the shop that is asked, in place of rows that are nowhere.
"""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext

BASE = os.environ["API_URL"]
TOKEN = os.environ["API_TOKEN"]
STOCK = json.loads(Path(os.environ["STOCK"]).read_text())
"""The ids of rows that are there: ``tests.e2e.stocked.Stock``."""
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
CONDITIONS = ("id < 100", "id between 1 and 9 or id is null", "version > 1")
BEYOND_FEATURES = ("half_life_days", "ahead_days")
PAYLOADS: dict[str, dict[str, Any]] = {
    "edit": {"subject": "Hello", "body": "Hello again, " * 5},
    "resolve": {"sent": True},
}
LINES = "application/x-ndjson"
BAD_LINES = (b"", b"{", b"[]", b'{"first_name":""}', b'{"first_name":"\xff"}')
PLACEHOLDER = "WyJpZCIsNDJd"
"""Of the right form; it is replaced by a real one."""

schemathesis.openapi.format("iana-time-zone", st.sampled_from(ZONES))
schemathesis.openapi.format("sql-condition", st.sampled_from(CONDITIONS))
schemathesis.openapi.format("cursor", st.just(PLACEHOLDER))


@schemathesis.hook
def before_load_schema(_: HookContext, raw_schema: dict[str, Any]) -> None:
    """Ask for rows that are there, and ask bulk loads with the document's own lines, alone and
    between lines that are refused.

    To a schema such a body is a text, and no text is wrong; Schemathesis sends bytes of our making.
    """
    lines = list(BAD_LINES)
    for methods in raw_schema["paths"].values():
        for method, operation in methods.items():
            _name_real_rows(method, operation)
            content = operation.get("requestBody", {}).get("content", {}).get(LINES)
            if content is not None:
                lines.append(content.pop("example").strip().encode())
    bodies = st.lists(st.sampled_from(lines), max_size=5).map(b"\n".join)
    schemathesis.openapi.media_type(LINES, bodies)


def _name_real_rows(method: str, operation: dict[str, Any]) -> None:
    """Give examples that exist; what is deleted is asked for by nobody else."""
    rows = STOCK["leaving" if method == "delete" else "kept"]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in rows:
            del parameter["example"]
            parameter["examples"] = _examples(rows[parameter["name"]])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None and "action" in content["example"]:
        del content["example"]
        content["examples"] = _examples(STOCK["decisions"])


def _examples(values: list[Any]) -> dict[str, Any]:
    return {f"row {place}": {"value": value} for place, value in enumerate(values)}


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Make a valid case valid beyond its schema."""
    del kwargs
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    _use_a_new_key(case)
    _quote_etags(case)
    _use_a_real_cursor(case)
    _keep_days_in_order(case)
    if isinstance(case.body, dict):
        _keep_policies_whole(case.body)
        if "action" in case.body:
            case.body["payload"] = PAYLOADS.get(str(case.body["action"]), {})


def _use_a_new_key(case: Case[Any]) -> None:
    """A key belongs to one request: another one under it is refused."""
    for name in [name for name in case.headers or () if name.lower() == "idempotency-key"]:
        case.headers[name] = str(uuid4())


def _quote_etags(case: Case[Any]) -> None:
    """Coverage makes no header values with quotes, and calls a bare 0 valid against any pattern."""
    if case.headers is not None and case.headers.get("If-Match") == "0":
        case.headers["If-Match"] = '"0"'


def _use_a_real_cursor(case: Case[Any]) -> None:
    """A cursor comes from the page before, with the same filters and sort."""
    query = case.query
    if not query or "cursor" not in query:
        return
    asked = {name: value for name, value in query.items() if name != "cursor"}
    answer = httpx.get(
        f"{BASE}{case.operation.path}",
        params={**asked, "limit": 1},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=30,
    )
    behind = answer.json().get("next") if answer.is_success else None
    if behind is None:
        del query["cursor"]
    else:
        query["cursor"] = behind


def _keep_days_in_order(case: Case[Any]) -> None:
    """A curve has its days in order, and not more than a thousand of them."""
    query = case.query
    if query and {"from", "to"} <= query.keys():
        query["to"] = query["from"]


def _keep_policies_whole(body: dict[str, Any]) -> None:
    """A policy's silence ends before clients lapse; quiet hours begin and end at two times."""
    for name in ("document", "policy"):
        policy = body.get(name)
        if not isinstance(policy, dict):
            continue
        if {"silence_max_days", "lapse_days"} & policy.keys():
            policy |= {"silence_max_days": 100, "lapse_days": 150}
        hours = (policy.get("emails") or {}).get("quiet_hours")
        if hours is not None:
            hours |= {"begin": "21:00", "end": "08:00"}
        if name == "policy":
            # A preview tries what the stored features can tell alone.
            for field in BEYOND_FEATURES:
                policy.pop(field, None)
