"""Bounds of sending that people set while the operator runs."""

from alembic import op

from models.migrations.statements import run_statements

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the statements beside this module."""
    run_statements(op.get_bind(), __file__, "up")


def downgrade() -> None:
    """Take them back."""
    run_statements(op.get_bind(), __file__, "down")
