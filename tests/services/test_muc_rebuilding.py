"""Rooms over a crash: whoever was in is in, nobody sees anything, and who is really gone is found out quietly."""

from collections.abc import Callable, Iterable

import pytest

from fermata.app.config_components import Components, External
from fermata.app.config_tables import Config, RestartInvites, Stay
from fermata.core.records import InviteOwed, InviteSettled, OccupancyEnded, Record, Step
from fermata.host.stores import RecordedOccupancy
from fermata.services.muc_rebuilding import Rebuilding
from fermata.services.room_administration import RoomAdministration
from fermata.xmpp.jid import JID
from kit import ns
from kit.component import Component, is_ping
from kit.muc import change, configuration, create, enter, join
from kit.stanzas import Element, codes, find, text
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"
SECRET = "correct horse battery staple"
FAR = Components(external={"far.localhost": External(SECRET)})
CAT, DOG = "cat@far.localhost/roof", "dog@far.localhost/yard"


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    """One where nothing but the journal keeps people in their rooms: sessions do not outlive the process."""
    return worlds(Config(components=FAR, stay=Stay(client_resume=False)))


@pytest.fixture
def ann(world: World) -> Client:
    ann = world.online("ann@localhost/phone")
    create(ann, ROOM, "Ann", roomname="Tea")
    return ann


def far(world: World) -> Component:
    """The server of those who are far away."""
    return Component(world.connect_component(), "far.localhost").connect(SECRET)


def comes(server: Component, *people: str, room: str = ROOM) -> None:
    for jid in people:
        nick = JID.parse(jid).local.title()
        server.send(join(room, nick).replace("<presence ", f"<presence from='{jid}' ", 1))
    server.synchronise()


def back(world: World, jid: str = "ann@localhost/phone") -> Client:
    """Somebody is there again with the same resource; he has not entered any room."""
    client = world.online(jid)
    client.sync()
    return client


def say(client: Client, words: str, sender: str = "", room: str = ROOM) -> None:
    author = f" from='{sender}'" if sender else ""
    client.send(f"<message to='{room}'{author} type='groupchat'><body>{words}</body></message>")


def heard(server: Client, words: str) -> set[str]:
    """Who has got a message with these words, of all that has come until now."""
    return {each.get("to", "") for each in server.sync("localhost") if each.findtext("body") == words}


def states(world: World, room: str = ROOM) -> dict[str, str]:
    told = world.do(world.parts.services[RoomAdministration].occupants(JID.parse(room)))
    return {each.jid: each.state for each in told}


def story(world: World) -> list[tuple[str, str, str]]:
    lines = world.do(world.parts.services[RoomAdministration].story(JID.parse(ROOM)))
    return [(line.jid, line.event, line.cause) for line in lines]


def refuse(server: Component, ping: Element, condition: str) -> None:
    """The answer of a server for somebody who is not there, or who knows no pings."""
    error = f"<error type='cancel'><{condition} xmlns='{ns.STANZA_ERRORS}'/></error>"
    server.send(f"<iq type='error' id='{ping.get('id')}' from='{ping.get('to')}' to='{ROOM}'>{error}</iq>")
    server.synchronise()


def pings(server: Component) -> list[Element]:
    return [each for each in server.synchronise() if is_ping(each)]


def test_nobody_is_told_anything_by_a_crash_and_everybody_still_gets_everything(world: World, ann: Client) -> None:
    server = far(world)
    comes(server, CAT, DOG)
    world.crash()
    server, ann = far(world), back(world)
    assert server.synchronise() == []
    say(server, "still here", CAT)
    assert heard(server, "still here") == {CAT, DOG}
    message = ann.expect("message", type="groupchat", from_=f"{ROOM}/Cat")
    assert text(message, "body") == "still here"


