"""Runs the migrations on the connection that `mediawright.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from mediawright.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by copying it.
    render_as_batch=True,
    # SQLite undoes schema changes too, as long as the driver leaves transactions to us.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
