"""The mail server of tests/chaos in a pod: ``sink PORT JOURNAL CERTIFICATES``; by TLS alone."""

import asyncio
import signal
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP

from tests.chaos.emails.sink import Keeper


async def serve(port: int, journal: Path, certificates: Path) -> None:
    """Serve until told to stop; what is under way then is cut off."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates / "tls.crt", certificates / "tls.key")
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    keeper = Keeper(journal)
    await loop.create_server(
        lambda: SMTP(keeper, enable_SMTPUTF8=True, tls_context=tls, require_starttls=True),
        "0.0.0.0",  # noqa: S104 - within a pod
        port,
    )
    await over.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
