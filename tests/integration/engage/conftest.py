"""The shop that tests of operations share: one for all tests of a file."""

from collections.abc import Iterator

import pytest

from tests.integration.engage.shop import Shop, open_shop
from tests.servers import migrated_database


@pytest.fixture(scope="module")
def shop(
    kafka: str,
    connect: str,
    postgres: str,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    """A shop that is captured and scored."""
    with (
        migrated_database(postgres, migrated_template) as database,
        open_shop(kafka, connect, database, tmp_path_factory.mktemp("shop")) as opened,
    ):
        yield opened
