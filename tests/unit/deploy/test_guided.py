"""The guide of operations has the commands that `make compose-test` looks for: told in seconds."""

from tests.deploy import guides
from tests.deploy.compose import guided
from tests.deploy.compose.guided import GUIDE


def test_the_guide_begins_with_the_functions_that_its_commands_use():
    (functions,) = guides.blocks(GUIDE, "Operating it")
    assert [line.partition("()")[0] for line in functions.splitlines()] == ["dc", "engage", "psql"]


def test_an_upgrade_names_its_version_and_two_kinds_of_passwords_are_changed():
    (upgrade,) = guides.blocks(GUIDE, "Upgrade without lost events")
    roles, superuser = guides.blocks(GUIDE, "Rotate keys")

    assert f"VERSION={guided.VERSION} " in upgrade
    assert "MAILER" in roles
    assert "POSTGRES_PASSWORD" in superuser


def test_a_restore_stops_who_writes_first_and_waits_until_nothing_is_behind():
    backup, stop, empty, back, *_ = guides.blocks(GUIDE, "Backup and restore")

    assert "pg_dump" in backup
    assert stop.startswith("dc stop ")
    assert "dc run --rm migrate" in empty
    assert any(one.endswith(guided.UNTIL_CALM) for one in guides.commands(back))
    assert "\ndc up --wait\n" in guides.blocks(GUIDE, "A slot that was lost")[0]


def test_letters_and_rows_are_replayed_by_one_block():
    (block,) = guides.blocks(GUIDE, "Replay")
    assert [line.split()[1] for line in block.splitlines()] == ["replay", "dlq", "backfill"]
    assert "--clients 1,2 " in block
