"""How Alembic reaches the database: through the connection it was handed, in its transaction."""

from alembic import context

from madang.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a column; Alembic then copies the table.
    render_as_batch=True,
)
context.run_migrations()
