"""Databases to test with: every test of storage runs on SQLite, with both writers, and on PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import URL

from kit.databases import Opened, Place
from kit.postgresql import NoPostgreSQLError, PostgreSQL, drop_database, given_server, new_database, running_server


@pytest.fixture(scope="session")
def own_postgresql() -> Iterator[PostgreSQL]:
    """A server that a test may stop."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except NoPostgreSQLError as error:
            pytest.skip(str(error))
        yield server


@pytest.fixture(scope="session")
def postgresql_url(request: pytest.FixtureRequest) -> URL:
    """The server that the environment names, or one of our own."""
    given = given_server()
    if given is not None:
        return given
    server: PostgreSQL = request.getfixturevalue("own_postgresql")
    return server.url


@pytest.fixture
def postgresql_place(postgresql_url: URL) -> Iterator[Place]:
    """An empty PostgreSQL database."""
    url = new_database(postgresql_url)
    yield Place(url.render_as_string(hide_password=False), "process")
    drop_database(postgresql_url, url)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    """An empty SQLite database, for what only a file has."""
    return Place(f"sqlite:///{tmp_path}/fermata.db", "process")


@pytest.fixture(params=["sqlite", "sqlite-power", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    """An empty database of each kind."""
    if request.param == "postgresql":
        remote: Place = request.getfixturevalue("postgresql_place")
        return remote
    embedded: Place = request.getfixturevalue("sqlite_place")
    return embedded._replace(durability="power") if request.param == "sqlite-power" else embedded


@pytest.fixture
def open_at() -> Iterator[Callable[[Place], Opened]]:
    """Opens databases; those still open are closed after the test."""
    with ExitStack() as stack:

        def open_and_remember(place: Place) -> Opened:
            opened = Opened.at(place)
            stack.callback(opened.database.close)
            return opened

        yield open_and_remember


@pytest.fixture
def opened(place: Place, open_at: Callable[[Place], Opened]) -> Opened:
    """An open, empty database."""
    return open_at(place)
