"""Who does what: an audit of every write; and what lists, creates and daily figures need."""

from pathlib import Path

from client_api.migrations.script import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql").read_text())
