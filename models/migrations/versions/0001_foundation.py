"""The foundation: tokens, wallets, transfers, the chain's records, checkpoints, duties."""

from alembic import op

from models.migrations.statements import run_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the statements beside this module."""
    run_statements(op.get_bind(), __file__, "up")


def downgrade() -> None:
    """Take them back."""
    run_statements(op.get_bind(), __file__, "down")
