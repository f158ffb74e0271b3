"""What the command line can do whether the server runs or not, beside making accounts."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fermata.app.cli_rooms import words_of
from fermata.app.config import Config
from fermata.core.muc.config import Config as RoomConfig
from fermata.core.records import (
    AffiliationSaved,
    CredentialsSaved,
    EntityMade,
    Journalled,
    MessageArchived,
    OccupancySaved,
    RoomSaved,
    RosterItemSaved,
    Step,
)
from fermata.storage.database import Database

ROOM = "verona@conference.localhost"
JULIET = "juliet@localhost"
pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def kept_room(reactor, run_in, here):
    """A database with a room in it: Romeo is there, and Juliet was."""
    Path("var").mkdir()
    database = run_in(Database.open, Config().storage.url, "process", reactor, reactor.callFromThread)
    presence = "<presence/>"
    records = [
        EntityMade(7, ROOM, 0.0),
        RoomSaved(7, RoomConfig(roomname="Verona", persistentroom=True).json(), "", "", 0.0, b"s" * 32, False),
        AffiliationSaved(7, "romeo@localhost", "owner", "", ""),
        OccupancySaved(7, "romeo@localhost/orchard", "Romeo", "moderator", presence, 1_700_000_000.0),
        Journalled(7, 1_700_000_000.0, "romeo@localhost/orchard", "Romeo", "enter", "created"),
        Journalled(7, 1_700_000_060.0, "juliet@localhost/balcony", "Juliet", "enter", "entered"),
        Journalled(7, 1_700_000_120.0, "juliet@localhost/balcony", "Juliet", "exit", "kicked"),
    ]
    run_in(database.writer.submit, Step(records))
    run_in(database.close)


@pytest.fixture
def kept_friends(reactor, run_in, here):
    """A database in which Juliet (1) and Romeo (2) are contacts, have written, and Juliet is admin of Romeo's room."""
    Path("var").mkdir()
    database = run_in(Database.open, Config().storage.url, "process", reactor, reactor.callFromThread)
    records = [EntityMade(7, ROOM, 0.0), RoomSaved(7, RoomConfig().json(), "", "", 0.0, b"s" * 32, False)]
    for number, jid, contact in ((1, JULIET, "romeo@localhost"), (2, "romeo@localhost", JULIET)):
        records += [
            EntityMade(number, jid, 0.0),
            CredentialsSaved(number, "sha1", b"salt", 8, b"stored", b"server"),
            RosterItemSaved(number, contact, "", "both", False, False, "[]", 1),
            AffiliationSaved(7, jid, "admin", "", ""),
            MessageArchived(number, 0.0, number, None, contact, jid, 1, "<message/>"),
        ]
    run_in(database.writer.submit, Step(records))
    run_in(database.close)


def test_whoever_gets_an_address_later_inherits_nothing_of_it(run, kept_friends, up_or_down):
    assert run("user", "remove", JULIET) == (0, "juliet@localhost is removed\n", "")
    with closing(sqlite3.connect("var/fermata.db")) as database:
        contacts = database.execute("SELECT account, jid, subscription FROM roster_item").fetchall()
        affiliations = database.execute("SELECT jid FROM affiliation").fetchall()
        owners = database.execute("SELECT owner FROM archive").fetchall()
    assert contacts == [(2, JULIET, "none")]
    assert affiliations == [("romeo@localhost",)]
    assert owners == [(2,)]


def test_an_account_is_disabled_and_enabled(run, up_or_down):
    run("user", "add", JULIET, "--password", "x")
    assert run("user", "disable", JULIET) == (0, "juliet@localhost is disabled\n", "")
    assert run("user", "list", "--disabled") == (0, "juliet@localhost\n", "")
    assert run("user", "list") == (0, "juliet@localhost\n", "")
    assert run("user", "enable", JULIET) == (0, "juliet@localhost is enabled\n", "")
    assert run("user", "list", "--disabled") == (0, "", "")
    assert run("user", "disable", "x@localhost") == (1, "", "fermata: there is no account x@localhost\n")


def test_the_message_of_the_day_is_set_shown_changed_and_deleted(run, up_or_down):
    assert run("motd") == (0, "localhost\t\n", "")
    assert run("motd", "edit", "x") == (1, "", "fermata: there is no message of the day\n")
    assert run("motd", "set", "Good morrow") == (0, "the message of the day of localhost is set\n", "")
    assert run("motd", "edit", "Good night")[0] == 0
    assert run("motd", "show", "--domain", "localhost") == (0, "localhost\tGood night\n", "")
    assert json.loads(run("motd", "--json")[1]) == {"localhost": "Good night"}
    assert run("motd", "delete")[0] == 0
    assert run("motd", "show") == (0, "localhost\t\n", "")
    assert run("motd", "set", " ") == (1, "", "fermata: there is nothing to be said\n")
    elsewhere = "fermata: elsewhere.example is none of this server's domains (localhost)\n"
    for words in (["show"], ["set", "x"], ["delete"]):
        assert run("motd", *words, "--domain", "elsewhere.example") == (1, "", elsewhere)


