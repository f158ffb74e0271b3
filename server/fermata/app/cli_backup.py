"""`fermata backup` and `fermata restore`: the database as one file, and back."""

import argparse
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ..storage import backup
from ..storage.errors import StorageError
from .check_places import sqlite_file
from .cli_command import Context
from .config import Config
from .control import ControlClient, ServerDownError
from .errors import CommandError

_DUMP: Final = "pg_dump --format=custom --file={file} {url}"
_LOAD: Final = "pg_restore --clean --if-exists --dbname={url} {file}"


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `backup` and `restore`."""
    for name, run, text, file in (
        ("backup", _backup, "copy the database to a new file, also while the server runs", "must not be there yet"),
        ("restore", _restore, "put a backup in the place of the database of a stopped server", "made by `backup`"),
    ):
        parser = commands.add_parser(name, help=text, description=text, parents=[global_options])
        parser.add_argument("file", metavar="FILE", type=Path, help=file)
        parser.set_defaults(run=run)


def _backup(arguments: argparse.Namespace, context: Context) -> int:
    database, file = _database(context.config(), _DUMP, arguments.file), arguments.file
    try:
        with context.output.bar("Copying the database") as progress:
            backup.back_up(database, file, progress)
    except StorageError as error:
        raise CommandError(str(error)) from error
    size = file.stat().st_size
    context.output.line({"file": str(file), "bytes": size}, f"{file} holds the whole database, {_readable(size)}")
    return 0


def _restore(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    database, file = _database(config, _LOAD, arguments.file), arguments.file
    try:
        with ControlClient(config.server.data_dir):
            raise CommandError("Fermata is running: stop it first")
    except ServerDownError:
        pass
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with context.output.bar("Copying the backup") as progress:
            before = backup.restore(file, database, progress)
    except StorageError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{database.parent} cannot be made: {error.strerror}") from error
    text = f"{file} is the database now"
    if before is not None:
        text += f"; the one that was there before is {before}"
    context.output.line({"database": str(database), "before": before and str(before)}, text)
    return 0


def _database(config: Config, of_postgresql: str, file: Path) -> Path:
    """The file that the database is in. Raises CommandError where it is none, with the command that does the work."""
    database = sqlite_file(config)
    if database is not None:
        return database
    parts = urlsplit(config.storage.url)
    user = f"{parts.username}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2]
    url = parts._replace(scheme="postgresql", netloc=user + host).geturl()
    command = of_postgresql.format(file=file, url=url)
    raise CommandError(f"the database is PostgreSQL, which has its own way:\n    {command}")


def _readable(size: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if size < 10_000:
            return f"{size} {unit}"
        size //= 1000
    return f"{size} GB"
