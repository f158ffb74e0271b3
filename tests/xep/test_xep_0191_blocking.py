"""XEP-0191: Blocking Command."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config
from kit import ns
from kit.muc import create, enter
from kit.stanzas import Element, codes, find_all
from kit.wire import Client
from kit.world import World

GET = f"<blocklist xmlns='{ns.BLOCKING}'/>"
ROOM = "verona@conference.localhost"


def block(*jids: str, name: str = "block") -> str:
    return f"<{name} xmlns='{ns.BLOCKING}'>{''.join(f'<item jid={jid!r}/>' for jid in jids)}</{name}>"


def unblock(*jids: str) -> str:
    return block(*jids, name="unblock")


def listed(client: Client) -> list[str]:
    return [item.get("jid", "") for item in find_all(client.get(GET), "blocking:blocklist/blocking:item")]


def jids_of(push: Element, name: str = "block") -> list[str]:
    return [item.get("jid", "") for item in find_all(push, f"blocking:{name}/blocking:item")]


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def test_the_list_is_told_and_outlives_the_process(world: World, juliet: Client) -> None:
    assert listed(juliet) == []
    juliet.set(block("romeo@localhost", "tybalt@capulet.example"))
    juliet.set(unblock("romeo@localhost"))
    juliet.set(block("paris@localhost"))
    world.crash()
    assert sorted(listed(world.login("juliet@localhost/balcony"))) == ["paris@localhost", "tybalt@capulet.example"]


def test_those_who_asked_for_the_list_are_told_of_changes_after_the_result(world: World, juliet: Client) -> None:
    chamber, hall = world.login("juliet@localhost/chamber"), world.login("juliet@localhost/hall")
    listed(juliet)
    listed(chamber)
    juliet.send(f"<iq type='set' id='b'>{block('romeo@localhost')}</iq>")
    juliet.expect("iq", id="b", type="result")
    for client in (juliet, chamber):
        push = client.expect("iq", type="set", from_="juliet@localhost", to=client.jid)
        assert jids_of(push) == ["romeo@localhost"]
    hall.nothing_before()
    chamber.send(f"<iq type='set' id='u'>{unblock()}</iq>")
    assert jids_of(juliet.expect("iq", "blocking:unblock", type="set"), "unblock") == []


@pytest.mark.parametrize(
    ("request_", "condition"),
    [
        (block(), "bad-request"),
        (f"<block xmlns='{ns.BLOCKING}'><item/></block>", "bad-request"),
        (block("@localhost"), "jid-malformed"),
        (unblock("a@b@c"), "jid-malformed"),
    ],
)
def test_a_wrong_request_is_refused(juliet: Client, request_: str, condition: str) -> None:
    assert juliet.refused("set", request_) == ("modify", condition)


def test_nobody_sees_or_changes_the_list_of_another(juliet: Client, romeo: Client) -> None:
    for type, payload in (("get", GET), ("set", block("paris@localhost"))):
        assert romeo.refused(type, payload, juliet.bare) == ("cancel", "service-unavailable")
    assert listed(juliet) == []


def test_a_list_has_an_end(juliet: Client) -> None:
    many = block(*(f"a{number}@x.example" for number in range(5_000)))
    juliet.set(many)
    assert juliet.refused("set", block(*(f"b{number}@x.example" for number in range(5_001))))[0] == "wait"


def test_who_is_blocked_sees_somebody_who_is_not_there(world: World, juliet: Client, romeo: Client) -> None:
    world.befriend(juliet, romeo)
    juliet.set(block(romeo.bare))
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    romeo.send(f"<message to='{juliet.bare}' type='chat' id='m'><body>hi</body></message>")
    romeo.expect_error("message", "service-unavailable", "cancel", id="m")
    assert romeo.refused("get", f"<ping xmlns='{ns.PING}'/>", juliet.jid) == ("cancel", "service-unavailable")
    romeo.send("<presence><status>alone</status></presence>")
    romeo.send(f"<presence to='{juliet.bare}' type='probe'/>")
    romeo.send(f"<presence to='{juliet.bare}' type='unsubscribe'/>")
    romeo.sync()
    juliet.nothing_before()
    juliet.send("<presence><status>safe</status></presence>")
    juliet.sync()
    romeo.nothing_before()


def test_what_is_blocked_does_not_wait_for_the_return_either(world: World, juliet: Client, romeo: Client) -> None:
    juliet.set(block(romeo.bare))
    juliet.close()
    romeo.send(f"<message to='{juliet.bare}' type='chat' id='m'><body>hi</body></message>")
    romeo.expect_error("message", "service-unavailable", id="m")
    again = world.login("juliet@localhost/balcony")
    again.set(unblock(romeo.bare))
    again.send("<presence/>")
    assert all(stanza.tag != "message" for stanza in again.sync())


@pytest.mark.parametrize(
    "stanza",
    [
        "<message to='romeo@localhost' type='chat' id='x'><body>hi</body></message>",
        "<iq to='romeo@localhost/orchard' type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<presence to='romeo@localhost' id='x'/>",
        "<presence to='romeo@localhost' type='subscribe' id='x'/>",
    ],
)
def test_nothing_goes_to_who_is_blocked(juliet: Client, romeo: Client, stanza: str) -> None:
    juliet.set(block(romeo.bare))
    juliet.send(stanza)
    error = juliet.expect_error(stanza[1:].split()[0], "not-acceptable", "cancel", id="x")
    assert find_all(error, "error/blocking-errors:blocked")
    romeo.nothing_before()


def test_unblocking_shows_current_presence_to_subscribers_alone(world: World, juliet: Client, romeo: Client) -> None:
    paris = world.online("paris@localhost/church")
    world.befriend(juliet, romeo)
    juliet.set(block(romeo.bare, paris.bare))
    juliet.send("<presence><show>away</show></presence>")
    juliet.sync()
    romeo.expect("presence", type="unavailable")
    romeo.nothing_before()
    juliet.set(unblock())
    romeo.expect("presence", "show", type=None, from_=juliet.jid)
    romeo.nothing_before()
    paris.nothing_before()
    romeo.send(f"<message to='{juliet.bare}' type='chat'><body>hi</body></message>")
    juliet.expect("message", "body", from_=romeo.jid)


def test_an_unavailable_session_shows_nothing_when_it_unblocks(world: World, juliet: Client, romeo: Client) -> None:
    world.befriend(juliet, romeo)
    hidden = world.login("juliet@localhost/chamber")
    hidden.set(block(romeo.bare))
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    romeo.nothing_before()
    hidden.set(unblock(romeo.bare))
    romeo.expect("presence", type=None, from_=juliet.jid)
    romeo.nothing_before()


def test_who_was_told_directly_is_told_the_end_once(juliet: Client, romeo: Client) -> None:
    juliet.send(f"<presence to='{romeo.jid}'/>")
    romeo.expect("presence", from_=juliet.jid, type=None)
    juliet.set(block(romeo.bare))
    romeo.expect("presence", from_=juliet.jid, to=romeo.jid, type="unavailable")
    juliet.set(unblock())
    juliet.close()
    romeo.nothing_before()


def test_one_resource_of_a_contact_can_be_blocked(world: World, juliet: Client, romeo: Client) -> None:
    world.befriend(juliet, romeo)
    street = world.online("romeo@localhost/street")
    romeo.sync()
    juliet.sync()
    juliet.set(block(street.jid))
    street.wait_for(lambda stanza: stanza.get("type") == "unavailable" and stanza.get("from") == juliet.jid)
    romeo.nothing_before()
    for client, blocked in ((romeo, False), (street, True)):
        client.send(f"<message to='{juliet.bare}' type='chat' id='m'><body>hi</body></message>")
        if blocked:
            client.expect_error("message", "service-unavailable")
        else:
            juliet.expect("message", from_=client.jid)


def test_blocking_a_room_leaves_it(juliet: Client, romeo: Client) -> None:
    create(romeo, ROOM, "Romeo")
    enter(juliet, ROOM, "Juliet")
    romeo.expect("presence", from_=f"{ROOM}/Juliet")
    juliet.set(block(ROOM))
    gone = romeo.expect("presence", from_=f"{ROOM}/Juliet", type="unavailable")
    assert "307" not in codes(gone)
    assert codes(juliet.expect("presence", from_=f"{ROOM}/Juliet", type="unavailable")) == {"110"}
    romeo.send(f"<message to='{ROOM}' type='groupchat'><body>hi</body></message>")
    romeo.expect("message", from_=f"{ROOM}/Romeo")
    juliet.nothing_before()
    juliet.close()
    romeo.nothing_before()


def test_blocking_the_service_leaves_all_its_rooms(juliet: Client, romeo: Client) -> None:
    for room in (ROOM, f"x{ROOM}"):
        create(romeo, room, "Romeo")
        enter(juliet, room, "Juliet")
        romeo.expect("presence", from_=f"{room}/Juliet")
    juliet.set(block("conference.localhost"))
    romeo.expect_all(*(lambda stanza, room=room: stanza.get("from") == f"{room}/Juliet" for room in (ROOM, f"x{ROOM}")))
    assert juliet.refused("get", f"<ping xmlns='{ns.PING}'/>", ROOM) == ("cancel", "not-acceptable")


def test_blocking_one_occupant_hides_him_and_stays_in_the_room(juliet: Client, romeo: Client) -> None:
    create(romeo, ROOM, "Romeo")
    enter(juliet, ROOM, "Juliet")
    romeo.expect("presence", from_=f"{ROOM}/Juliet")
    juliet.set(block(f"{ROOM}/Romeo"))
    romeo.send(f"<message to='{ROOM}' type='groupchat'><body>hi</body></message>")
    romeo.expect("message", from_=f"{ROOM}/Romeo")
    romeo.send(f"<message to='{ROOM}/Juliet' type='chat'><body>hi</body></message>")
    romeo.sync()
    juliet.nothing_before()
    juliet.send(f"<message to='{ROOM}' type='groupchat'><body>I am here</body></message>")
    juliet.expect("message", "body", from_=f"{ROOM}/Juliet", type="groupchat")
    romeo.expect("message", "body", from_=f"{ROOM}/Juliet", type="groupchat")


@pytest.mark.parametrize("archive", [True, False])
def test_what_a_blocked_occupant_says_in_private_is_kept_nowhere(
    worlds: Callable[[Config], World], archive: bool
) -> None:
    world = worlds(Config(archive=Archive(accounts=archive)))
    juliet, romeo = world.online("juliet@localhost/balcony"), world.online("romeo@localhost/orchard")
    create(romeo, ROOM, "Romeo")
    enter(juliet, ROOM, "Juliet")
    juliet.set(block(f"{ROOM}/Romeo"))
    romeo.send(f"<message to='{ROOM}/Juliet' type='chat'><body>hi</body></message>")
    romeo.sync()
    assert world.rows(f"SELECT sender FROM archive WHERE sender = '{ROOM}/Romeo'") == []
    assert world.rows("SELECT xml FROM spool") == []


def test_what_waits_from_somebody_who_is_blocked_meanwhile_is_dropped(world: World, romeo: Client) -> None:
    juliet = world.login("juliet@localhost/balcony")
    for client in (romeo, world.online("nurse@localhost/kitchen")):
        client.send(f"<message to='{juliet.bare}' type='chat'><body>{client.bare}</body></message>")
        client.sync()
    juliet.set(block(romeo.bare))
    juliet.send("<presence/>")
    assert [stanza.findtext("body") for stanza in juliet.sync() if stanza.tag == "message"] == ["nurse@localhost"]
    world.advance(1)
    assert world.rows("SELECT xml FROM spool") == []
