"""The whole first schema; there is no way back from it but a backup."""

from pathlib import Path

from client_api.migrations.script import run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql").read_text())
