"""Who has taken note of an alarm; the audit and commands by when they were, and by who asked."""

import sqlalchemy as sa
from alembic import op

from gateway.database.tables import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COLUMNS = (("acknowledged_at", Moment), ("acknowledged_by", sa.Text), ("acknowledged_note", sa.Text))
_FORMER = ("site", "number")
_NEW = (("at", "number"), ("site", "at", "number"), ("actor", "at", "number"))
_OF_COMMANDS = ("actor", "created_at")


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def upgrade() -> None:
    """Columns that are empty: no alarm that is active now was acknowledged."""
    for name, kind in _COLUMNS:
        op.add_column("alarms", sa.Column(name, kind))
    op.drop_index(_name("audit", _FORMER), "audit")
    for columns in _NEW:
        op.create_index(_name("audit", columns), "audit", list(columns))
    op.create_index(_name("commands", _OF_COMMANDS), "commands", list(_OF_COMMANDS))


def downgrade() -> None:
    """And back."""
    op.drop_index(_name("commands", _OF_COMMANDS), "commands")
    for columns in _NEW:
        op.drop_index(_name("audit", columns), "audit")
    op.create_index(_name("audit", _FORMER), "audit", list(_FORMER))
    for name, _ in _COLUMNS:
        op.drop_column("alarms", name)