def test_what_a_room_is_survives(world: World, ann: Client) -> None:
    server = far(world)
    comes(server, CAT, DOG)
    ann.set(change(nick="Dog", role="visitor"), ROOM)
    ann.send(f"<message to='{ROOM}' type='groupchat'><subject>Leaves</subject></message>")
    server.send(f"<presence from='{CAT}' to='{ROOM}/Tiger'><show>away</show></presence>")
    say(server, "before", CAT)
    ann.sync()
    seen = enter(world.online("eve@localhost/one"), ROOM, "Eve")
    world.crash()
    again = enter(world.online("eve@localhost/one"), ROOM, "Eve")

    def known(presences: list[Element]) -> dict[str, tuple[str | None, ...]]:
        return {
            str(each.get("from")): (
                each.findtext("show"),
                item(each).get("role"),
                item(each).get("affiliation"),
                find_id(each),
            )
            for each in presences
        }

    assert known(again.others) == known(seen.others)
    assert known(again.others).keys() == {f"{ROOM}/{nick}" for nick in ("Ann", "Tiger", "Dog")}
    assert find_id(again.own) == find_id(seen.own)
    assert [text(each, "body") for each in again.history] == ["before"]
    assert text(again.subject, "subject") == "Leaves"


def item(presence: Element) -> Element:
    found = find(presence, "user:x/user:item")
    assert found is not None
    return found


def find_id(presence: Element) -> str | None:
    found = find(presence, "occupant:occupant-id")
    return None if found is None else found.get("id")


def test_a_stanza_proves_that_its_sender_is_there(world: World, ann: Client) -> None:
    server = far(world)
    comes(server, CAT, DOG)
    assert set(states(world).values()) == {"here"}
    world.crash()
    assert states(world) == {"ann@localhost/phone": "unverified", CAT: "unverified", DOG: "unverified"}
    server = far(world)
    say(server, "hello", CAT)
    server.synchronise()
    assert states(world)[CAT] == "here"
    assert states(world)[DOG] == "unverified"


def test_a_self_ping_is_answered_and_proves_that_its_sender_is_there(world: World, ann: Client) -> None:
    comes(far(world), CAT)
    world.crash()
    server = far(world)
    server.send(f"<iq type='get' id='p' from='{CAT}' to='{ROOM}/Cat'><ping xmlns='{ns.PING}'/></iq>")
    assert server.wait_for(lambda each: each.get("id") == "p").get("type") == "result"
    assert states(world)[CAT] == "here"
    world.advance(60)
    assert pings(server) == []


def test_somebody_who_does_not_speak_is_asked_once_and_not_before_thirty_seconds(world: World, ann: Client) -> None:
    comes(far(world), CAT)
    world.crash()
    server = far(world)
    world.advance(29.9)
    assert pings(server) == []
    world.advance(15)
    (ping,) = pings(server)
    assert (ping.get("from"), ping.get("to")) == (ROOM, CAT)
    server.answer(ping)
    server.synchronise()
    assert states(world)[CAT] == "here"
    assert world.rows("SELECT jid FROM ping_answer") == [(CAT,)]
    world.advance(3600)
    assert pings(server) == []


@pytest.mark.parametrize("condition", ["item-not-found", "recipient-unavailable", "gone"])
def test_somebody_who_is_gone_is_taken_out_and_the_others_see_why(world: World, ann: Client, condition: str) -> None:
    comes(far(world), CAT, DOG)
    world.crash()
    server, ann = far(world), back(world)
    world.advance(45)
    for ping in pings(server):
        if ping.get("to") == CAT:
            refuse(server, ping, condition)
        else:
            server.answer(ping)
    gone = ann.expect("presence", "user:x", type="unavailable", from_=f"{ROOM}/Cat")
    assert codes(gone) == {"333"}
    assert CAT not in states(world)
    assert story(world)[-1] == (CAT, "exit", f"unverified: {condition}")
    say(ann, "who is there?")
    assert heard(server, "who is there?") == {DOG}


def test_a_client_that_knows_no_pings_stays_until_a_message_to_it_comes_back(world: World, ann: Client) -> None:
    comes(far(world), CAT)
    world.crash()
    server, ann = far(world), back(world)
    world.advance(45)
    (ping,) = pings(server)
    refuse(server, ping, "service-unavailable")
    world.advance(3600)
    assert pings(server) == []
    assert states(world)[CAT] == "unverified"
    say(ann, "hello")
    (message,) = [each for each in server.synchronise() if each.tag == "message"]
    error = f"<error type='cancel'><service-unavailable xmlns='{ns.STANZA_ERRORS}'/></error>"
    server.send(f"<message type='error' from='{CAT}' to='{message.get('from')}'>{error}</message>")
    server.synchronise()
    assert CAT not in states(world)


def test_one_that_has_answered_a_ping_once_is_gone_when_its_server_says_so(world: World, ann: Client) -> None:
    comes(far(world), CAT)
    for answers in (True, False):
        world.crash()
        server = far(world)
        world.advance(45)
        (ping,) = pings(server)
        if answers:
            server.answer(ping)
        else:
            refuse(server, ping, "service-unavailable")
        server.synchronise()
    assert CAT not in states(world)


