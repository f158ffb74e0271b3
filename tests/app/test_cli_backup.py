"""`fermata backup`, `restore` and `db`: against a server under load, a stopped one, and PostgreSQL."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fermata.app.cli import main
from fermata.storage import migrations
from fermata.storage.connect import connect
from kit.server import Server
from kit.wire import Client

Run = Callable[..., tuple[int, str, str]]

TALKERS = 3


class Talker:
    """Somebody who talks to himself all the time, and knows what the server has acknowledged.

    What nobody took would wait for him, and of that there may not be any amount: the rest would be refused, which is an
    answer that counts as well.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        client.enable()
        self._name = name
        self._stop = threading.Event()
        self.acked = 0
        self._was_answered = threading.Event()
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def body(self, number: int) -> str:
        return f"{self._name} said {number} " + "x" * 500

    def goes_on(self) -> bool:
        """Whether something more is acknowledged before long."""
        self._was_answered.clear()
        return self._was_answered.wait(30)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _talk(self) -> None:
        sent = 0
        while not self._stop.is_set():
            for _ in range(10):
                sent += 1
                body = f"<body>{self.body(sent)}</body>"
                self._client.send(f"<message to='{self._client.jid}' type='chat'>{body}</message>")
            for _ in range(10):
                self._client.expect("message", type="chat")
            self.acked = self._client.request_ack()
            self._was_answered.set()
        self._client.cut()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.cut_all()
    if server.is_running():
        server.stop()
    assert not server.failures(), server.failures()


def session(server: Server) -> Client:
    """A session of the account that the first start has made."""
    client = Client(server.link())
    client.open()
    client.authenticate("me", server.wait_for_log("password  ").split()[-1])
    client.bind()
    return client


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command for a server: gives its exit code, standard output and standard error."""

    def run_command(server: Server, *words: str | Path) -> tuple[int, str, str]:
        code = main(["--config", str(server.configuration), *map(str, words)])
        return code, *capsys.readouterr()

    return run_command


def test_a_backup_under_load_is_restored_with_all_that_was_acknowledged_before_it(
    server: Server, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    talkers = [Talker(session(server), f"talker {number}") for number in range(TALKERS)]
    assert all(talker.goes_on() for talker in talkers)
    acked = [talker.acked for talker in talkers]
    code, out, err = run(server, "backup", file)
    assert (code, err) == (0, "")
    assert out.startswith(f"{file} holds the whole database, ")
    for talker in talkers:
        assert talker.goes_on(), "it was disturbed"
        talker.stop()
    assert run(server, "backup", file) == (1, "", f"fermata: {file} is there already; nothing was overwritten\n")
    assert run(server, "db", "check") == (0, "nothing is wrong\n", "")
    assert run(server, "restore", file) == (1, "", "fermata: Fermata is running: stop it first\n")
    server.kill()
    database = tmp_path / "var" / "fermata.db"
    code, out, err = run(server, "restore", file, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"database": str(database), "before": f"{database}.before-restore"}
    server.start()
    with closing(sqlite3.connect(database)) as connection:
        kept = "".join(xml for (xml,) in connection.execute("SELECT xml FROM archive"))
    expected = [
        talker.body(number + 1) for talker, count in zip(talkers, acked, strict=True) for number in range(count)
    ]
    assert min(acked) >= 10
    assert [body for body in expected if body not in kept] == []
    session(server).sync()


@pytest.fixture
def stopped(tmp_path: Path) -> Server:
    """A server that was never started."""
    return Server(tmp_path)


def test_a_stopped_server_is_backed_up_and_restored_on_another_machine(
    stopped: Server, run: Run, tmp_path: Path
) -> None:
    run(stopped, "user", "add", "juliet@localhost", "--password", "x")
    file = tmp_path / "backup.db"
    code, out, _ = run(stopped, "backup", file, "--json")
    assert (code, json.loads(out)) == (0, {"file": str(file), "bytes": file.stat().st_size})
    (tmp_path / "other").mkdir()
    other = Server(tmp_path / "other")
    assert run(other, "restore", file) == (0, f"{file} is the database now\n", "")
    assert run(other, "user", "list") == (0, "juliet@localhost\n", "")


def test_what_is_not_there_is_neither_saved_nor_looked_at(stopped: Server, run: Run, tmp_path: Path) -> None:
    database = tmp_path / "var" / "fermata.db"
    assert run(stopped, "backup", tmp_path / "file")[2] == f"fermata: there is no database {database}\n"
    for action in ("status", "upgrade", "check"):
        words = f"fermata: there is no database {database} yet; the first start of the server makes it\n"
        assert run(stopped, "db", action) == (1, "", words)
    assert not database.parent.exists()


def test_something_else_is_not_restored(stopped: Server, run: Run, tmp_path: Path) -> None:
    code, _, err = run(stopped, "restore", stopped.configuration)
    assert (code, err) == (1, f"fermata: {stopped.configuration} is no SQLite database\n")
    assert list((tmp_path / "var").glob("fermata.db*")) == []


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("backup", "pg_dump --format=custom --file=FILE postgresql://user@db.example:5433/fermata"),
        (
            "restore",
            "pg_restore --clean --if-exists --dbname=postgresql://user@db.example:5433/fermata FILE",
        ),
    ],
)
def test_postgresql_has_its_own_way_which_is_told_without_the_password(
    tmp_path: Path, run: Run, words: str, command: str
) -> None:
    url = "postgresql+psycopg://user:secret@db.example:5433/fermata"
    server = Server(tmp_path, {"storage": {"url": url}})
    expected = f"fermata: the database is PostgreSQL, which has its own way:\n    {command}\n"
    assert run(server, words, "FILE") == (1, "", expected)


def older(server: Server) -> None:
    """Makes a database with no tables yet."""
    (server.directory / "var").mkdir()
    connect(f"sqlite:///{server.directory}/var/fermata.db", "process").dispose()


def test_the_state_of_the_tables_is_told_and_they_are_brought_up_to_date(stopped: Server, run: Run) -> None:
    older(stopped)
    head = migrations.head()
    code, out, _ = run(stopped, "db", "status", "--json")
    state = json.loads(out)
    assert (code, state["revision"], state["wanted"]) == (0, None, head)
    assert (state["missing"][0], state["missing"][-1]) == ("0001", head)
    first, second, *_ = run(stopped, "db", "status")[1].splitlines()
    assert first == f"the tables are at nothing, this version works with {head}"
    assert second == "    0001  The first tables."
    assert run(stopped, "db", "upgrade") == (0, f"the tables are at {head} now\n", "")
    assert run(stopped, "db", "upgrade") == (0, f"the tables were at {head} already\n", "")
    assert run(stopped, "db", "status") == (0, f"the tables are those of this version ({head})\n", "")


def test_tables_of_a_newer_version_are_left_alone(stopped: Server, run: Run) -> None:
    older(stopped)
    run(stopped, "db", "upgrade")
    with closing(sqlite3.connect(stopped.directory / "var" / "fermata.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    code, out, _ = run(stopped, "db", "status")
    assert (code, out) == (
        1,
        f"a newer version has made the tables: they are at 9999, known here is {migrations.head()}\n",
    )
    code, _, err = run(stopped, "db", "upgrade")
    assert code == 1
    assert "newer than this server" in err
    assert run(stopped, "db", "check")[0] == 1
