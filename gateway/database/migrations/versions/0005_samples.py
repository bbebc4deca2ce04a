"""Samples, and their roll-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of samples."""
    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("device", sa.String(48), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("every_s", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("site", "device", "name", name="uq_series_site_device_name"),
    )
    op.create_table(
        "samples",
        sa.Column("series_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at_us", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("number", sa.Float),
        sa.Column("text", sa.Text),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "at_us", name="pk_samples"),
        sqlite_with_rowid=False,
    )
    for name in ("sample_minutes", "sample_hours"):
        op.create_table(
            name,
            sa.Column("series_id", sa.BigInteger, nullable=False, autoincrement=False),
            sa.Column("start_us", sa.BigInteger, nullable=False, autoincrement=False),
            sa.Column("count", sa.Integer, nullable=False),
            sa.Column("least", sa.Float),
            sa.Column("most", sa.Float),
            sa.Column("total", sa.Float),
            sa.Column("last", sa.Float),
            sa.Column("last_at_us", sa.BigInteger, nullable=False),
            sa.Column("last_quality", sa.SmallInteger, nullable=False),
            sa.PrimaryKeyConstraint("series_id", "start_us", name=f"pk_{name}"),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "stale_hours",
        sa.Column("series_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("start_us", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("touched_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "start_us", name="pk_stale_hours"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stale_hours_touched_us", "stale_hours", ["touched_us"])


def downgrade() -> None:
    """Drop them again."""
    for name in ("stale_hours", "sample_hours", "sample_minutes", "samples", "series"):
        op.drop_table(name)
