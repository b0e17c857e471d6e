"""The tables' history, run by Alembic from inside `schema.migrate`."""
