"""The migrations make the tables that the code uses, and leave alone what they do not know."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.config import main as alembic_command_line
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from fermata.storage import migrations, tables
from fermata.storage.connect import connect
from fermata.storage.errors import StorageError
from kit.databases import Opened, Place

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def engine(place: Place) -> Iterator[Engine]:
    engine = connect(place.url, place.durability)
    yield engine
    engine.dispose()


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": tables.metadata}
        )
        return list(compare_metadata(context, tables.metadata))


def test_the_migrations_make_the_tables_of_the_code(engine: Engine) -> None:
    assert migrations.current(engine) is None
    migrations.upgrade(engine)
    assert migrations.current(engine) == migrations.head()
    assert differences(engine) == []


def test_they_have_the_same_columns_in_the_same_order(engine: Engine, tmp_path: Path) -> None:
    migrations.upgrade(engine)
    inspector = inspect(engine)
    for table in tables.metadata.sorted_tables:
        made = [(column["name"], column["nullable"]) for column in inspector.get_columns(table.name)]
        assert made == [(column.name, column.nullable) for column in table.columns]
        key = inspector.get_pk_constraint(table.name)
        assert key["constrained_columns"] == [column.name for column in table.primary_key.columns]


def test_sqlite_stores_them_in_the_same_way(sqlite_place: Place, tmp_path: Path) -> None:
    """A table without row numbers looks like any other to `compare_metadata`."""

    def without_rowid(engine: Engine) -> set[str]:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT name FROM pragma_table_list WHERE wr")
            return {name for (name,) in rows}

    migrated = connect(sqlite_place.url, "process")
    migrations.upgrade(migrated)
    created = connect(f"sqlite:///{tmp_path}/created.db", "process")
    tables.metadata.create_all(created)
    assert without_rowid(migrated) == without_rowid(created) != set()
    migrated.dispose()
    created.dispose()


def test_upgrading_twice_is_upgrading_once(engine: Engine) -> None:
    migrations.upgrade(engine)
    migrations.upgrade(engine)
    assert differences(engine) == []


def test_a_database_that_is_newer_than_the_server_is_not_touched(
    place: Place, engine: Engine, open_at: Callable[[Place], Opened]
) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    with pytest.raises(StorageError, match="newer than this server"):
        open_at(place)
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_an_upgrade_that_fails_leaves_everything_as_it_was(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE journal (somebody_elses TEXT)")
    with pytest.raises(StorageError, match="already exists"):
        migrations.upgrade(engine)
    assert inspect(engine).get_table_names() == ["journal"]


def test_going_down_and_up_again_ends_at_the_same_tables(place: Place, engine: Engine) -> None:
    for step in (["upgrade", "head"], ["downgrade", "base"], ["upgrade", "head"]):
        alembic_command_line(["-c", str(CHECKOUT / "setup.cfg"), "-x", f"url={place.url}", *step])
    assert differences(engine) == []


def test_their_files_are_named_by_their_revisions_which_form_one_chain() -> None:
    scripts = ScriptDirectory.from_config(Config(CHECKOUT / "setup.cfg"))
    chain = [script.revision for script in scripts.walk_revisions()][::-1]
    assert migrations.revisions() == tuple(chain)
    assert migrations.head() == scripts.get_current_head()


def test_a_start_without_anything_to_migrate_does_not_load_alembic(sqlite_place: Place) -> None:
    engine = connect(sqlite_place.url, "process")
    migrations.upgrade(engine)
    engine.dispose()
    start = (
        "import sys; import fermata.app.tap; from fermata.storage import migrations; "
        "from fermata.storage.connect import connect; migrations.upgrade(connect(sys.argv[1], 'process')); "
        "sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", start, sqlite_place.url], check=True)
