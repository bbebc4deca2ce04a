"""When gates were closed, and commands by the time at which they were asked."""

import sqlalchemy as sa
from alembic import op

from gateway.database.tables import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; nobody knows how available the sites were that are there already."""
    op.create_table(
        "silences",
        sa.Column("site", sa.String(48), nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=False),
        sa.Column("cause", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("site", "began_at", name="pk_silences"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_silences_site_ended_at", "silences", ["site", "ended_at"])
    op.execute(
        "INSERT INTO silences (site, began_at, ended_at, cause) "
        "SELECT site, 0, last_beat_at, 'before' FROM sites WHERE last_beat_at IS NOT NULL"
    )
    op.create_index("ix_commands_site_created_at", "commands", ["site", "created_at"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_commands_site_created_at", "commands")
    op.drop_table("silences")
