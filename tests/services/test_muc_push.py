"""Push from rooms (XEP-0357) through the front door: registrations that outlive the process, and who is told when."""

from collections.abc import Callable

import pytest

from fermata.app.config_components import Components, External
from fermata.app.config_tables import Config, Stay
from fermata.services.shutting_down import ShuttingDown
from fermata.services.users import Users
from fermata.xmpp.jid import JID
from kit import ns
from kit.component import Component
from kit.muc import change, configure, create, enter, join
from kit.stanzas import Element, find, find_all, text
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"
SECRET = "correct horse battery staple"
FAR = Components(external={"far.localhost": External(SECRET)})
ANN, BEN, CAT = "ann@localhost/phone", "ben@localhost/tram", "cat@far.localhost/roof"


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    return worlds(Config(components=FAR))


@pytest.fixture
def ann(world: World) -> Client:
    """The owner of a room, who is in it."""
    ann = world.online(ANN)
    create(ann, ROOM, "Ann")
    return ann


def far(world: World) -> Component:
    """The server of those who are far away."""
    return Component(world.connect_component(), "far.localhost").connect(SECRET)


def order(name: str, jid: str, node: str = "N1") -> str:
    return f"<{name} xmlns='{ns.PUSH}' jid='{jid}' node='{node}'/>"


def registered(world: World) -> Client:
    """Ben has entered the room, registered, and left."""
    ben = world.online(BEN)
    enter(ben, ROOM, "Ben")
    ben.set(order("enable", BEN), ROOM)
    ben.send(f"<presence to='{ROOM}/Ben' type='unavailable'/>")
    ben.wait_for(lambda each: each.get("type") == "unavailable")
    assert len(registrations(world)) == 1
    return ben


def say(client: Client, words: str = "hello") -> None:
    client.send(f"<message to='{ROOM}' type='groupchat'><body>{words}</body></message>")
    client.wait_for(lambda each: each.findtext("body") == words)


def pushed(stanzas: list[Element]) -> list[Element]:
    return [each for each in stanzas if find(each, "pubsub:pubsub/pubsub:publish") is not None]


def answer(client: Client, push: Element, error: str = "", type: str = "cancel") -> None:
    inside = f"<error type='{type}'><{error} xmlns='{ns.STANZA_ERRORS}'/></error>" if error else ""
    client.send(f"<iq type='{'error' if error else 'result'}' id='{push.get('id')}' to='{ROOM}'>{inside}</iq>")


def registrations(world: World) -> list[tuple[str, str, int]]:
    return world.rows("SELECT jid, node, failures FROM push ORDER BY jid, node")


def test_the_whole_of_it_from_registering_to_entering_again(world: World, ann: Client) -> None:
    """Register; fall out in a reboot; the first message wakes the client, which finds out and enters again."""
    registered(world)
    world.crash()
    ann, ben = world.online(ANN), world.online(BEN)
    enter(ann, ROOM, "Ann")
    say(ann)
    (push,) = pushed(ben.sync())
    assert (push.get("from"), push.get("to"), push.get("type")) == (ROOM, BEN, "set")
    publish = find(push, "pubsub:pubsub/pubsub:publish")
    assert publish is not None
    assert publish.get("node") == "N1"
    answer(ben, push)
    assert ben.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{ROOM}/Ben") == ("cancel", "not-acceptable")
    enter(ben, ROOM, "Ben")
    say(ann, "again")
    assert not pushed(ben.sync())


def test_at_a_start_those_are_told_who_were_not_kept(world: World, ann: Client) -> None:
    registered(world)
    ann.set(order("enable", ANN), ROOM)
    world.crash()
    ann, ben = world.online(ANN), world.online(BEN)
    enter(ann, ROOM, "Ann")
    world.advance(29.0)
    assert not pushed(ben.sync())
    world.advance(2.0)
    assert len(pushed(ben.sync())) == 1
    assert not pushed(ann.sync()), "she is in"
    say(ann)
    assert not pushed(ben.sync()), "there is one without an answer"


