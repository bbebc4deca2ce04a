"""Commands are listed by when they were recorded: ids of technicians do not sort by time."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_FORMER = (("site", "id"), ("site", "device", "id"), ("state", "id"))
_NEW = (("created_at", "id"), ("site", "device", "created_at"), ("state", "created_at"))


def _name(columns: tuple[str, ...]) -> str:
    return f"ix_commands_{'_'.join(columns)}"


def upgrade() -> None:
    """Indices for the new order instead of the former one."""
    for columns in _FORMER:
        op.drop_index(_name(columns), "commands")
    for columns in _NEW:
        op.create_index(_name(columns), "commands", list(columns))


def downgrade() -> None:
    """And back."""
    for columns in _NEW:
        op.drop_index(_name(columns), "commands")
    for columns in _FORMER:
        op.create_index(_name(columns), "commands", list(columns))
