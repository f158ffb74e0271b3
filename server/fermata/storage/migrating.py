"""Runs migrations (Alembic; the steps are in `migrations/versions`)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(directory: Path, connection: Connection) -> None:
    """Brings a database to the newest tables, in the transaction that is open on the connection."""
    configuration = _configuration(directory)
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def steps(directory: Path, revision: str | None) -> list[tuple[str, str]]:
    """The steps from a revision (None: from nothing) to the newest; see `migrations.missing`."""
    scripts = ScriptDirectory.from_config(_configuration(directory))
    found = scripts.iterate_revisions("head", revision or "base")
    return [(step.revision, step.doc) for step in found][::-1]


def _configuration(directory: Path) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(directory).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration
