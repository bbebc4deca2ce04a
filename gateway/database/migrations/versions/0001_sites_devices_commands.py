"""Sites, devices, commands and their time lines.

Times are whole microseconds since 1970 (UTC), hence BigInteger.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('pending', 'accepted')")


def upgrade() -> None:
    """Create the first tables."""
    _create_sites()
    _create_devices()
    _create_commands()
    _create_command_steps()


def downgrade() -> None:
    """Drop them again."""
    for table in ("command_steps", "commands", "devices", "sites"):
        op.drop_table(table)


def _create_sites() -> None:
    op.create_table(
        "sites",
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("boot", sa.String(32)),
        sa.Column("state", sa.String(16)),
        sa.Column("since", sa.BigInteger),
        sa.Column("version", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("last_beat_at", sa.BigInteger),
        sa.Column("last_beat_epoch", sa.BigInteger),
        sa.Column("last_beat_seq", sa.BigInteger),
        sa.Column("plcs", sa.Text),
        sa.Column("outbox", sa.BigInteger),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_sites"),
    )


def _create_devices() -> None:
    op.create_table(
        "devices",
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("device", sa.String(48), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("state_at", sa.BigInteger),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "device", name="pk_devices"),
    )


def _create_commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("device", sa.String(48), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("requester", sa.String(49), nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("expect_revision", sa.String(64)),
        sa.Column("issued_at", sa.BigInteger),
        sa.Column("ttl_s", sa.Float),
        sa.Column("deadline_at", sa.BigInteger, nullable=False),
        sa.Column("source_address", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64)),
        sa.Column("detail", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("epoch", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
    )
    op.create_index("ix_commands_site_id", "commands", ["site", "id"])
    op.create_index("ix_commands_site_device_id", "commands", ["site", "device", "id"])
    op.create_index("ix_commands_state_id", "commands", ["state", "id"])
    op.create_index("ix_commands_open", "commands", ["deadline_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def _create_command_steps() -> None:
    op.create_table(
        "command_steps",
        sa.Column("command_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(49), nullable=False),
        sa.Column("code", sa.String(64)),
        sa.Column("detail", sa.Text),
        sa.PrimaryKeyConstraint("command_id", "state", name="pk_command_steps"),
        sqlite_with_rowid=False,
    )
