"""The history of the schema, run by Alembic; it only goes forward."""
