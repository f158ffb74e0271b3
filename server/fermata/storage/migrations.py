"""Which tables a database has and which this server wants; if they differ, `migrating` has work to do.

A revision is named by a number, with which the name of its file in `migrations/versions` begins.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Engine, inspect
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


@cache
def revisions() -> tuple[str, ...]:
    """All that this server knows, the oldest first."""
    files = (directory() / "versions").glob("[0-9]*_*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


def head() -> str:
    """The revision that this server works with."""
    return revisions()[-1]


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return revision


def is_known(revision: str) -> bool:
    """Whether a database at that revision was made by this server or an older one."""
    return revision in revisions()


def missing(revision: str | None) -> list[tuple[str, str]]:
    """The steps from a revision to this server's, in order: the revision that each makes, and what it is about."""
    if revision == head() or (revision is not None and not is_known(revision)):
        return []
    from . import migrating

    return migrating.steps(directory(), revision)


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
        # Alembic takes an eighth of the time of a start to load, and few starts have something to do for it.
        from . import migrating

        with engine.connect() as connection:
            # The driver begins no transaction by itself; BEGIN IMMEDIATE is SQLite's way to begin one that writes.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "BEGIN")
            migrating.upgrade(directory(), connection)
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise StorageError(f"the database can't be brought to this server's tables: {words(error)}") from error
