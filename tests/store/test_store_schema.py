"""The migrations make exactly the tables that the queries are written for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import mediawright.store
from mediawright.core.errors import UnavailableError
from mediawright.store import migrate
from mediawright.store.database import Database
from mediawright.store.tables import metadata

SQLITE_SCHEMA = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"
POSTGRES_SCHEMA = """
SELECT 'column ' || table_name || '.' || column_name,
       concat_ws(' ', ordinal_position, data_type, is_nullable, column_default, collation_name)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


def schema(c: Connection) -> dict[str, str]:
    """Return every definition the database keeps, by name."""
    query = SQLITE_SCHEMA if c.dialect.name == "sqlite" else POSTGRES_SCHEMA
    return {
        name: _without_layout(definition)
        for name, definition in c.execute(text(query))
        if "alembic_version" not in name
    }


def _without_layout(definition: str) -> str:
    words = re.sub(r"\s+", " ", definition)
    parts = [part.strip() for part in words.split(",")]
    # The order of a table's constraints means nothing.
    return ",".join(sorted(part.strip(" )") for part in parts))


@pytest.fixture
def opened(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()


def test_migrations_make_the_tables_of_the_metadata(opened):
    opened.migrate()
    migrated = opened.read_now(schema)

    def rebuild(c: Connection) -> dict[str, str]:
        metadata.drop_all(c)
        metadata.create_all(c)
        return schema(c)

    created = opened.write_now(rebuild)

    assert len(created) > 20
    assert migrated == created


def test_alembic_sees_no_difference(opened):
    opened.migrate()

    differences = opened.read_now(
        lambda c: compare_metadata(MigrationContext.configure(c), metadata)
    )

    assert differences == []


def test_migrating_again_changes_nothing(opened):
    opened.migrate()
    first = opened.read_now(schema)
    opened.migrate()

    assert opened.read_now(schema) == first
    assert opened.read_now(migrate.current_revision) == migrate.HEAD_REVISION


def test_the_head_revision_is_the_newest_migration():
    folder = Path(mediawright.store.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))

    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD_REVISION


def test_several_may_migrate_at_once(empty_url):
    databases = [Database(empty_url) for _ in range(4)]
    with ThreadPoolExecutor(len(databases)) as threads:
        list(threads.map(Database.migrate, databases))

    revisions = [database.read_now(migrate.current_revision) for database in databases]
    for database in databases:
        database.close()
    assert revisions == [migrate.HEAD_REVISION] * len(databases)


def test_a_database_of_a_newer_release_is_left_alone(opened):
    opened.migrate()
    opened.write_now(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    before = opened.read_now(schema)

    with pytest.raises(UnavailableError) as caught:
        opened.migrate()

    assert caught.value.code == "database_too_new"
    assert opened.read_now(schema) == before


def test_a_migration_that_fails_leaves_nothing(opened):
    def broken(c: Connection) -> None:
        migrate.migrate(c)
        raise OSError("power")

    with pytest.raises(OSError, match="power"):
        opened.write_now(broken)

    assert opened.read_now(schema) == {}
    opened.migrate()
    assert opened.read_now(migrate.current_revision) == migrate.HEAD_REVISION


def test_an_up_to_date_database_is_recognised_without_alembic(database_url):
    program = (
        "import sys\n"
        "from mediawright.store.database import Database\n"
        "database = Database(sys.argv[1])\n"
        "database.migrate()\n"
        "database.close()\n"
        "assert 'alembic' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program, database_url]
    subprocess.run(command, check=True)
