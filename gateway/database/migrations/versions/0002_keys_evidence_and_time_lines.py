"""Idempotency keys, evidence, the epoch of asking, and time lines that hold more than states."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEYED = sa.text("key IS NOT NULL")
_UNRESOLVED = sa.text("state = 'unknown' AND code NOT IN ('no-evidence', 'no-confirmation', 'journal-lost')")


def upgrade() -> None:
    """Add what commands and their time lines need; what is there stays as it is."""
    op.add_column("commands", sa.Column("asked_epoch", sa.BigInteger))
    op.add_column("commands", sa.Column("key", sa.String(255)))
    op.add_column("commands", sa.Column("fingerprint", sa.String(64)))
    op.add_column("commands", sa.Column("evidence", sa.String(16)))
    op.create_index(
        "uq_commands_key", "commands", ["actor", "key"], unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED
    )
    op.create_index(
        "ix_commands_unresolved",
        "commands",
        ["state", "site", "id"],
        sqlite_where=_UNRESOLVED,
        postgresql_where=_UNRESOLVED,
    )
    # Both engines rename in place; alembic would copy the table, and lose that it has no row ids.
    op.execute("ALTER TABLE command_steps RENAME COLUMN state TO what")
    op.add_column("command_steps", sa.Column("evidence", sa.String(16)))


def downgrade() -> None:
    """Take it away again, with the steps that are no states."""
    op.drop_column("command_steps", "evidence")
    op.execute("DELETE FROM command_steps WHERE what IN ('published', 'written', 'verified')")
    op.execute("ALTER TABLE command_steps RENAME COLUMN what TO state")
    op.drop_index("ix_commands_unresolved", "commands")
    op.drop_index("uq_commands_key", "commands")
    for column in ("evidence", "fingerprint", "key", "asked_epoch"):
        op.drop_column("commands", column)