def test_rooms_and_who_is_in_them_are_listed(run, kept_room, up_or_down):
    assert run("rooms", "list") == (0, f"{ROOM}\t1\thidden\tpersistent\tVerona\n", "")
    assert run("rooms", "list", "elsewhere.example") == (0, "", "")
    code, out, _ = run("rooms", "occupants", ROOM)
    assert code == 0
    assert out.split("\t")[:4] == ["Romeo", "romeo@localhost/orchard", "owner", "moderator"]
    told = json.loads(run("rooms", "occupants", ROOM, "--json")[1])
    assert told[0]["entered"] == 1_700_000_000.0
    assert run("rooms", "occupants", "x" + ROOM) == (1, "", f"fermata: there is no room x{ROOM}\n")
    assert run("rooms", "occupants", "conference.localhost")[2].startswith("fermata: 'conference.localhost' is no room")


def test_why_somebody_is_not_in_a_room_is_told_in_words(run, kept_room, up_or_down):
    code, out, _ = run("rooms", "why", JULIET, ROOM)
    lines = [line.partition("  ")[2] or line for line in out.splitlines()]
    assert code == 0
    assert lines == [
        "juliet@localhost/balcony entered as Juliet",
        "juliet@localhost/balcony was Juliet, and went out (kicked by a moderator)",
        f"juliet@localhost is not in {ROOM} now",
    ]
    assert f"romeo@localhost is in {ROOM} now, as Romeo" in run("rooms", "why", "romeo@localhost", ROOM)[1]
    assert run("rooms", "why", "paris@localhost", ROOM)[1] == f"paris@localhost has never been in {ROOM}\n"
    told = json.loads(run("rooms", "why", JULIET, ROOM, "--json")[1])
    assert [line["event"] for line in told["story"]] == ["enter", "exit"]
    assert told["present"] == []


@pytest.mark.parametrize(
    ("event", "cause", "words"),
    [
        ("nick", "was Jules", "j@l/b is Juliet now (was Jules)"),
        ("role", "visitor to participant", "j@l/b has another role as Juliet (visitor to participant)"),
        ("exit", "undeliverable: gone", "j@l/b was Juliet, and went out (what the room sent him came back: gone)"),
        (
            "exit",
            "unverified: gone",
            "j@l/b was Juliet, and went out (asked after a start whether he was still there, his side said no: gone)",
        ),
        ("stop", "", "the server stopped"),
        ("start", "stop", "the server started again (whoever was in the room still was)"),
        (
            "start",
            "crash",
            "the server started again (it had been killed, or had crashed; whoever was in the room still was)",
        ),
        ("vanish", "", "j@l/b vanish"),
    ],
)
def test_every_line_of_a_journal_has_words(event, cause, words):
    assert words_of({"jid": "j@l/b", "nick": "Juliet", "event": event, "cause": cause}) == words


def test_a_room_is_destroyed(run, kept_room, up_or_down):
    code, out, _ = run("rooms", "destroy", ROOM, "--reason", "plague")
    assert (code, out.startswith(f"{ROOM} is destroyed")) == (0, True)
    assert run("rooms", "list") == (0, "", "")
    assert run("rooms", "destroy", ROOM) == (1, "", f"fermata: there is no room {ROOM}\n")


@pytest.mark.parametrize(
    "words", [["sessions"], ["sessions", "end", JULIET], ["account", "rooms", JULIET], ["announce", "hear"], ["stop"]]
)
def test_what_needs_a_running_server_says_that_it_is_down(run, words):
    code, out, err = run(*words)
    assert (code, out) == (3, "")
    assert err == "fermata: no server is running with the data directory var\n"


@pytest.mark.parametrize(
    "words", [["sessions"], ["account", "rooms"], ["rooms"], ["rooms", "why"], ["announce"], ["motd"], ["stop"]]
)
def test_every_command_says_how_it_is_used(run, words, capsys):
    with pytest.raises(SystemExit) as caught:
        run(*words, "--help")
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: fermata {' '.join(words)}")


def test_an_invitation_is_made(run, up_or_down):
    run("user", "add", JULIET, "--password", "x")
    code, out, _ = run("invite")
    assert (code, out.startswith("xmpp:localhost?register;preauth=")) == (0, True)
    ticket = json.loads(run("invite", "--account", "romeo", "--contact", JULIET, "--days", "0", "--json")[1])
    assert ticket == {
        "token": ticket["token"],
        "uri": f"xmpp:romeo@localhost?register;preauth={ticket['token']}",
        "expires": 0.0,
    }
    assert run("invite", "--account", "romeo")[2] == "fermata: romeo@localhost is taken\n"
    assert run("invite", "--contact", "x@localhost")[2] == "fermata: there is no account x@localhost\n"
    assert (
        run("invite", "--domain", "x.example")[2] == "fermata: x.example is none of this server's domains (localhost)\n"
    )


def test_invitations_that_are_switched_off_are_told(run):
    Path("etc/fermata.toml").write_text("[registration]\ninvitations = false")
    assert run("invite")[2] == "fermata: invitations are switched off in [registration]\n"


def test_reports_are_listed_and_dismissed(run, up_or_down):
    assert run("reports") == (0, "", "")
    assert run("reports", "list", "--json") == (0, "[]\n", "")
    assert run("reports", "dismiss", "localhost") == (0, "0 reports forgotten\n", "")
    assert run("reports", "dismiss", "x.example")[2].startswith("fermata: x.example is none of")
