"""Brings a database to the tables of this server (Alembic; the steps are in `migrations/versions`)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from .connect import words
from .errors import StorageError


def directory() -> Path:
    """Where the migrations are: in the installed package, or beside `server` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "migrations", package.parents[1] / "migrations"):
        if (candidate / "env.py").is_file():
            return candidate
    raise FileNotFoundError("the directory migrations is missing")


def head() -> str:
    """The revision that this server works with."""
    return _scripts().get_current_head() or ""


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Whether a database at that revision was made by this server or an older one."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def missing(revision: str | None) -> list[tuple[str, str]]:
    """The steps from a revision to this server's, in order: the revision that each makes, and what it is about."""
    if revision is not None and not is_known(revision):
        return []
    steps = _scripts().iterate_revisions("head", revision or "base")
    return [(step.revision, step.doc) for step in steps][::-1]


def upgrade(engine: Engine) -> None:
    """Brings the database to this server's tables, in one transaction.

    Raises StorageError, with nothing touched, if it is newer than this server or can't be changed.
    """
    try:
        revision = current(engine)
        if revision == head():
            return
        if revision is not None and not is_known(revision):
            raise StorageError(
                f"the database is newer than this server (it has {revision}, known here is {head()}): "
                "install the newer server again, or restore the backup from before its upgrade"
            )
        with engine.connect() as connection:
            # The driver begins no transaction by itself; BEGIN IMMEDIATE is SQLite's way to begin one that writes.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "BEGIN")
            configuration = _configuration()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise StorageError(f"the database can't be brought to this server's tables: {words(error)}") from error


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(directory()).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_configuration())
