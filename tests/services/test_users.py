"""Accounts as they are managed while their owners are online."""

import pytest

from fermata.services.users import Users
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit import ns
from kit.muc import create, enter, items
from kit.people import PASSWORD, roster_of
from kit.wire import Client
from kit.world import World

JULIET = JID.parse("juliet@localhost")
ROOM = "verona@conference.localhost"


@pytest.fixture
def users(world: World) -> Users:
    return world.parts.services[Users]


def refused_login(world: World, name: str, condition: str, password: str = PASSWORD) -> None:
    client = Client(world.connect(), "localhost")
    client.open()
    client.auth("PLAIN", f"\0{name}\0{password}".encode())
    client.expect_failure(condition)


def test_a_disabled_account_is_told_so_if_it_knows_its_password(world: World, users: Users) -> None:
    juliet = world.online("juliet@localhost/balcony")
    world.do(users.disable(JULIET))
    juliet.expect_stream_error("not-authorized")
    refused_login(world, "juliet", "account-disabled")
    refused_login(world, "juliet", "not-authorized", password="wrong")
    world.crash()
    refused_login(world, "juliet", "account-disabled")


def test_what_arrives_for_a_disabled_account_waits_until_it_is_enabled(world: World, users: Users) -> None:
    romeo = world.online("romeo@localhost/orchard")
    world.add_account(JULIET)
    world.do(users.disable(JULIET))
    assert world.do(users.disabled("localhost")) == [JULIET]
    romeo.send(f"<message to='{JULIET}' type='chat'><body>hark</body></message>")
    romeo.nothing_before()
    world.do(users.enable(JULIET))
    assert world.do(users.disabled("localhost")) == []
    juliet = world.login("juliet@localhost/balcony")
    juliet.send("<presence/>")
    juliet.wait_for(lambda stanza: stanza.tag == "message" and stanza.findtext("body") == "hark")


def test_who_had_authenticated_before_it_was_disabled_cannot_bind(world: World, users: Users) -> None:
    juliet = world.authenticated("juliet@localhost")
    world.do(users.disable(JULIET))
    assert juliet.refused("set", f"<bind xmlns='{ns.BIND}'/>") == ("cancel", "not-allowed")


def test_a_removed_account_leaves_its_contacts_and_rooms(world: World, users: Users) -> None:
    juliet, romeo = world.online("juliet@localhost/balcony"), world.online("romeo@localhost/orchard")
    world.befriend(juliet, romeo)
    create(romeo, ROOM, "Romeo", persistentroom="1")
    enter(juliet, ROOM, "Juliet")
    romeo.expect("presence", from_=f"{ROOM}/Juliet")
    world.do(users.remove(JULIET))
    juliet.expect_stream_error("not-authorized")
    came = [(stanza.tag, stanza.get("from"), stanza.get("type")) for stanza in romeo.sync()]
    assert ("presence", juliet.jid, "unavailable") in came
    assert ("presence", f"{ROOM}/Juliet", "unavailable") in came
    assert roster_of(romeo)[JULIET]["subscription"] == "none"
    refused_login(world, "juliet", "not-authorized")


def test_the_next_owner_of_an_address_inherits_nothing(world: World, users: Users) -> None:
    juliet, romeo = world.online("juliet@localhost/balcony"), world.online("romeo@localhost/orchard")
    world.befriend(juliet, romeo)
    create(romeo, ROOM, "Romeo", persistentroom="1", roomadmins=[])
    for jid, affiliation in ((JULIET, "admin"), ("paris@localhost", "outcast")):
        romeo.set(f"<query xmlns='{ns.MUC_ADMIN}'><item jid='{jid}' affiliation='{affiliation}'/></query>", ROOM)
    world.add_account("paris@localhost")
    juliet.set(f"<query xmlns='{ns.PRIVATE}'><diary xmlns='x'>dear</diary></query>")
    for jid in (JULIET, JID.parse("paris@localhost")):
        world.do(users.remove(jid))
    romeo.sync()
    world.do(users.add(JULIET, PASSWORD))
    again = world.online("juliet@localhost/balcony")
    assert roster_of(again) == {}
    assert len(again.get(f"<query xmlns='{ns.PRIVATE}'><diary xmlns='x'/></query>")[0][0]) == 0
    assert items(romeo, ROOM, affiliation="admin") == []
    assert [item["jid"] for item in items(romeo, ROOM, affiliation="outcast")] == ["paris@localhost"]
    romeo.send("<presence><status>here</status></presence>")
    romeo.sync()
    again.nothing_before()


def test_a_request_that_waits_for_an_answer_is_refused_with_the_account(world: World, users: Users) -> None:
    romeo = world.online("romeo@localhost/orchard")
    world.add_account(JULIET)
    roster_of(romeo)
    romeo.send(f"<presence to='{JULIET}' type='subscribe'/>")
    romeo.sync()
    world.do(users.remove(JULIET))
    assert [stanza.get("type") for stanza in romeo.sync() if stanza.tag == "presence"] == ["unsubscribed"]


def test_a_removal_that_a_crash_has_interrupted_is_finished(world: World, users: Users) -> None:
    juliet, romeo = world.online("juliet@localhost/balcony"), world.online("romeo@localhost/orchard")
    world.befriend(juliet, romeo)
    world.add_account("paris@localhost")
    world.do(users.disable(JID.parse("paris@localhost")))
    world.do(users.condemn(JULIET))
    world.crash()
    world.turn()
    assert not world.has_account(JULIET)
    assert world.has_account("paris@localhost")
    assert roster_of(world.online("romeo@localhost/orchard"))[JULIET]["subscription"] == "none"


def test_one_session_or_all_of_an_account_are_ended(world: World, users: Users) -> None:
    balcony, chamber = world.online("juliet@localhost/balcony"), world.online("juliet@localhost/chamber")
    romeo = world.login("romeo@localhost/orchard")
    listed = users.sessions()
    assert [each.jid for each in listed] == [balcony.jid, chamber.jid, romeo.jid]
    assert [each.priority for each in listed] == [0, 0, None]
    assert users.online("localhost") == [JULIET]
    assert users.end_sessions(JID.parse(chamber.jid)) == 1
    chamber.expect_stream_error("policy-violation")
    assert users.end_sessions(JULIET) == 1
    balcony.expect_stream_error("policy-violation")
    assert users.end_sessions(JULIET) == 0
    assert [each.jid for each in users.sessions()] == [romeo.jid]


@pytest.mark.parametrize(
    ("jid", "password", "condition"),
    [
        ("juliet@localhost", PASSWORD, "conflict"),
        ("juliet@elsewhere.example", PASSWORD, "not-acceptable"),
        ("localhost", PASSWORD, "not-acceptable"),
        ("romeo@localhost", "", "not-acceptable"),
        ("romeo@localhost", "\u0007", "not-acceptable"),
    ],
)
def test_what_can_be_no_account_is_refused(world: World, users: Users, jid: str, password: str, condition: str) -> None:
    world.add_account(JULIET)
    with pytest.raises(StanzaError) as caught:
        world.do(users.add(JID.parse(jid), password))
    assert caught.value.condition == condition
    assert caught.value.text


def test_nothing_is_done_to_an_account_that_is_not_there(world: World, users: Users) -> None:
    for deed in (users.remove, users.disable, users.enable):
        with pytest.raises(StanzaError, match="there is no account juliet@localhost"):
            world.do(deed(JULIET))
    with pytest.raises(StanzaError, match="there is no account"):
        world.do(users.set_password(JULIET, "x"))
