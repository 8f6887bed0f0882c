"""The sign-in page: three people to choose from. No script, and no style within the page."""

from collections.abc import Mapping
from html import escape

from starlette.responses import Response

from issuer.personas import PERSONAS, Persona

POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    # Browsers hold the redirect that answers the form against this, too.
    "form-action 'self' http://127.0.0.1:* http://localhost:*"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>{title}</h1>
{rest}
</main>
</body>
</html>
"""
CHOICE = """<li><button type="submit" name="persona" value="{key}">
<span class="name">{name}</span> <span class="does">{does}</span>
</button></li>"""
STYLE = """:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { width: min(26rem, 100% - 2rem); }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
ul { list-style: none; margin: 1.5rem 0; padding: 0; display: grid; gap: .75rem; }
button { width: 100%; min-height: 3.5rem; padding: .75rem 1rem; text-align: left; font: inherit;
  color: CanvasText; background: Canvas; border: 1px solid GrayText; border-radius: .5rem;
  cursor: pointer; }
button:hover { border-color: LinkText; }
button:focus-visible { outline: 3px solid LinkText; outline-offset: 2px; }
.name { display: block; font-weight: 600; }
.does { display: block; }
"""


def sign_in(asked: Mapping[str, str]) -> Response:
    """Return the page that asks who one is; what was asked for comes back with the answer."""
    hidden = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in asked.items()
    )
    choices = "\n".join(_choice(persona) for persona in PERSONAS.values())
    rest = (
        "<p>This sign-in is for demos on this machine: it asks for no password. "
        "Who are you today?</p>\n"
        f'<form method="post" action="/authorize">\n{hidden}\n<ul>\n{choices}\n</ul>\n</form>'
    )
    return _page(200, "Sign in", rest)


def refused(reason: str) -> Response:
    """Return the page for those who cannot be sent back."""
    return _page(400, "This sign-in cannot go on", f"<p>{escape(reason)}.</p>")


def signed_out() -> Response:
    """Return the page for those who have nowhere to go back to."""
    return _page(200, "You are signed out", "<p>You may close this page.</p>")


def _choice(persona: Persona) -> str:
    return CHOICE.format(
        key=escape(persona.key), name=escape(persona.name), does=escape(persona.does)
    )


def _page(status: int, title: str, rest: str) -> Response:
    content = PAGE.format(title=escape(title), rest=rest)
    return Response(content, status, media_type="text/html", headers=HEADERS)
