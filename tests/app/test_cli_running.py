"""The command line against a server that runs, with people on it."""

import json
from collections.abc import Callable

from kit.muc import create, enter
from kit.people import PASSWORD, People
from kit.pubsub import bookmark
from kit.server import Server, Settings
from kit.wire import Client


def test_sessions_are_listed_and_ended(server: Server, guests: People) -> None:
    phone = guests.online(resource="phone")
    desk = guests.another(phone, "desk")
    rows = [line.split("\t") for line in server.command("sessions").splitlines()]
    assert [phone.jid, "connected", "priority 0", "0", "0"] in rows
    listed = json.loads(server.command("sessions", "list", "localhost", "--json"))
    assert {each["jid"] for each in listed} >= {phone.jid, desk.jid}
    assert server.command("sessions", "list", "elsewhere.example") == ""
    assert server.command("sessions", "end", desk.jid) == f"1 session of {phone.bare} ended\n"
    desk.expect_stream_error("policy-violation")
    assert json.loads(server.command("sessions", "end", phone.bare, "--json")) == {"jid": phone.bare, "ended": 1}
    phone.expect_stream_error("policy-violation")


def test_the_rooms_are_listed_in_which_an_account_stands(server: Server, guests: People) -> None:
    room = "of-an-account@conference.localhost"
    create(guests.online(), room, "Owner")
    phone = guests.online(resource="phone")
    bookmark(phone, room, "Phone")
    phone.sync()
    enter(phone, room, "Phone")
    rows = [line.split("\t") for line in server.command("account", "rooms", phone.bare).splitlines()]
    assert rows == [[room, "Phone", "in", "bookmarked", "phone"]]
    (listed,) = json.loads(server.command("account", "rooms", phone.bare, "--json"))
    assert (listed["room"], listed["clients"]) == (room, ["phone"])
    assert server.command("account", "rooms", "nobody@localhost") == ""


def test_an_announcement_reaches_who_is_online(server: Server, guests: People) -> None:
    phone = guests.online()
    assert server.command("announce", "Fire!", "--domain", "localhost").startswith("told to ")
    message = phone.wait_for(lambda stanza: stanza.tag == "message")
    assert (message.get("from"), message.findtext("body")) == ("localhost", "Fire!")


def test_who_is_in_a_room_and_why_somebody_is_not(server: Server, guests: People, room: str) -> None:
    romeo, juliet = guests.online(), guests.online()
    create(romeo, room, "Romeo")
    enter(juliet, room, "Juliet")
    assert f"{room}\t2\thidden\tpersistent\t\n" in server.command("rooms", "list")
    occupants = [line.split("\t")[:2] for line in server.command("rooms", "occupants", room).splitlines()]
    assert occupants == [["Romeo", romeo.jid], ["Juliet", juliet.jid]]
    juliet.send(f"<presence to='{room}/Juliet' type='unavailable'/>")
    juliet.sync()
    assert "went out (by leaving)" in server.command("rooms", "why", juliet.bare, room)
    server.command("rooms", "destroy", room, "--reason", "plague")
    romeo.wait_for(lambda stanza: stanza.get("type") == "unavailable" and stanza.get("from") == f"{room}/Romeo")


def test_a_disabled_account_is_out_until_it_is_enabled(server: Server, guests: People) -> None:
    phone = guests.online()
    server.command("user", "disable", phone.bare)
    phone.expect_stream_error("not-authorized")
    name = phone.bare.split("@")[0]
    again = guests.opened()
    again.auth("PLAIN", f"\0{name}\0{PASSWORD}".encode())
    again.expect_failure("account-disabled")
    server.command("user", "enable", phone.bare)
    guests.online(name)


def test_status_tells_live_figures(server: Server, guests: People) -> None:
    guests.online()
    status = json.loads(server.command("status", "--json"))
    assert status["running"] is True
    assert status["sessions"] >= status["sessions_available"] >= 1
    assert status["accounts_in_memory"] >= 1


def test_a_stopped_server_has_told_everybody(launch: Callable[[Settings], Server]) -> None:
    server = launch({})
    client: Client = People(server, iter(["guest0"])).online()
    assert server.command("stop", "--delay", "0.3", "--announce", "Good night") == "the server stops in 0.3 seconds\n"
    client.expect("message", lambda stanza: stanza.findtext("body") == "Good night")
    client.expect_stream_error("system-shutdown")
    assert not server.is_running(10.0)
    assert server.process is not None
    assert server.process.returncode == 0


def test_a_server_that_restarts_is_back_in_the_same_process(launch: Callable[[Settings], Server]) -> None:
    server = launch({})
    client: Client = People(server, iter(["guest0"])).online()
    pid = json.loads(server.command("status", "--json"))["pid"]
    assert server.command("restart") == "the server starts again\n"
    client.expect_stream_error("system-shutdown")
    server.wait_until_it_listens()
    assert json.loads(server.command("status", "--json"))["pid"] == pid
    People(server, iter(["guest0"])).online().nothing_before()
