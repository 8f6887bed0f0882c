"""A migrated, empty database of a shop, on a server that a part of the benchmark started."""

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from stack import database
from stack.environment import base
from stack.postgres import Postgres
from stack.process import run

NAME = "engage"
ROLES = ("client_api", "mailer", "cdc", "engage")
MIGRATE_LIMIT_S = 120.0


class Shop(NamedTuple):
    """Where the database is."""

    admin_url: str
    urls: Mapping[str, str]
    """By role."""


def migrated(postgres: Postgres, folder: Path) -> Shop:
    """Create and migrate the database, with passwords made up for its roles; raises PartFailed."""
    passwords = {role: secrets.token_hex(16) for role in ROLES}
    database.create(postgres.admin_url, NAME)
    admin_url = postgres.admin_url.rpartition("/")[0] + f"/{NAME}"
    run(
        "migrate",
        [sys.executable, "-m", "client_api", "migrate"],
        folder / "migrate.log",
        MIGRATE_LIMIT_S,
        env=base()
        | {"DATABASE_ADMIN_URL": admin_url}
        | {f"{role.upper()}_PASSWORD": password for role, password in passwords.items()},
    )
    return Shop(admin_url, {role: postgres.url(role, own, NAME) for role, own in passwords.items()})