def test_at_a_start_without_the_journal_everybody_who_has_registered_is_told(
    worlds: Callable[[Config], World],
) -> None:
    world = worlds(Config(stay=Stay(journal=False)))
    ann = world.online(ANN)
    create(ann, ROOM, "Ann")
    ann.set(order("enable", ANN), ROOM)
    world.crash()
    ann = world.online(ANN)
    world.advance(31.0)
    assert len(pushed(ann.sync())) == 1


def test_who_is_invited_back_is_not_woken_as_well(world: World, ann: Client) -> None:
    wish = f"<x xmlns='{ns.MUC}'><restart-notify xmlns='{ns.RESTART}'/></x>"
    ann.send(f"<presence to='{ROOM}/Ann'>{wish}</presence>")
    ann.set(order("enable", ANN), ROOM)
    ending = world.parts.services[ShuttingDown]
    world.do(ending.begin(0.0, "New disks"))
    world.do(ending.farewell())
    world.crash()
    ann = world.online(ANN)
    world.advance(60.0)
    told = ann.sync()
    assert len([each for each in told if find(each, "user:x/user:invite") is not None]) == 1
    assert not pushed(told)


def test_a_session_that_is_gone_is_disabled_by_what_its_server_says(world: World, ann: Client) -> None:
    ben = registered(world)
    ben.close()
    say(ann)
    assert registrations(world) == []


def test_a_client_that_does_not_know_the_room_any_more_ends_it_by_an_error(world: World, ann: Client) -> None:
    ben = registered(world)
    say(ann)
    answer(ben, pushed(ben.sync())[0], "item-not-found")
    ben.sync()
    assert registrations(world) == []


def test_an_error_that_may_pass_is_counted_over_a_crash(world: World, ann: Client) -> None:
    ben = registered(world)
    say(ann)
    answer(ben, pushed(ben.sync())[0], "remote-server-timeout", "wait")
    ben.sync()
    assert registrations(world) == [(BEN, "N1", 1)]
    world.crash()
    ben = world.online(BEN)
    world.advance(31.0)
    answer(ben, pushed(ben.sync())[0], "remote-server-timeout", "wait")
    ben.sync()
    assert registrations(world) == [(BEN, "N1", 2)]


def test_a_session_that_hibernates_is_pushed_to_when_it_is_resumed(world: World, ann: Client) -> None:
    ben = registered(world)
    ben.send(f"<enable xmlns='{ns.SM}' resume='true'/>")
    enabled = ben.expect("sm:enabled")
    ben.cut()
    say(ann)
    world.advance(300.0)
    assert registrations(world) == [(BEN, "N1", 0)]
    again = world.authenticated(BEN)
    again.send(f"<resume xmlns='{ns.SM}' h='0' previd='{enabled.get('id')}'/>")
    push = again.wait_for(lambda each: bool(pushed([each])))
    answer(again, push, "item-not-found")
    again.sync()
    assert registrations(world) == []


def test_people_of_other_servers_are_told_through_their_servers(world: World, ann: Client) -> None:
    server = far(world)
    server.send(join(ROOM, "Cat").replace("<presence ", f"<presence from='{CAT}' ", 1))
    server.send(f"<iq type='set' id='e' from='{CAT}' to='{ROOM}'>{order('enable', CAT)}</iq>")
    server.wait_for(lambda each: each.get("id") == "e" and each.get("type") == "result")
    server.send(f"<presence type='unavailable' from='{CAT}' to='{ROOM}/Cat'/>")
    server.synchronise()
    say(ann)
    (push,) = pushed(server.synchronise())
    assert push.get("to") == CAT


def test_a_push_service_is_asked_what_it_is(world: World, ann: Client) -> None:
    server = far(world)
    ann.send(f"<iq type='set' id='e' to='{ROOM}'>{order('enable', 'far.localhost')}</iq>")
    question = server.wait_for(lambda each: find(each, "info:query") is not None)
    assert question.get("from") == ROOM
    ann.sync()
    assert registrations(world) == []
    identity = "<identity category='pubsub' type='push'/>"
    server.answer(question, f"<query xmlns='{ns.DISCO_INFO}'>{identity}</query>")
    server.synchronise()
    assert ann.next().get("type") == "result"
    assert registrations(world) == [("far.localhost", "N1", 0)]


