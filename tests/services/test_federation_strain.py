"""What other servers can make us hold or do: those that do not read, do not answer, or have any number of domains."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fermata.app.config_tables import Config
from fermata.core.stored_xml import stanza_from
from fermata.host.federation import Pair
from fermata.services import server_links
from fermata.services.server_links import MOST_OF_SITE
from fermata.xmpp import namespaces as fns
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StreamError
from kit import ns
from kit.scripted_wires import HERE, ROOMS, SILENT, Dialling, Wire, message, say
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"
QUEUE_BYTES = 50_000


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    config = Config()
    return worlds(replace(config, limits=replace(config.limits, server_queue_bytes=QUEUE_BYTES)))


@pytest.fixture
def ann(world: World) -> Client:
    return world.online("ann@localhost/phone")


def accepted(world: World, pair: Pair = HERE) -> Wire:
    """A connection that another server has made; it may send, and we may not."""
    wire = Wire(managed=False)
    wire.direction = "in"
    wire.trunk = world.parts.federating.federation.trunk(wire)
    wire.trunk.receives(pair)
    return wire


def management(name: str) -> Element:
    return Element("{%s}%s" % (fns.SM, name))


def test_who_asks_how_far_we_got_and_does_not_read_it_is_told_once_he_does(world: World, dialling: Dialling) -> None:
    wire = accepted(world)
    wire.trunk.manage(management("enable"))
    wire.paused = True
    wire.written.clear()
    for _ in range(1000):
        wire.trunk.manage(management("r"))
    world.turn()
    assert wire.written == []
    wire.paused = False
    wire.trunk.drain()
    assert wire.written == [f"<a xmlns='{fns.SM}' h='0'/>"]


def test_who_asks_again_and_again_for_what_there_is_not_is_cut_off(world: World, dialling: Dialling) -> None:
    wire = accepted(world)
    for _ in range(5):
        wire.trunk.manage(management("resume"))
    assert len(wire.written) == 5
    with pytest.raises(StreamError, match="policy-violation"):
        wire.trunk.manage(management("resume"))


@pytest.mark.parametrize("managed", [True, False])
def test_who_reads_nothing_for_long_is_cut_off_whether_or_not_he_could_acknowledge(
    world: World, dialling: Dialling, ann: Client, managed: bool
) -> None:
    say(ann, "one")
    wire = dialling.connect(managed=managed)
    wire.paused = True
    world.advance(200)
    assert [error.condition for error in wire.ended if error is not None] == ["connection-timeout"]


def test_who_is_slow_but_reads_is_not(world: World, dialling: Dialling, ann: Client) -> None:
    say(ann, "one")
    wire = dialling.connect(managed=False)
    for _ in range(10):
        wire.paused = True
        world.advance(60)
        wire.paused = False
        world.advance(2)
    assert wire.ended == []


def test_people_who_ask_who_is_here_and_cannot_be_answered_cost_no_more_than_one_answer_each(
    world: World, dialling: Dialling
) -> None:
    wire = accepted(world)
    for _ in range(50):
        wire.trunk.take(*message("<presence from='eve@b.example/x' to='ann@localhost' type='probe'/>"))
    world.turn()
    (row,) = world.parts.federating.federation.links.rows()
    assert row.queued == 1


def test_all_domains_of_a_site_share_what_may_wait_for_it(world: World, dialling: Dialling, ann: Client) -> None:
    for number in range(10):
        say(ann, "x" * (QUEUE_BYTES // 4), id=f"m{number}", to=f"bob@d{number}.evil.example")
    refused = [ann.expect_error("message", "resource-constraint", "wait") for _ in range(7)]
    assert [each.get("id") for each in refused] == [f"m{number}" for number in range(3, 10)]
    say(ann, "x" * (QUEUE_BYTES // 2), id="good")
    ann.nothing_before()
    dialling.connect(Pair("localhost", "d0.evil.example"))
    say(ann, "x" * (QUEUE_BYTES // 4), id="again", to="bob@d9.evil.example")
    ann.nothing_before()


def test_no_site_has_any_number_of_ways(world: World, dialling: Dialling, ann: Client) -> None:
    links = world.parts.federating.federation.links
    for number in range(MOST_OF_SITE):
        links.of(Pair("localhost", f"d{number}.evil.example"))
    say(ann, "one", to="bob@x.evil.example", id="more")
    ann.expect_error("message", "resource-constraint", "wait", id="more")
    say(ann, "two")
    ann.nothing_before()
    world.advance(2 * 3600)
    ann.expect_error("message", "remote-server-timeout", id="m1")
    assert len(links.by_pair) <= 1
    say(ann, "one", to="bob@x.evil.example", id="later")
    ann.nothing_before()


def test_a_connection_that_can_carry_nothing_is_refused_in_order(world: World, dialling: Dialling) -> None:
    wire = accepted(world)
    world.parts.federating.federation.links.close()
    with pytest.raises(StreamError, match="resource-constraint"):
        wire.trunk.sends(HERE)


def test_what_is_too_much_for_a_rooms_server_that_does_not_read_is_told_when_it_does_again(
    world: World, dialling: Dialling, ann: Client
) -> None:
    ann.send(f"<presence to='{ROOM}/Ann'><x xmlns='{ns.MUC}'/></presence>")
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", ROOM)
    inbound = accepted(world, ROOMS)
    inbound.trunk.take(*message(f"<presence from='bob@b.example/x' to='{ROOM}/Bob'><x xmlns='{ns.MUC}'/></presence>"))
    world.turn()
    wire = dialling.connect(ROOMS, managed=False)
    world.advance(40)
    wire.paused = True
    long = "x" * (QUEUE_BYTES // 4)
    for number in range(8):
        say(ann, f"{number}{long}", id=f"m{number}", to=ROOM, type="groupchat")
    world.turn()
    assert [error.condition for error in wire.ended if error is not None] == ["connection-timeout"]
    world.advance(3)
    wire = dialling.connect(ROOMS, managed=False)
    world.advance(3)
    bodies = [stanza_from(xml).findtext("body", "") for xml in wire.stanzas() if xml.startswith("<message")]
    assert [body[0] for body in bodies] == list("01234567")


def test_a_request_is_answered_with_one_error_however_often_its_way_is_lost(
    world: World, dialling: Dialling, ann: Client
) -> None:
    ann.send("<iq type='get' id='q1' to='b.example'><query xmlns='jabber:iq:version'/></iq>")
    dialling.connect().trunk.lost(SILENT)
    ann.expect_error("iq", "remote-server-timeout", id="q1")
    world.advance(300)
    ann.nothing_before()


def test_a_connection_that_nobody_uses_stays_as_long_as_one_of_its_pairs_is_needed(
    world: World, dialling: Dialling, ann: Client
) -> None:
    links = world.parts.federating.federation.links
    needed = {ROOMS}
    links.needs.append(lambda: needed)
    wire = accepted(world)
    wire.trunk.sends(HERE)
    wire.trunk.sends(ROOMS)
    world.advance(3600)
    assert wire.ended == []
    needed.clear()
    world.advance(120)
    assert wire.ended == [None]


def test_a_message_that_is_safe_on_disk_is_not_lost_because_its_site_has_too_many_domains(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Dialling(world)
    ann = world.login("ann@localhost/phone")
    ann.enable()
    for number in range(3):
        say(ann, "do not lose me", to=f"bob@d{number}.evil.example")
    assert ann.request_ack() == 3
    monkeypatch.setattr(server_links, "MOST_OF_SITE", 2)
    world.crash()
    assert len(Dialling(world).attempts) == 2
    monkeypatch.undo()
    world.crash()
    assert len(Dialling(world).attempts) == 3
