"""The front door of the development issuer: it signs people in without passwords, for demos."""

import argparse
import sys

import uvicorn

from issuer.app import create_app
from issuer.logs import configure
from issuer.settings import Settings, load
from issuer.signing import Signer

STOP_S = 2
ABOUT = """\
Signs three made-up people of a shop in, without passwords, so that demos and tests have an OIDC
issuer: discovery, code flow with PKCE, refresh tokens, and client credentials for command-line
tools. It serves this machine alone; a deployment has an issuer of its own (docs/access.md).

Settings are variables of the environment:

  ISSUER_PORT            where it listens; its name is http://127.0.0.1:<port>
  ISSUER_KEY_FILE        the signing key; made when it is not there
  ISSUER_AUDIENCE        for whom its access tokens are: the API's AUTH_AUDIENCE
  ISSUER_CLIENT_ID       the dashboard's client: the API's AUTH_CLIENT_ID
  ISSUER_TOOLS_SECRET    the secret of command-line tools
  ISSUER_TOOLS_CLIENT_ID their client (engagement-tools)
  ISSUER_ACCESS_TOKEN_S  how long an access token holds, in seconds (900)
  ISSUER_HOST            another address of this machine (127.0.0.1)
"""


def main(argv: list[str]) -> int:
    """Serve until told to stop."""
    argparse.ArgumentParser(
        prog="python -m issuer",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(argv)
    settings = load(Settings)
    configure("issuer").info("DEVELOPMENT issuer: no passwords, on loopback")
    uvicorn.run(
        create_app(settings, Signer.kept_in(settings.key_file, settings.url)),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