@pytest.mark.parametrize("victim", ["ben@localhost", "nobody@localhost/x", ROOM, "conference.localhost", "localhost"])
def test_nobody_makes_the_room_write_to_somebody_else(world: World, ann: Client, victim: str) -> None:
    """Members may name a push service; whatever else answers at that address, or does not, is none."""
    ben = world.online(BEN)
    asked = ann.iq("set", order("enable", victim), ROOM)
    assert find(asked, "error/errors:forbidden") is not None
    assert registrations(world) == []
    say(ann)
    assert not pushed(ben.sync())


def test_a_client_that_is_asked_what_it_is_and_says_nothing_is_no_push_service(world: World, ann: Client) -> None:
    ben = world.online(BEN)
    ann.send(f"<iq type='set' id='e' to='{ROOM}'>{order('enable', BEN)}</iq>")
    assert len([each for each in ben.sync() if find(each, "info:query") is not None]) == 1
    world.advance(61.0)
    refused = ann.wait_for(lambda each: each.get("id") == "e")
    assert find(refused, "error/errors:remote-server-timeout") is not None


def test_thousands_of_registrations_are_refused_and_cost_nothing(world: World, ann: Client) -> None:
    ben = registered(world)
    enter(ben, ROOM, "Ben")
    for number in range(1_000):
        ben.send(f"<iq type='set' id='e{number}' to='{ROOM}'>{order('enable', BEN, f'N{number}')}</iq>")
    answers = [each for each in ben.sync() if each.tag == "iq"]
    assert len([each for each in answers if each.get("type") == "result"]) == 5
    assert len([each for each in answers if find(each, "error/errors:resource-constraint") is not None]) == 995
    assert len(registrations(world)) == 5


def test_a_ban_a_removal_and_the_end_of_the_room_end_registrations(world: World, ann: Client) -> None:
    registered(world)
    ann.set(change(affiliation="outcast", jid="ben@localhost"), ROOM)
    assert registrations(world) == []
    ann.set(change(affiliation="none", jid="ben@localhost"), ROOM)
    registered(world)
    world.do(world.parts.services[Users].remove(JID.parse("ben@localhost")))
    assert registrations(world) == []
    registered(world)
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><destroy/></query>", ROOM)
    assert registrations(world) == []


def test_an_account_that_is_removed_while_its_room_is_not_in_memory_is_forgotten_too(world: World, ann: Client) -> None:
    registered(world)
    ann.send(f"<presence to='{ROOM}/Ann' type='unavailable'/>")
    ann.sync()
    world.crash()
    world.do(world.parts.services[Users].remove(JID.parse("ben@localhost")))
    assert registrations(world) == []


def test_who_registers_is_told_after_it_is_kept(world: World, ann: Client) -> None:
    ben = world.online(BEN)
    enter(ben, ROOM, "Ben")
    ben.set(order("enable", BEN), ROOM)
    world.crash()
    assert registrations(world) == [(BEN, "N1", 0)]


def test_a_closed_room_pushes_to_members_alone(world: World, ann: Client) -> None:
    ben = registered(world)
    configure(ann, ROOM, membersonly="1")
    ann.sync(ROOM)
    assert registrations(world) == []
    say(ann)
    assert not pushed(ben.sync())
    assert ben.refused("set", order("enable", BEN), ROOM) == ("auth", "forbidden")


def test_what_is_pushed_says_nothing_of_the_room_but_how_many_messages_there_are(world: World, ann: Client) -> None:
    ben = registered(world)
    say(ann, "a secret")
    (push,) = pushed(ben.sync())
    fields = {each.get("var"): text(each, "data:value") for each in find_all(push, ".//data:field")}
    assert fields == {"FORM_TYPE": "urn:xmpp:push:summary", "message-count": "1"}
    assert "secret" not in "".join(push.itertext())
    assert "Ann" not in "".join(push.itertext())
