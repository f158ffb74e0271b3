"""XEP-0133: Service Administration."""

import pytest

from fermata.app.config_tables import Config, Server
from fermata.services.shutting_down import ShuttingDown
from fermata.services.users import Users
from fermata.xmpp.jid import JID
from kit import ns
from kit.commands import Execution, command, run
from kit.muc import create
from kit.people import PASSWORD
from kit.stanzas import codes, find_all, form_fields, form_values
from kit.wire import Client
from kit.world import World

ADMIN = ns.ADMIN + "#"
OURS = "urn:x-fermata:admin#"
ROOM = "verona@conference.localhost"


@pytest.fixture
def world(worlds) -> World:
    return worlds(Config(server=Server(admins=(JID.parse("escalus@localhost"),))))


@pytest.fixture
def admin(world: World) -> Client:
    return world.online("escalus@localhost/palace")


def listed(client: Client, node: str, var: str) -> list[str]:
    return form_values(run(client, ADMIN + node).answer)[var]


def test_nobody_else_may_execute_any_of_them(world: World, admin: Client) -> None:
    items = admin.get(f"<query xmlns='{ns.DISCO_ITEMS}' node='{ns.COMMANDS}'/>", "localhost")
    nodes = [item.get("node", "") for item in find_all(items, "items:query/items:item")]
    own = [node for node in nodes if node.startswith((ADMIN, OURS))]
    assert len(own) == 21
    romeo = world.online("romeo@localhost/orchard")
    for node in own:
        assert romeo.refused("set", command(node), "localhost") == ("auth", "forbidden")


def test_an_account_is_added_once(world: World, admin: Client) -> None:
    execution = Execution(admin, ADMIN + "add-user")
    fields = form_fields(execution.answer)
    assert {var: field.get("type") for var, field in fields.items()} == {
        "FORM_TYPE": "hidden",
        "accountjid": "jid-single",
        "password": "text-private",
        "password-verify": "text-private",
    }
    wrong = {"accountjid": "juliet@localhost", "password": "a", "password_verify": "b"}
    assert execution.refused(**wrong) == ("modify", "not-acceptable")
    execution.go("complete", accountjid="juliet@localhost", password=PASSWORD, password_verify=PASSWORD)
    assert execution.note == "juliet@localhost is ready to log in"
    world.login("juliet@localhost/balcony")
    again = Execution(admin, ADMIN + "add-user")
    assert again.refused(accountjid="juliet@localhost", password="x") == ("cancel", "conflict")
    assert again.refused(accountjid="x@elsewhere.example", password="x") == ("modify", "not-acceptable")
    assert again.refused(accountjid="localhost", password="x") == ("modify", "not-acceptable")


