"""What has changed, in one order."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and the beginning of the order."""
    op.create_table(
        "changes",
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "site", "key", name="pk_changes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_changes_number", "changes", ["number"], unique=True)
    op.create_table(
        "change_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("forgotten", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_head"),
    )
    op.execute("INSERT INTO change_head (id, number, forgotten) VALUES (1, 0, 0)")


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("change_head")
    op.drop_table("changes")
