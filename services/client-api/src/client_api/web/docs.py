"""The page /docs: a viewer of the API's document, whose files the dashboard's build puts beside it.

Nothing comes from elsewhere and nothing is inline, so the page has the policy of all others.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

VIEWER = "api-docs/index.html"
NOT_BUILT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>client-api</title>
</head>
<body>
<main>
<h1>The viewer is not built</h1>
<p>It is built with the dashboard: run <code>make dashboard</code>, and start again.</p>
<p>What it would show is the document at <a href="/openapi.json">/openapi.json</a>.</p>
</main>
</body>
</html>
"""


def page(dashboard: Path | None) -> Route:
    """Return the route; without a built dashboard its page says how to build it."""
    viewer = None if dashboard is None else dashboard / VIEWER

    async def show(_: Request) -> Response:
        if viewer is None or not viewer.is_file():
            return HTMLResponse(NOT_BUILT)
        return FileResponse(viewer, media_type="text/html")

    return Route("/docs", show, methods=["GET"])