def test_a_server_that_cannot_be_reached_removes_nobody(world: World, ann: Client) -> None:
    comes(far(world), CAT)
    world.crash()
    world.advance(7200)
    assert states(world)[CAT] == "unverified"
    server = far(world)
    world.advance(1200)
    server.answer(pings(server)[-1])
    server.synchronise()
    assert states(world)[CAT] == "here"


def test_a_session_of_ours_that_comes_back_in_time_has_never_been_away(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/desk")
    enter(ben, ROOM, "Ben")
    comes(far(world), CAT)
    world.crash()
    server = far(world)
    world.advance(20)
    ben = back(world, "ben@localhost/desk")
    world.advance(120)
    assert states(world)["ben@localhost/desk"] == "here"
    assert [each for each in server.synchronise() if each.get("from") == f"{ROOM}/Ben"] == []
    say(ben, "hi")
    assert heard(server, "hi") == {CAT}


def test_one_that_does_not_come_back_goes_after_thirty_seconds_and_no_message_takes_it_out_before(
    world: World, ann: Client
) -> None:
    comes(far(world), CAT)
    world.crash()
    server = far(world)
    world.advance(29)
    say(server, "anybody?", CAT)
    assert [each.get("from") for each in server.synchronise() if each.tag == "presence"] == []
    assert states(world)["ann@localhost/phone"] == "unverified"
    world.advance(1.5)
    (gone,) = [each for each in server.synchronise() if each.tag == "presence"]
    assert (gone.get("from"), gone.get("type"), codes(gone)) == (f"{ROOM}/Ann", "unavailable", {"333"})
    assert story(world)[-1] == ("ann@localhost/phone", "exit", "not back after a restart")


def test_whoever_enters_again_with_another_resource_is_seen_neither_leaving_nor_entering(
    world: World, ann: Client
) -> None:
    comes(far(world), CAT)
    world.crash()
    server = far(world)
    world.advance(28)
    ann = world.online("ann@localhost/elsewhere")
    world.advance(5)
    enter(ann, ROOM, "Ann")
    world.advance(120)
    assert [each for each in server.synchronise() if each.get("type") == "unavailable"] == []
    assert states(world).keys() == {"ann@localhost/elsewhere", CAT}


def test_a_temporary_room_stays_until_everybody_in_it_is_known_to_be_gone(world: World) -> None:
    server = far(world)
    comes(server, CAT)
    server.send(f"<iq type='set' id='c' from='{CAT}' to='{ROOM}'>{configuration(persistentroom='0')}</iq>")
    assert server.wait_for(lambda each: each.get("id") == "c").get("type") == "result"
    world.crash()
    server = far(world)
    world.advance(45)
    assert [jid for jid, *_ in world.do(world.parts.services[RoomAdministration].rooms())] == [ROOM]
    (ping,) = pings(server)
    refuse(server, ping, "item-not-found")
    assert world.do(world.parts.services[RoomAdministration].rooms()) == []


def test_whoever_was_kicked_or_banned_does_not_come_back(world: World, ann: Client) -> None:
    comes(far(world), CAT, DOG)
    ann.set(change(nick="Cat", role="none"), ROOM)
    ann.set(change(jid="dog@far.localhost", affiliation="outcast"), ROOM)
    world.crash()
    assert states(world).keys() == {"ann@localhost/phone"}
    server = far(world)
    world.advance(60)
    assert server.synchronise() == []


def test_a_second_crash_before_anybody_has_spoken_changes_nothing(world: World, ann: Client) -> None:
    comes(far(world), CAT)
    before = world.rows("SELECT * FROM occupancy ORDER BY jid")
    world.crash()
    world.advance(3)
    world.crash()
    assert world.rows("SELECT * FROM occupancy ORDER BY jid") == before
    assert states(world).keys() == {"ann@localhost/phone", CAT}


def test_rooms_that_are_not_in_memory_yet_are_counted(world: World, ann: Client) -> None:
    comes(far(world), CAT, DOG)
    world.crash()
    (service,) = world.parts.room_services
    assert not len(service.rooms)
    assert service.figures() == (1, 3)
    say(far(world), "hello", CAT)
    world.turn()
    assert len(service.rooms) == 1
    assert service.figures() == (1, 3)


def test_the_story_says_that_the_server_went_down(world: World, ann: Client) -> None:
    world.advance(1)
    world.crash()
    back(world)
    world.do(world.parts.services[Rebuilding].stop())
    world.crash()
    service = "conference.localhost"
    assert story(world) == [
        ("ann@localhost/phone", "enter", "created"),
        (service, "start", "crash"),
        (service, "stop", ""),
        (service, "start", "stop"),
    ]


def test_the_link_of_a_peer_that_comes_back_without_loss_proves_its_people(world: World, ann: Client) -> None:
    comes(far(world), CAT)
    world.crash()
    world.parts.room_services[0].verification.domain_up("far.localhost", True)
    assert states(world)[CAT] == "here"


def test_somebody_in_doubt_may_leave_as_anybody_may(world: World, ann: Client) -> None:
    comes(far(world), CAT, DOG)
    world.crash()
    server = far(world)
    server.send(f"<presence type='unavailable' from='{CAT}' to='{ROOM}/Cat'/>")
    left = [each.get("to") for each in server.synchronise() if each.get("type") == "unavailable"]
    assert left == [CAT, DOG]
    world.crash()
    assert CAT not in states(world)


def test_without_the_journal_nobody_is_kept_and_everybody_can_be_remembered(
    worlds: Callable[[Config], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = worlds(Config(components=FAR, stay=Stay(journal=False, restart_invites=RestartInvites.OFF)))
    ann = world.online("ann@localhost/phone")
    create(ann, ROOM, "Ann")
    comes(far(world), CAT)
    remembered: list[tuple[str, str, str]] = []

    def remember(rebuilding: Rebuilding, recorded: Iterable[RecordedOccupancy]) -> None:
        rebuilding.on_forgotten = note
        rebuild(rebuilding, recorded)

    def note(row: RecordedOccupancy, now: float) -> list[Record]:
        assert now == world.clock.seconds()
        remembered.append((row.room, row.session, row.nick))
        return [InviteOwed(row.number, row.session, row.nick, row.wants_invite, now)]

    rebuild = Rebuilding.rebuild
    monkeypatch.setattr(Rebuilding, "rebuild", remember)
    world.crash()
    assert remembered == [(ROOM, "ann@localhost/phone", "Ann"), (ROOM, CAT, "Cat")]
    assert world.rows("SELECT jid FROM occupancy") == []
    assert states(world) == {}
    server = far(world)
    world.advance(60)
    assert server.synchronise() == []
    server.send(f"<iq type='get' id='p' from='{CAT}' to='{ROOM}/Cat'><ping xmlns='{ns.PING}'/></iq>")
    refused = server.wait_for(lambda each: each.get("id") == "p")
    assert find(refused, "error/errors:not-acceptable") is not None
    assert story(world)[-1] == (CAT, "exit", "not kept")


def test_without_the_journal_a_temporary_room_goes_if_nobody_enters_it_again(
    worlds: Callable[[Config], World],
) -> None:
    world = worlds(Config(components=FAR, stay=Stay(journal=False)))
    ann = world.online("ann@localhost/phone")
    for room in (ROOM, f"green-{ROOM}"):
        create(ann, room, "Ann", persistentroom="0")
    create(ann, f"black-{ROOM}", "Ann")
    world.crash()
    enter(world.online("ann@localhost/phone"), ROOM, "Ann")
    world.advance(601)
    rooms = world.do(world.parts.services[RoomAdministration].rooms())
    assert [each.jid for each in rooms] == [f"black-{ROOM}", ROOM]


def test_a_room_that_is_owed_an_invitation_to_is_not_taken_for_deserted(world: World, ann: Client) -> None:
    ann.set(configuration(persistentroom="0"), ROOM)
    ((number,),) = world.rows("SELECT number FROM entity WHERE jid LIKE 'tea@%'")
    owed = InviteOwed(number, CAT, "Cat", True, world.clock.seconds())
    world.database.writer.submit(Step([OccupancyEnded(number, "ann@localhost/phone"), owed]))
    world.turn()
    world.crash()
    far(world)  # who gets it, and says nothing
    world.advance(601)
    assert len(world.rows("SELECT room FROM room")) == 1
    world.database.writer.submit(Step([InviteSettled(number, CAT)]))
    world.advance(3601)
    assert world.rows("SELECT room FROM room") == []
