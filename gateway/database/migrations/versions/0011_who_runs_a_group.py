"""Who ran a group, which may be somebody else than who previewed it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whoever ran the groups of before had previewed them."""
    op.add_column("groups", sa.Column("run_by", sa.Text))
    op.execute("UPDATE groups SET run_by = actor WHERE started_at IS NOT NULL")


def downgrade() -> None:
    """Drop it again."""
    op.drop_column("groups", "run_by")
