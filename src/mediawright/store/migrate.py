"""Bringing a database to the schema this release works with."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from mediawright.core.errors import UnavailableError

HEAD_REVISION = "0003"
"""The newest migration. Known here so that an up-to-date database, which is what nearly every
start finds, is recognised without loading Alembic."""

# Any number does, as long as every process that may migrate the database uses the same.
_MIGRATION_LOCK = 7_306_082_411


def migrate(connection: Connection) -> None:
    """Run the missing migrations in the connection's transaction.

    Safe when several processes start at once: on SQLite the transaction is the only writer,
    on PostgreSQL the others wait for it.

    Args:
        connection: In a transaction, which is left for the caller to commit.

    Raises:
        UnavailableError: `database_too_new` if a newer release has changed the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
    if current_revision(connection) != HEAD_REVISION:
        _run_alembic(connection)


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database; `None` if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run_alembic(connection: Connection) -> None:
    # Takes longer to load than most starts take altogether.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = current_revision(connection)
    if found is not None and found not in known:
        raise UnavailableError(
            "database_too_new",
            "The database was made by a newer release of mediawright.",
            hint="Install that release, or point this one at another data folder.",
            details={"revision": found, "newest_known": HEAD_REVISION},
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
