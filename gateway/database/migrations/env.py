"""Alembic's entry; the connection, its lock and its transaction are those of ``gateway.database.upgrade``."""

from alembic import context

from gateway.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
