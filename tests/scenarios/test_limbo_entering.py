"""Who enters or leaves a room while his own server cannot be reached from there, although it can reach the room."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest
from twisted.internet.defer import Deferred

from fermata.app.config_tables import Config
from fermata.core.muc.effects import Reading
from fermata.core.muc.history import History
from fermata.core.s2s import missed
from fermata.core.stored_xml import stanza_from
from fermata.services.muc import LiveRoom, RoomService
from kit import ns
from kit.scripted_wires import ROOMS, SILENT, Dialling, Wire, message
from kit.wire import Client
from kit.world import World, worlds

__all__ = ["worlds"]
ROOM = "tea@conference.localhost"
BOB, CEM = "bob@b.example/desk", "cem@b.example/tab"


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    return worlds(Config())


@pytest.fixture
def dialling(world: World) -> Dialling:
    return Dialling(world)


@pytest.fixture
def ann(world: World, dialling: Dialling) -> Client:
    client = world.online("ann@localhost/phone")
    client.send(f"<presence to='{ROOM}/Ann'><x xmlns='{ns.MUC}'/></presence>")
    client.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", ROOM)
    say(client, "before")
    client.sync()
    return client


@pytest.fixture
def inbound(world: World, ann: Client) -> Wire:
    """The connection of b.example to the rooms here; what goes there needs one of its own."""
    wire = Wire(managed=False)
    wire.direction = "in"
    wire.trunk = world.parts.federating.federation.trunk(wire)
    wire.trunk.receives(ROOMS)
    return wire


def say(client: Client, body: str) -> None:
    client.send(f"<message to='{ROOM}' type='groupchat' id='{body}'><body>{body}</body></message>")


def enter(wire: Wire, who: str, nick: str) -> None:
    wire.trunk.take(*message(f"<presence from='{who}' to='{ROOM}/{nick}'><x xmlns='{ns.MUC}'/></presence>"))


def leave(wire: Wire, who: str, nick: str) -> None:
    wire.trunk.take(*message(f"<presence from='{who}' to='{ROOM}/{nick}' type='unavailable'/>"))


def told(wire: Wire, who: str) -> list[str]:
    """What somebody was told since this was asked last, in short; pings of the room are left out."""
    stanzas = [stanza_from(xml) for xml in wire.stanzas()]
    return [_short(stanza) for stanza in stanzas if stanza.get("to") == who and stanza.tag != "iq"]


def _short(stanza: Element) -> str:
    nick = stanza.get("from", "").partition("/")[2]
    if stanza.tag == "presence":
        own = "!" if any(status.get("code") == "110" for status in stanza.iter(f"{{{ns.MUC_USER}}}status")) else ""
        return f"{'-' if stanza.get('type') else '+'}{nick}{own}"
    return "subject" if stanza.find("subject") is not None else stanza.findtext("body", "")


def reached(dialling: Dialling) -> Wire:
    """There is a way, and all that it was needed for has been told."""
    wire = dialling.connect(ROOMS, managed=False)
    dialling.world.advance(3)
    wire.answer_pings()
    dialling.world.advance(3)
    return wire


ENTERED = ["+Ann", "+Bob!", "before", "subject"]


def test_who_enters_is_told_everything_in_order_even_if_his_server_is_not_found_at_once(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    world.turn()
    dialling.fail(SILENT, ROOMS)
    world.advance(2)
    assert told(reached(dialling), BOB) == ENTERED


def test_what_is_said_before_his_server_is_found_he_is_told_once(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    world.turn()
    dialling.fail(SILENT, ROOMS)
    say(ann, "meanwhile")
    world.advance(2)
    assert told(reached(dialling), BOB) == [*ENTERED, "meanwhile"]


def test_who_enters_while_others_of_his_server_miss_something_is_told_each_thing_once(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    wire = reached(dialling)
    assert told(wire, BOB) == ENTERED
    wire.trunk.lost(SILENT)
    say(ann, "missed")
    enter(inbound, CEM, "Cem")
    say(ann, "later")
    wire = reached(dialling)
    written = list(wire.written)
    assert told(wire, CEM) == ["+Ann", "+Bob", "+Cem!", "before", "missed", "subject", "later"]
    wire.written = written
    assert told(wire, BOB) == ["+Cem", "missed", "later"]


def test_who_leaves_and_enters_again_meanwhile_is_told_what_anybody_is_who_enters(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    wire = reached(dialling)
    wire.written.clear()
    wire.trunk.lost(SILENT)
    say(ann, "missed")
    leave(inbound, BOB, "Bob")
    enter(inbound, BOB, "Bob")
    say(ann, "later")
    assert told(reached(dialling), BOB) == ["-Bob!", "+Ann", "+Bob!", "before", "missed", "subject", "later"]


def test_who_enters_again_without_having_left_is_told_the_subject_as_well(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    wire = reached(dialling)
    wire.written.clear()
    wire.trunk.lost(SILENT)
    say(ann, "missed")
    enter(inbound, BOB, "Bob")
    assert told(reached(dialling), BOB) == ["+Bob!", "subject", "+Ann", "missed"]


def test_who_has_left_for_good_leaves_nothing_behind(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    reached(dialling).trunk.lost(SILENT)
    say(ann, "missed")
    leave(inbound, BOB, "Bob")
    wire = reached(dialling)
    assert told(wire, BOB) == ["-Bob!"]
    link = world.parts.federating.federation.links.by_pair[ROOMS]
    assert link.missed is None
    assert awaited(world) == 0


class SlowArchive:
    """Reading in the archive of a room takes until the test lets it come to its end, or fail."""

    def __init__(self, service: RoomService) -> None:
        self._read, self.waiting = service.read, list[Deferred[None]]()
        service.read = self.read  # type: ignore[method-assign]

    async def read(self, room: LiveRoom, reading: Reading) -> object:
        answer = await self._read(room, reading)
        self.waiting.append(Deferred())
        await self.waiting[-1]
        return answer


def test_a_way_that_is_lost_and_found_while_the_archive_is_read_costs_no_message(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    reached(dialling).trunk.lost(SILENT)
    archive = SlowArchive(world.parts.room_services[0])
    say(ann, "one")
    reached(dialling).trunk.lost(SILENT)
    say(ann, "two")
    wire = reached(dialling)
    say(ann, "three")
    first, second = archive.waiting
    first.callback(None)
    say(ann, "four")
    second.callback(None)
    say(ann, "live")
    assert told(wire, BOB) == ["one", "two", "three", "four", "live"]


def test_what_was_read_for_those_who_are_out_of_reach_again_is_not_kept_for_them(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    reached(dialling).trunk.lost(SILENT)
    archive = SlowArchive(world.parts.room_services[0])
    say(ann, "one")
    reached(dialling).trunk.lost(SILENT)
    archive.waiting[0].callback(None)
    assert awaited(world) == 0
    wire = reached(dialling)
    archive.waiting[1].callback(None)
    assert told(wire, BOB) == ["one"]


def test_a_room_that_cannot_tell_what_was_missed_goes_on_with_what_is_said(
    world: World, dialling: Dialling, ann: Client, inbound: Wire
) -> None:
    enter(inbound, BOB, "Bob")
    reached(dialling).trunk.lost(SILENT)
    say(ann, "one")
    service = world.parts.room_services[0]
    room = next(iter(service.rooms))
    room.rules.state.history = None  # whatever may be wrong with it
    archive = SlowArchive(service)
    wire = reached(dialling)
    archive.waiting[0].errback(OSError("no disk"))
    assert len(world.errors()) == 2
    room.rules.state.history = History(room.rules.jid, 20)
    say(ann, "two")
    assert told(wire, BOB) == ["two"]


def awaited(world: World) -> int:
    return sum(len(room.rules.state.awaited) for service in world.parts.room_services for room in service.rooms)


def test_where_too_much_was_said_about_occupants_to_be_noted_all_of_them_are_told(
    world: World, dialling: Dialling, ann: Client, inbound: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "MOST_NICKS", 2)
    enter(inbound, BOB, "Bob")
    reached(dialling).trunk.lost(SILENT)
    for nick in ("Eve1", "Eve2", "Eve3"):
        dan = world.online(f"dan@localhost/{nick}")
        dan.send(f"<presence to='{ROOM}/{nick}'><x xmlns='{ns.MUC}'/></presence>")
        dan.send(f"<presence to='{ROOM}/{nick}' type='unavailable'/>")
    ann.send(f"<presence to='{ROOM}/Ann'><show>away</show></presence>")
    assert set(told(reached(dialling), BOB)) == {"-Eve1", "-Eve2", "+Ann", "+Bob!"}