def test_accounts_are_disabled_enabled_and_deleted(world: World, admin: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    world.add_account("romeo@localhost")
    both = ["juliet@localhost", "romeo@localhost"]
    assert run(admin, ADMIN + "disable-user", accountjids=both).note.endswith("disabled")
    juliet.expect_stream_error("not-authorized")
    assert listed(admin, "get-disabled-users-list", "disableduserjids") == both
    assert listed(admin, "get-disabled-users-num", "disabledusersnum") == ["2"]
    run(admin, ADMIN + "reenable-user", accountjids=both)
    assert listed(admin, "get-disabled-users-num", "disabledusersnum") == ["0"]
    partly = run(admin, ADMIN + "delete-user", accountjids=["romeo@localhost", "nobody@localhost"])
    assert partly.note == "there is no account nobody@localhost"
    assert listed(admin, "get-registered-users-list", "registereduserjids") == ["escalus@localhost", both[0]]
    alone = Execution(admin, ADMIN + "delete-user")
    assert alone.refused(accountjids="nobody@localhost") == ("cancel", "item-not-found")
    assert alone.refused(accountjids=[]) == ("modify", "not-acceptable")


def test_passwords_are_changed_and_sessions_ended(world: World, admin: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    chamber = world.online("juliet@localhost/chamber")
    run(admin, ADMIN + "change-user-password", accountjid="juliet@localhost", password="new")
    assert listed(admin, "get-online-users-num", "onlineusersnum") == ["2"]
    run(admin, ADMIN + "end-user-session", accountjids=chamber.jid)
    chamber.expect_stream_error("policy-violation")
    run(admin, ADMIN + "end-user-session", accountjids="juliet@localhost")
    juliet.expect_stream_error("policy-violation")
    assert listed(admin, "get-online-users-list", "onlineuserjids") == ["escalus@localhost"]
    again = Client(world.connect(), "localhost")
    again.open()
    again.plain("juliet", "new")


def test_everybody_is_told(world: World, admin: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    assert run(admin, ADMIN + "announce", announcement=["To arms!", "Now."]).note == "Told to 2"
    assert juliet.expect("message", from_="localhost").findtext("body") == "To arms!\nNow."
    run(admin, ADMIN + "set-motd", motd="Good morrow")
    edit = Execution(admin, ADMIN + "edit-motd")
    assert form_values(edit.answer)["motd"] == ["Good morrow"]
    edit.go("complete", motd="Good night")
    romeo = world.login("romeo@localhost/orchard")
    romeo.send("<presence/>")
    romeo.wait_for(lambda stanza: stanza.findtext("body") == "Good night")
    run(admin, ADMIN + "delete-motd")
    assert Execution(admin, ADMIN + "announce").refused(announcement=" ") == ("modify", "not-acceptable")


def test_the_server_is_shut_down(world: World, admin: Client) -> None:
    stopped = []
    world.parts.services[ShuttingDown].on_due = stopped.append
    run(admin, ADMIN + "shutdown", delay="60", announcement="We close")
    admin.expect("message", lambda stanza: stanza.findtext("body") == "We close")
    world.advance(61.0)
    assert stopped == [False]
    run(admin, ADMIN + "restart", delay="0", announcement="")
    world.advance(1.0)
    assert stopped == [False, True]
    assert Execution(admin, ADMIN + "shutdown").refused(delay="soon") == ("modify", "not-acceptable")
    assert Execution(admin, ADMIN + "shutdown").refused(announcement="x" * 2_001) == ("modify", "not-acceptable")


def test_who_is_in_a_room_is_told_why_the_server_is_shut_down_and_for_how_long(world: World, admin: Client) -> None:
    create(admin, ROOM, "Escalus")
    ending = world.parts.services[ShuttingDown]
    run(admin, ADMIN + "shutdown", delay="60", announcement="New disks", away="7200")
    assert ending.announced == "New disks (It will be away for about 2 hours.)"
    world.do(ending.farewell())
    gone = admin.wait_for(lambda stanza: stanza.tag == "presence")
    assert codes(gone) == {"110", "332"}
    run(admin, ADMIN + "restart", delay="60", announcement="Back in a second")
    assert ending.announced == ""


def test_rooms_are_listed_and_destroyed_after_a_question(world: World, admin: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    create(juliet, ROOM, "Juliet")
    assert form_values(run(admin, OURS + "list-rooms").answer)["rooms"] == [f"{ROOM} (1)"]
    occupants = form_values(run(admin, OURS + "room-occupants", room=ROOM).answer)["occupants"]
    assert occupants == [f"Juliet: {juliet.jid} (moderator)"]
    execution = Execution(admin, OURS + "destroy-room")
    assert execution.refused("next", room="x" + ROOM) == ("cancel", "item-not-found")
    assert execution.refused("next", room="localhost") == ("modify", "not-acceptable")
    execution.go("next", room=ROOM)
    execution.go("prev")
    execution.go("next", room=ROOM)
    juliet.nothing_before()
    execution.go("complete", reason="plague")
    assert execution.status == "completed"
    juliet.expect("presence", "user:x/user:destroy", type="unavailable")


def test_the_commands_of_a_domain_are_about_that_domain(worlds) -> None:
    admins = (JID.parse("escalus@a.example"),)
    world = worlds(Config(server=Server(domains=("a.example", "b.example"), admins=admins)))
    admin = world.online("escalus@a.example/palace")
    world.do(world.parts.services[Users].add(JID.parse("x@b.example"), "x"))
    node = ADMIN + "get-registered-users-list"
    assert form_values(run(admin, node, "a.example").answer)["registereduserjids"] == ["escalus@a.example"]
    assert form_values(run(admin, node, "b.example").answer)["registereduserjids"] == ["x@b.example"]
