"""Which chunks of a bulk load are in, so that it may be repeated."""

from pathlib import Path

from client_api.migrations.script import run

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql").read_text())
