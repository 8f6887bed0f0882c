"""The sandbox's HTTP: OpenRouter's routes, and a few of its own for tests."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from sandbox.answers import canonical, display, faulty, good
from sandbox.faults import Fault, Path, Plan
from sandbox.journal import Journal
from sandbox.settings import Settings
from sandbox.wire import COST_PER_TOKEN_USD as PRICE
from sandbox.wire import Completion, problem

LABEL = ((b"x-sandbox", b"true"),)
MODELS_SEEN_MAX = 100
FAULTS = TypeAdapter(list[Fault])


class Sandbox:
    """The model that is none: its plan, its journal and the models it has been asked for."""

    def __init__(self, settings: Settings) -> None:
        """Take delay and journal from ``settings``."""
        self.plan = Plan()
        self.journal = Journal(settings.journal)
        self.delay_ms = settings.delay_ms
        self._started = time.time_ns()
        self._numbers = itertools.count(1)
        self.models: dict[str, dict[str, None]] = {}
        """The models asked for, each with the providers asked for it."""

    async def complete(self, body: bytes) -> Response:
        """Answer one request for a completion."""
        generation = f"sbx-{self._started:x}-{next(self._numbers)}"
        try:
            asked = Completion.model_validate_json(body)
        except ValidationError as error:
            return self._invalid(body, error)
        if len(self.models) < MODELS_SEEN_MAX:
            self.models.setdefault(asked.model, {})[asked.answering] = None
        text = "\n".join(message.content for message in asked.messages)
        fault = self.plan.meet("chat", text)
        if fault is None:
            content = good(asked, generation)
            answer: Response = JSONResponse(content, headers={"X-Generation-Id": generation})
        else:
            answer, content = faulty(fault, asked, generation)
        self.journal.note(
            path="/api/v1/chat/completions",
            request=json.loads(body),
            fault=fault.kind if fault else None,
            status=answer.status_code,
            generation=generation,
            answer=content,
        )
        await asyncio.sleep((self.delay_ms + (fault.delay_ms if fault else 0)) / 1000)
        return answer

    async def small(self, path: Path, content: dict[str, Any]) -> Response:
        """Answer a request that asks no model; faults are errors, or pages where no JSON is."""
        fault = self.plan.meet(path, "")
        status = fault.status if fault else 200
        found = {"error": fault.error(status)} if fault else content
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
        self.journal.note(
            path=f"/api/v1/{path}",
            request=None,
            fault=fault.kind if fault else None,
            status=status,
            answer=None,
        )
        if fault is not None and fault.kind == "html":
            return Response("<html>no list</html>", status, fault.headers, "text/html")
        return JSONResponse(found, status_code=status, headers=fault.headers if fault else None)

    def _invalid(self, body: bytes, error: ValidationError) -> Response:
        places = sorted({".".join(map(str, e["loc"])) or "body" for e in error.errors()})
        self.journal.note(
            path="/api/v1/chat/completions",
            request={"bytes": len(body)},
            fault=None,
            status=400,
            answer=None,
        )
        return JSONResponse(
            problem(
                400, f"Invalid request: {', '.join(places)}", {"error_type": "invalid_request"}
            ),
            status_code=400,
        )


class Label:
    """Asks for a key where OpenRouter does, and says on every response what answered.

    Plain ASGI: the framework's own kind of middleware would end a broken-off answer cleanly.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""

        async def labelled(message: ASGIMessage) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *LABEL]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scheme, _, key = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        asks_key = scope["path"].startswith("/api/")
        app = self._app
        if asks_key and (scheme.lower() != b"bearer" or not key.strip()):
            refusal = problem(401, "No auth credentials found", {"error_type": "authentication"})
            app = JSONResponse(refusal, status_code=401)
        await app(scope, receive, labelled)


def create_app(settings: Settings) -> FastAPI:
    """Build the application."""
    sandbox = Sandbox(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        sandbox.journal.close()

    app = FastAPI(title="Sandbox model", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(Label)

    @app.post("/api/v1/chat/completions")
    async def chat(request: Request) -> Response:
        return await sandbox.complete(await request.body())

    @app.get("/api/v1/key")
    async def key() -> Response:
        data = {"label": "sandbox", "limit": None, "limit_remaining": None, "usage": 0}
        return await sandbox.small("key", {"data": {**data, "is_free_tier": False}})

    @app.get("/api/v1/models")
    async def models() -> Response:
        listed = [
            {
                "id": model,
                "canonical_slug": canonical(model),
                "name": f"Sandbox: {model}",
                "supported_parameters": ["max_completion_tokens", "response_format"],
            }
            for model in sandbox.models
        ]
        return await sandbox.small("models", {"data": listed})

    @app.get("/api/v1/models/{author}/{slug}/endpoints")
    async def endpoints(author: str, slug: str) -> Response:
        model = f"{author}/{slug}"
        listed = [
            {
                "name": f"{display(provider)} | {model}",
                "provider_name": display(provider),
                "tag": provider,
                "pricing": {
                    "prompt": f"{PRICE:.10f}",
                    "completion": f"{PRICE:.10f}",
                    "request": "0",
                },
            }
            for provider in {settings.provider: None, **sandbox.models.get(model, {})}
        ]
        return await sandbox.small("endpoints", {"data": {"id": model, "endpoints": listed}})

    _add_controls(app, sandbox)
    return app


def _add_controls(app: FastAPI, sandbox: Sandbox) -> None:
    """Add the routes that OpenRouter does not have: the fault plan, and a sign of life."""

    @app.put("/sandbox/faults")
    async def put_faults(faults: Annotated[dict[str, Any], Body()]) -> Response:
        try:
            plan = FAULTS.validate_python(faults.get("faults"))
        except ValidationError as error:
            return JSONResponse({"detail": error.errors(include_url=False)}, status_code=422)
        sandbox.plan.replace(plan)
        return JSONResponse({"faults": sandbox.plan.state})

    @app.get("/sandbox/faults")
    async def get_faults() -> Response:
        return JSONResponse({"faults": sandbox.plan.state})

    @app.get("/livez")
    async def livez() -> Response:
        return JSONResponse({"status": "ok", "sandbox": True})
