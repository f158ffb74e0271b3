"""The `fermata` command. What it does to accounts is tried twice: with the server running, and with it down."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fermata.app.cli import main
from fermata.app.cli_sessions import duration
from fermata.app.commands import running_commands
from fermata.core.sasl.credentials import verify_password
from fermata.storage.database import Database
from fermata.xmpp.jid import JID

JULIET = JID.parse("juliet@localhost")
pytestmark = pytest.mark.usefixtures("here")


class Accounts:
    """Looks into the database past the command line."""

    def __init__(self, wait, database: Database) -> None:
        self._wait, self._database = wait, database

    def has_password(self, jid: JID, password: str) -> bool:
        keys = self._wait(self._database.accounts.credentials, jid)
        return bool(keys) and all(verify_password(key, password) for key in keys)


@pytest.fixture(params=["up", "down"])
def has_password(request, run_in):
    """Whether an account has a password; with the server up or down, as far as the command line can see."""
    if request.param == "up":
        database = request.getfixturevalue("database")
        serve = request.getfixturevalue("serve")
        parts = request.getfixturevalue("parts")
        serve(Path("var"), running_commands(parts.services))
        return Accounts(run_in, database).has_password

    def look(jid: JID, password: str) -> bool:
        return Accounts(run_in, request.getfixturevalue("database")).has_password(jid, password)

    return look


def test_an_account_is_added_once(run, has_password):
    assert run("user", "add", "Juliet@localhost", "--password", "s3cret") == (
        0,
        "juliet@localhost is ready to log in\n",
        "",
    )
    assert run("user", "add", "juliet@localhost", "--password", "other") == (
        1,
        "",
        "fermata: juliet@localhost is there already\n",
    )
    assert run("user", "list") == (0, "juliet@localhost\n", "")
    assert has_password(JULIET, "s3cret")


def test_a_password_is_changed(run, has_password):
    assert run("user", "passwd", "juliet@localhost", "--password", "x") == (
        1,
        "",
        "fermata: there is no account juliet@localhost\n",
    )
    run("user", "add", "juliet@localhost", "--password", "old")
    assert run("user", "passwd", "juliet@localhost", "--password", "new")[0] == 0
    assert has_password(JULIET, "new")


def test_a_removed_account_is_gone_and_can_be_made_again(run, has_password):
    run("user", "add", "juliet@localhost", "--password", "old")
    assert run("user", "remove", "juliet@localhost") == (0, "juliet@localhost is removed\n", "")
    assert run("user", "remove", "juliet@localhost")[0] == 1
    assert run("user", "list") == (0, "", "")
    assert run("user", "add", "juliet@localhost", "--password", "new")[0] == 0
    assert has_password(JULIET, "new")


def test_a_generated_password_is_printed_and_works(run, has_password):
    code, out, _ = run("--json", "user", "add", "juliet@localhost", "--generate")
    answer = json.loads(out)
    assert code == 0
    assert set(answer) == {"jid", "password"}
    assert len(answer["password"]) == 23
    assert has_password(JULIET, answer["password"])


def test_accounts_are_imported_and_a_second_time_only_reported(run, has_password):
    Path("users.csv").write_text('\ufeffJID,Password\nromeo@localhost,"with, comma"\n\njuliet@localhost, spaces \n')
    run("user", "add", "romeo@localhost", "--password", "kept")
    assert run("user", "import", "users.csv") == (
        0,
        "1 account made; 1 there already, with the password as it was\n",
        "",
    )
    code, out, _ = run("user", "import", "users.csv", "--json")
    assert (code, json.loads(out)) == (0, {"created": 0, "existing": ["romeo@localhost", "juliet@localhost"]})
    assert has_password(JULIET, " spaces ")
    assert has_password(JID.parse("romeo@localhost"), "kept")


def test_a_wrong_file_is_not_imported_at_all_and_every_wrong_line_is_told(run):
    lines = [
        "ok@localhost,x",
        "juliet@elsewhere.example,x",
        "no jid,x",
        "juliet@localhost",
        "juliet@localhost,a,b",
        "juliet@localhost,",
        "OK@localhost,y",
        "juliet@localhost,\u0007",
    ]
    Path("users.csv").write_text("\n".join(lines))
    code, out, err = run("user", "import", "users.csv")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "fermata: users.csv:2: elsewhere.example is none of this server's domains (localhost)",
        "users.csv:3: 'no jid' is no JID: the domainpart is no domain",
        "users.csv:4: expected jid,password, not 1 columns",
        "users.csv:5: expected jid,password, not 3 columns",
        "users.csv:6: the password is empty",
        "users.csv:7: ok@localhost is there twice",
        "users.csv:8: the password has characters that a password may not have",
    ]
    assert not Path("var").exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, "cannot be read: No such file"), (b"\xff\xfe", "is no CSV file in UTF-8"), (b'a,"b', "is no CSV file")],
)
def test_a_file_that_is_no_csv_is_told_as_such(run, content, text):
    if content is not None:
        Path("users.csv").write_bytes(content)
    code, _, err = run("user", "import", "users.csv")
    assert code == 1
    assert err.startswith(f"fermata: users.csv {text}")


@pytest.mark.parametrize(
    ("jid", "text"),
    [
        ("localhost", "'localhost' is no bare JID such as juliet@example.org"),
        ("juliet@localhost/phone", "'juliet@localhost/phone' is no bare JID such as juliet@example.org"),
        ("@localhost", "'@localhost' is no JID: a part of the address is empty"),
        ("juliet@elsewhere.example", "elsewhere.example is none of this server's domains (localhost)"),
    ],
)
def test_an_account_needs_a_bare_jid_of_ours(run, jid, text):
    assert run("user", "add", jid, "--password", "x") == (1, "", f"fermata: {text}\n")


def test_a_password_may_not_be_empty(run):
    assert run("user", "add", "juliet@localhost", "--password", "")[2] == "fermata: the password is empty\n"


def test_a_password_is_read_from_what_is_piped_in(run, monkeypatch, has_password):
    readable, writable = os.pipe()
    os.write(writable, b"piped in\nnot this\n")
    os.close(writable)
    with os.fdopen(readable) as piped:
        monkeypatch.setattr("sys.stdin", piped)
        assert run("user", "add", "juliet@localhost")[0] == 0
    assert has_password(JULIET, "piped in")


def test_only_one_domains_accounts_are_listed_if_asked(run):
    Path("etc/fermata.toml").write_text('[server]\ndomains = ["a.example", "b.example"]')
    for jid in ("x@b.example", "z@a.example", "y@a.example"):
        run("user", "add", jid, "--password", "x")
    assert run("user", "list")[1].split() == ["y@a.example", "z@a.example", "x@b.example"]
    assert run("user", "list", "b.example")[1].split() == ["x@b.example"]
    assert json.loads(run("user", "list", "--json")[1]) == ["y@a.example", "z@a.example", "x@b.example"]


def test_accounts_stay_when_their_domain_is_no_longer_configured(run):
    run("user", "add", "juliet@localhost", "--password", "x")
    Path("etc/fermata.toml").write_text('[server]\ndomains = ["a.example"]')
    assert run("user", "list", "localhost")[1] == "juliet@localhost\n"
    assert run("user", "remove", "juliet@localhost")[0] == 0


def test_a_database_that_cannot_be_opened_is_told_without_a_traceback(run):
    Path("etc/fermata.toml").write_text('[storage]\nurl = "sqlite:///none/fermata.db"')
    code, _, err = run("user", "list")
    assert code == 1
    assert err == "fermata: the database none/fermata.db can't be opened: No such file or directory\n"


def test_a_data_directory_that_cannot_be_made_is_told_without_a_traceback(run):
    Path("etc/fermata.toml").write_text('[server]\ndata_dir = "etc/fermata.toml/var"')
    assert (
        run("user", "list")[2] == "fermata: the data directory etc/fermata.toml/var cannot be made: Not a directory\n"
    )


def test_a_database_in_use_by_a_server_without_a_socket_is_left_alone(run, database):
    code, _, err = run("user", "list")
    assert code == 1
    assert f"in use by another Fermata (process {os.getpid()})" in err


def test_a_wrong_configuration_stops_every_command(run):
    Path("other.toml").write_text("[c2s]\nlistn = []")
    for command in (["user", "list"], ["status"]):
        code, out, err = run(*command, "--config", "other.toml")
        assert (code, out) == (1, "")
        assert err == "fermata: other.toml:2: unknown key `listn` in [c2s]; did you mean `listen`?\n"
    assert json.loads(run("--config", "other.toml", "--json", "status")[1])["error"].startswith("other.toml:2: ")


def test_a_missing_configuration_is_told(run):
    assert run("--config", "none.toml", "status")[2] == "fermata: none.toml: is not there; an empty file would do\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["user"],
        ["user", "add"],
        ["usr"],
        ["status", "--nonsense"],
        ["stop", "--delay=-5"],
        ["stop", "--delay=nan"],
        ["stop", "--delay=inf"],
        ["stop", "--for=soon"],
        ["stop", "--for=h"],
        ["stop", "--for=-2h"],
        ["stop", "--for=infd"],
        ["restart", "--for=2h"],
    ],
)
def test_what_is_not_understood_exits_with_2(run, words):
    with pytest.raises(SystemExit) as caught:
        run(*words)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("45m", 2_700.0), ("2h", 7_200.0), ("1.5h", 5_400.0), ("1d", 86_400.0)],
)
def test_a_time_may_be_said_in_the_units_that_people_use(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("words", [["user", "list"], ["user", "list", "--json"]])
def test_who_reads_no_further_is_not_bothered(run, words):
    run("user", "add", "juliet@localhost", "--password", "x")
    nobody, pipe = os.pipe()
    os.close(nobody)
    program = "import sys; from fermata.app.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program, *words], stdout=pipe, stderr=subprocess.PIPE, check=False)
    os.close(pipe)
    assert (done.returncode, done.stderr) == (141, b"")


def test_check_succeeds_with_notes_and_fails_with_errors(run):
    Path("etc/fermata.toml").write_text("[c2s]\nlisten = []\nlisten_direct_tls = []\n[http]\nlisten = []")
    code, out, _ = run("check")
    assert code == 0
    assert out.splitlines()[0] == "note: var/tls/cert.pem is not there yet"
    assert out.splitlines()[-1] == "nothing is wrong"
    assert json.loads(run("check", "--json")[1])[0]["severity"] == "note"
    Path("etc/fermata.toml").write_text("[c2s]\nlisten = 5")
    code, out, _ = run("check")
    assert code == 1
    assert out == "error: etc/fermata.toml:2: `listen` in [c2s]: expected an array of strings, not an integer\n"
    code, out, _ = run("check", "--json")
    assert (code, [finding["severity"] for finding in json.loads(out)]) == (1, ["error"])


def test_status_of_a_server_that_is_down_exits_with_3(run, here):
    assert run("status") == (3, f"Fermata is not running (nobody answers in {here}/var)\n", "")
    assert run("--json", "status") == (3, '{\n  "running": false\n}\n', "")


STATUS = {
    "version": "1.0",
    "uptime_seconds": 93_784.5,
    "pid": 4711,
    "writer": {"steps_waiting": 3, "last_commit_seconds": 0.00123, "pool": {"size": 4}},
    "domains": ["a.example", "b.example"],
    "rooms": 0,
}


def test_status_shows_whatever_the_server_says(run, serve):
    Path("var").mkdir()
    serve(Path("var"), {"status": lambda: STATUS})
    code, out, _ = run("status")
    assert code == 0
    assert [line.split("\t") for line in out.splitlines()] == [
        ["version", "1.0"],
        ["uptime", "1 d 2 h"],
        ["pid", "4711"],
        ["writer steps waiting", "3"],
        ["writer last commit", "0.00123 s"],
        ["writer pool size", "4"],
        ["domains", "a.example, b.example"],
        ["rooms", "0"],
    ]
    assert json.loads(run("status", "--json")[1]) == {"running": True, **STATUS}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (3_600, "1 h 0 min"), (86_400 * 400 + 1, "400 d 0 h")],
)
def test_durations_are_told_in_two_units(run, serve, seconds, text):
    Path("var").mkdir()
    serve(Path("var"), {"status": lambda: {"uptime_seconds": seconds}})
    assert run("status")[1] == f"uptime\t{text}\n"


def test_two_commands_at_once_do_not_make_one_account_twice(run, has_password):
    """Only the running server lets two of them in at once; without it the second finds the database in use."""
    codes = []

    def add() -> None:
        codes.append(main(["user", "add", "juliet@localhost", "--password", "x"]))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0, 1]
    assert has_password(JULIET, "x")
