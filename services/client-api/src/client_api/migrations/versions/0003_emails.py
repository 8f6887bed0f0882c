"""What trustworthy emails need: suppressions, budgets, deliveries, an audit of what was erased."""

from pathlib import Path

from client_api.migrations.script import run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql").read_text())
