"""A real PostgreSQL for tests: started in a directory of its own, on a UNIX socket, and stopped again."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy import URL, make_url

VARIABLE = "FERMATA_TEST_POSTGRES"  #: the URL of a server to use instead, with the right to create databases


class NoPostgreSQLError(Exception):
    """There is none here; the text says what was looked for."""


class PostgreSQL:
    """A server. It is stopped and started like the real thing, because it is."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self._directory = directory
        self._user = _unprivileged_user()
        if self._user is not None:
            shutil.chown(directory, self._user)
        self._run("initdb", "--auth=trust", "--username=fermata", "--no-sync", "--encoding=UTF8", "--locale=C")
        self.start()
        self.url = make_url(f"postgresql://fermata@/postgres?host={directory}")

    def start(self) -> None:
        """Returns when it answers."""
        options = f"-c listen_addresses= -c unix_socket_directories={self._directory} -c fsync=off"
        self._run("pg_ctl", "start", "--wait", f"--log={self._directory / 'log'}", f"--options={options}")

    def stop(self, mode: str = "fast") -> None:
        """Returns when it is gone; `immediate` is a crash."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, f"--pgdata={self._directory / 'data'}", *arguments],
            check=True,
            user=self._user,
            extra_groups=None if self._user is None else (),
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
        )


@contextmanager
def running_server() -> Iterator[PostgreSQL]:
    """A server of our own while the block runs. Raises NoPostgreSQLError."""
    programs = _programs()
    # A short path: a socket's may not be longer than 107 bytes.
    with tempfile.TemporaryDirectory(prefix="fermata-pg-") as directory:
        server = PostgreSQL(programs, Path(directory))
        try:
            yield server
        finally:
            server.stop("immediate")


def given_server() -> URL | None:
    """The server that the environment names."""
    url = os.environ.get(VARIABLE)
    return make_url(url) if url else None


def new_database(server: URL) -> URL:
    """The URL of an empty database."""
    name = f"fermata_{uuid4().hex}"
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return server.set(database=name)


def drop_database(server: URL, url: URL) -> None:
    """Removes it, whoever is connected."""
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {url.database} WITH (FORCE)")


def _programs() -> Path:
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    directories = [Path("/usr/local/bin"), *newest_first, *map(Path, os.environ.get("PATH", "").split(os.pathsep))]
    for directory in directories:
        if all((directory / program).exists() for program in ("initdb", "pg_ctl", "postgres")):
            return directory.resolve()
    raise NoPostgreSQLError(f"no PostgreSQL here: initdb, pg_ctl and postgres are not installed, {VARIABLE} is not set")


def _unprivileged_user() -> str | None:
    """Whom to run it as; PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
