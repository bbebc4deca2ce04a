"""Registered sites, enrolment codes, certificates."""

import sqlalchemy as sa
from alembic import op

from gateway.database.tables import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "registrations",
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("registered_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment),
        sa.Column("removed_at", Moment),
        sa.PrimaryKeyConstraint("site", name="pk_registrations"),
    )
    op.create_table(
        "enrolments",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("used_at", Moment),
        sa.Column("key_hash", sa.String(64)),
        sa.PrimaryKeyConstraint("hash", name="pk_enrolments"),
    )
    op.create_index("ix_enrolments_site", "enrolments", ["site"])
    op.create_table(
        "certificates",
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("issued_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment),
        sa.Column("pem", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_certificates"),
    )
    op.create_index("ix_certificates_site", "certificates", ["site"])


def downgrade() -> None:
    """Drop them again."""
    for table in ("certificates", "enrolments", "registrations"):
        op.drop_table(table)
