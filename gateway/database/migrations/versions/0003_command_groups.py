"""Groups of commands and their targets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of groups."""
    op.create_table(
        "groups",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("rate_per_s", sa.Float, nullable=False),
        sa.Column("stop_share", sa.Float, nullable=False),
        sa.Column("ttl_s", sa.Float, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("targets", sa.BigInteger, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(16)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("runner", sa.String(32)),
        sa.Column("lease_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
    )
    op.create_index("ix_groups_state_created_at", "groups", ["state", "created_at"])
    op.create_table(
        "group_items",
        sa.Column("group_id", sa.String(36), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("device", sa.String(48), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("preview", sa.Text, nullable=False),
        sa.Column("begun_at", sa.BigInteger),
        sa.Column("code", sa.String(64)),
        sa.Column("detail", sa.Text),
        sa.PrimaryKeyConstraint("group_id", "position", name="pk_group_items"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them again; the commands that groups made stay in the ledger."""
    op.drop_table("group_items")
    op.drop_table("groups")
