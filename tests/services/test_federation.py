"""The way to other servers: what waits, what is told in the end, and what is an event instead of an error."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Config
from fermata.core.stored_xml import stanza_from
from fermata.host.federation import Pair
from fermata.xmpp.element import Element
from fermata.xmpp.jid import JID
from kit import ns
from kit.scripted_wires import HERE, REFUSED, ROOMS, SILENT, Dialling, Wire, ack, message, say
from kit.wire import Client
from kit.world import World

MINUTE = 60.0


@pytest.fixture
def ann(world: World) -> Client:
    return world.online("ann@localhost/phone")


def test_the_first_stanza_makes_a_connection_and_goes_out_on_it(dialling: Dialling, ann: Client) -> None:
    say(ann, "hello")
    assert [pair for pair, _ in dialling.attempts] == [HERE]
    (sent,) = dialling.connect().stanzas()
    assert sent.startswith("<message to='bob@b.example'")
    assert "hello" in sent


def test_stanzas_leave_in_the_order_in_which_they_were_sent(dialling: Dialling, ann: Client) -> None:
    for body in "123":
        say(ann, body)
    wire = dialling.connect()
    say(ann, "4")
    assert [xml[xml.index("<body>") + 6] for xml in wire.stanzas()] == list("1234")


def test_one_attempt_at_a_time_is_made_for_a_pair(dialling: Dialling, ann: Client) -> None:
    say(ann, "1")
    say(ann, "2")
    assert len(dialling.attempts) == 1


def test_a_message_is_refused_after_an_hour_as_something_that_passes(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "hello", id="late")
    dialling.fail_for(59 * MINUTE, SILENT)
    ann.nothing_before()
    dialling.fail_for(2 * MINUTE, SILENT)
    ann.expect_error("message", "remote-server-timeout", "wait", id="late", from_="bob@b.example")


def test_a_message_to_a_room_is_refused_after_a_quarter_of_an_hour(dialling: Dialling, ann: Client) -> None:
    say(ann, "hello", id="late", to="tea@muc.b.example", type="groupchat")
    pair = Pair("localhost", "muc.b.example")
    dialling.fail_for(14 * MINUTE, SILENT, pair)
    ann.nothing_before()
    dialling.fail_for(2 * MINUTE, SILENT, pair)
    ann.expect_error("message", "remote-server-timeout", id="late")


def test_a_request_is_refused_after_a_minute(dialling: Dialling, ann: Client) -> None:
    ann.send(f"<iq type='get' id='v1' to='b.example'><query xmlns='{ns.VERSION}'/></iq>")
    dialling.fail_for(50, SILENT)
    ann.nothing_before()
    dialling.fail_for(20, SILENT)
    ann.expect_error("iq", "remote-server-timeout", id="v1")


def test_who_wants_to_enter_a_room_that_can_not_be_reached_is_told_after_a_minute(
    dialling: Dialling, ann: Client
) -> None:
    ann.send(f"<presence to='tea@b.example/Ann'><x xmlns='{ns.MUC}'/></presence>")
    dialling.fail_for(70, SILENT)
    ann.expect_error("presence", "remote-server-timeout", from_="tea@b.example/Ann")


def test_a_ping_of_ones_own_place_in_a_room_is_answered_by_nobody_but_the_room(dialling: Dialling, ann: Client) -> None:
    ann.send(f"<iq type='get' id='p1' to='tea@b.example/Ann'><ping xmlns='{ns.PING}'/></iq>")
    dialling.fail_for(70, SILENT)
    ann.nothing_before()


def test_what_is_refused_for_less_than_an_hour_is_not_final(dialling: Dialling, ann: Client) -> None:
    say(ann, "hello")
    dialling.fail_for(30 * MINUTE, REFUSED)
    say(ann, "still here", id="m2")
    ann.nothing_before()


def test_what_is_refused_for_an_hour_is_final_and_later_stanzas_are_refused_at_once(
    dialling: Dialling, ann: Client
) -> None:
    ann.send("<presence to='bob@b.example' type='subscribe' id='s1'/>")
    dialling.fail_for(80 * MINUTE, REFUSED)
    assert ("dead", HERE) in dialling.events
    ann.sync()
    say(ann, "anybody?", id="m2")
    ann.expect_error("message", "remote-server-not-found", "cancel", id="m2")


def test_what_may_not_have_arrived_is_sent_again_on_the_next_connection_with_its_time(
    dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    say(ann, "two")
    wire = dialling.connect()
    ack(wire, 1)
    wire.trunk.lost(SILENT)
    (again,) = dialling.connect().stanzas()
    assert "two" in again
    assert f"<delay xmlns='{ns.DELAY}'" in again


def test_what_is_sent_again_more_than_once_has_the_time_of_the_first_loss(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    dialling.connect().trunk.lost(SILENT)
    wire = dialling.connect()
    (first,) = wire.stanzas()
    world.advance(10)
    wire.trunk.lost(SILENT)
    assert dialling.connect().stanzas() == [first]


def test_a_request_that_may_have_been_met_is_failed_and_not_repeated(dialling: Dialling, ann: Client) -> None:
    ann.send(f"<iq type='set' id='q1' to='b.example'><query xmlns='{ns.VERSION}'/></iq>")
    wire = dialling.connect()
    assert wire.stanzas()
    wire.trunk.lost(SILENT)
    ann.expect_error("iq", "remote-server-timeout", id="q1")


def test_without_stream_management_what_has_left_this_machine_is_not_sent_again(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    wire = dialling.connect(managed=False)
    world.advance(40)
    wire.has_backlog = True
    say(ann, "two")
    world.advance(3)
    wire.stanzas()
    wire.trunk.lost(SILENT)
    (again,) = dialling.connect(managed=False).stanzas()
    assert "two" in again


def test_a_slow_server_is_written_to_when_it_keeps_up_again(dialling: Dialling, ann: Client) -> None:
    say(ann, "one")
    wire = dialling.connect()
    wire.stanzas()
    wire.paused = True
    say(ann, "two")
    assert wire.stanzas() == []
    wire.paused = False
    wire.trunk.drain()
    assert len(wire.stanzas()) == 1


def test_a_server_that_acknowledges_nothing_loses_its_connection(world: World, dialling: Dialling, ann: Client) -> None:
    say(ann, "one")
    wire = dialling.connect()
    world.advance(60)
    assert [error.condition for error in wire.ended if error is not None] == ["connection-timeout"]


def test_a_message_that_was_acknowledged_to_its_sender_survives_the_death_of_this_server(world: World) -> None:
    Dialling(world)
    ann = world.login("ann@localhost/phone")
    ann.enable()
    say(ann, "do not lose me")

    assert ann.request_ack() == 1
    world.crash()
    again = Dialling(world)
    (sent,) = again.connect().stanzas()
    assert "do not lose me" in sent


def test_what_the_other_server_has_acknowledged_is_not_sent_after_a_crash(world: World) -> None:
    dialling = Dialling(world)
    ann = world.login("ann@localhost/phone")
    ann.enable()
    say(ann, "arrived")
    ack(dialling.connect(), 1)
    world.turn()
    world.crash()
    assert Dialling(world).attempts == []


def test_inbound_contact_ends_the_wait_for_the_next_attempt(world: World, dialling: Dialling, ann: Client) -> None:
    say(ann, "hello")
    dialling.fail_for(10 * MINUTE, SILENT)
    assert dialling.attempts == []
    wire = Wire(managed=False)
    wire.direction = "in"
    world.advance(1.5)  # if it was tried just now, that was enough
    world.parts.federating.federation.trunk(wire).receives(HERE)
    assert [pair for pair, _ in dialling.attempts] == [HERE]


def test_where_rooms_are_their_server_is_looked_for_as_well(world: World, dialling: Dialling, ann: Client) -> None:
    rooms, other = Pair("localhost", "conference.b.example"), Pair("localhost", "bb.example")
    for pair in (HERE, rooms, other):
        say(ann, "hello", to=f"bob@{pair.remote}")
    for pair in (HERE, rooms, other):
        dialling.fail_for(0, SILENT, pair)
    dialling.fail_for(10 * MINUTE, SILENT)
    assert dialling.attempts == []
    wire = Wire(managed=False)
    wire.direction = "in"
    world.advance(1.5)
    by_chance = {pair for pair, _ in dialling.attempts}
    world.parts.federating.federation.trunk(wire).receives(rooms)
    assert {pair for pair, _ in dialling.attempts} == {HERE, rooms} | by_chance


def test_a_server_that_is_there_for_rooms_here_is_there_for_people_too(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "hello")
    dialling.fail_for(10 * MINUTE, SILENT)
    wire = Wire(managed=False)
    wire.direction = "in"
    world.advance(1.5)
    world.parts.federating.federation.trunk(wire).receives(ROOMS)
    assert [pair for pair, _ in dialling.attempts] == [HERE]


def test_a_server_that_is_found_is_looked_for_at_its_other_domains(
    world: World, dialling: Dialling, ann: Client
) -> None:
    rooms = Pair("localhost", "conference.b.example")
    for pair in (HERE, rooms):
        say(ann, "hello", to=f"bob@{pair.remote}")
        dialling.fail(SILENT, pair)
    world.advance(1.3)
    dialling.fail(SILENT, rooms)
    dialling.connect(HERE)
    world.advance(1)
    assert [pair for pair, _ in dialling.attempts] == [rooms]


def test_a_message_from_elsewhere_reaches_a_person_here(world: World, dialling: Dialling, ann: Client) -> None:
    wire = Wire(managed=False)
    wire.direction = "in"
    trunk = world.parts.federating.federation.trunk(wire)
    trunk.receives(HERE)
    trunk.take(*message("<message from='bob@b.example/x' to='ann@localhost' type='chat'><body>hi</body></message>"))
    assert ann.expect("message", from_="bob@b.example/x").find("body").text == "hi"


def test_an_error_is_answered_to_the_other_server_over_our_own_connection(world: World, dialling: Dialling) -> None:
    wire = Wire(managed=False)
    wire.direction = "in"
    trunk = world.parts.federating.federation.trunk(wire)
    trunk.receives(HERE)
    trunk.take(*message("<iq from='bob@b.example/x' to='nobody@localhost' type='get' id='q'><x xmlns='y'/></iq>"))
    (answer,) = dialling.connect().stanzas()
    assert "service-unavailable" in answer
    assert wire.stanzas() == []


@pytest.mark.parametrize("type", ["error", "result"])
def test_neither_an_error_nor_a_result_is_answered(world: World, dialling: Dialling, type: str) -> None:
    wire = Wire(managed=False)
    trunk = world.parts.federating.federation.trunk(wire)
    trunk.receives(HERE)
    trunk.take(*message(f"<iq from='bob@b.example/x' to='nobody@localhost' type='{type}' id='q'/>"))
    trunk.take(*message("<message from='bob@b.example/x' to='nobody@localhost' type='error'/>"))
    world.turn()
    assert dialling.attempts == []


def test_what_a_room_says_waits_and_the_room_gets_no_error(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config())
    dialling = Dialling(world)
    ann = world.online("ann@localhost/phone")
    ann.send(f"<presence to='tea@conference.localhost/Ann'><x xmlns='{ns.MUC}'/></presence>")
    ann.sync()
    ann.send(
        f"<iq type='set' id='o' to='tea@conference.localhost'><query xmlns='{ns.MUC_OWNER}'>"
        f"<x xmlns='{ns.DATA}' type='submit'/></query></iq>"
    )
    ann.sync()
    wire = Wire(managed=False)
    wire.direction = "in"
    trunk = world.parts.federating.federation.trunk(wire)
    trunk.receives(ROOMS)
    trunk.take(
        *message(f"<presence from='bob@b.example/x' to='tea@conference.localhost/Bob'><x xmlns='{ns.MUC}'/></presence>")
    )
    ann.expect("presence", from_="tea@conference.localhost/Bob")
    way = dialling.connect(ROOMS)
    way.stanzas()
    way.trunk.lost(SILENT)
    assert dialling.events[-1] == ("stalled", ROOMS)
    say(ann, "anybody?", to="tea@conference.localhost", type="groupchat")
    ann.expect("message", from_="tea@conference.localhost/Ann")
    dialling.fail_for(100 * MINUTE, REFUSED, ROOMS)
    ann.nothing_before()
    world.advance(16 * MINUTE)
    dialling.connect(ROOMS)
    assert dialling.events[-1] == ("up", ROOMS)


def test_a_stanza_that_is_too_large_for_the_other_server_costs_its_author_an_error_and_nobody_else_anything(
    dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    wire = dialling.connect()
    wire.stanzas()
    wire.stanza_bytes = 10_000
    say(ann, "x" * 20_000, id="big")
    ann.expect_error("message", "policy-violation", id="big")
    say(ann, "small")
    assert len(wire.stanzas()) == 1
    assert wire.ended == []


def test_a_domain_that_nobody_has_needed_for_long_is_forgotten(world: World, dialling: Dialling, ann: Client) -> None:
    ann.send(f"<iq type='get' id='v1' to='b.example'><query xmlns='{ns.VERSION}'/></iq>")
    assert len(world.parts.federating.federation.links.rows()) == 1
    dialling.fail_for(3 * 60 * MINUTE, SILENT)
    assert world.parts.federating.federation.links.rows() == []


def test_a_stanza_from_there_ends_the_wait_as_well_even_over_a_connection_that_never_broke(
    world: World, dialling: Dialling, ann: Client
) -> None:
    wire = Wire(managed=False)
    wire.direction = "in"
    trunk = world.parts.federating.federation.trunk(wire)
    trunk.receives(HERE)
    say(ann, "hello")
    dialling.fail_for(10 * MINUTE, SILENT)
    assert dialling.attempts == []
    world.advance(1.5)  # if it was tried just now, that was enough
    trunk.take(*message("<message from='bob@b.example/x' to='ann@localhost' type='chat'><body>hi</body></message>"))
    assert [pair for pair, _ in dialling.attempts] == [HERE]


def test_a_request_that_was_answered_is_not_failed_because_nobody_has_acknowledged_it(
    world: World, dialling: Dialling, ann: Client
) -> None:
    ann.send(f"<iq type='get' id='q1' to='b.example'><query xmlns='{ns.VERSION}'/></iq>")
    wire = dialling.connect()
    wire.trunk.receives(HERE)
    wire.trunk.take(*message("<iq type='result' id='q1' from='b.example' to='ann@localhost/phone'/>"))
    ann.expect("iq", type="result", id="q1")
    wire.trunk.lost(SILENT)
    ann.nothing_before()


def test_a_sign_of_life_right_after_an_attempt_shortens_the_wait_for_the_next_one(
    world: World, dialling: Dialling, ann: Client
) -> None:
    wire = Wire(managed=False)
    wire.direction = "in"
    trunk = world.parts.federating.federation.trunk(wire)
    trunk.receives(HERE)
    say(ann, "hello")
    for pause in (1.5, 2.6):
        dialling.fail(SILENT)
        world.advance(pause)
    dialling.fail(SILENT)
    trunk.take(*message("<message from='bob@b.example/x' to='ann@localhost' type='chat'><body>hi</body></message>"))
    assert dialling.attempts == []
    world.advance(1.1)
    assert [pair for pair, _ in dialling.attempts] == [HERE]


def echo(wire: Wire) -> list[str]:
    """What has been written; a ping of the server itself is answered, over a connection of the other's own."""
    written = wire.stanzas()
    for xml in written:
        if ns.PING in xml:
            ping = stanza_from(xml)
            answer = Element("iq", {"type": "result", "id": ping.get("id", ""), "to": HERE.local, "from": HERE.remote})
            wire.trunk.take(answer, JID.parse(HERE.local), JID.parse(HERE.remote))
    return [xml for xml in written if ns.PING not in xml]


def answering(world: World, dialling: Dialling, ann: Client) -> Wire:
    """A connection without stream management, whose other end is known to answer pings."""
    say(ann, "one")
    wire = dialling.connect(managed=False)
    for _ in range(3):
        world.advance(1)
        echo(wire)
    return wire


def test_without_stream_management_what_is_not_known_to_have_arrived_is_sent_again(
    world: World, dialling: Dialling, ann: Client
) -> None:
    wire = answering(world, dialling, ann)
    say(ann, "two")
    world.advance(10)
    wire.trunk.lost(SILENT)
    (again,) = dialling.connect(managed=False).stanzas()
    assert "two" in again


def test_who_has_answered_pings_and_does_not_any_more_loses_the_connection(
    world: World, dialling: Dialling, ann: Client
) -> None:
    wire = answering(world, dialling, ann)
    world.advance(100)
    assert wire.ended == []
    say(ann, "two")
    world.advance(35)
    assert [error.condition for error in wire.ended if error is not None] == ["connection-timeout"]


def test_who_has_never_answered_a_ping_is_asked_once_and_left_in_peace(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    wire = dialling.connect(managed=False)
    world.advance(5)
    say(ann, "two")
    world.advance(60)
    assert sum(ns.PING in xml for xml in wire.stanzas()) == 1
    assert wire.ended == []


def test_a_connection_that_is_closed_here_waits_for_the_last_acknowledgement_and_nothing_comes_twice(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    wire = dialling.connect()
    wire.stanzas()
    world.parts.federating.federation.links.end("b.example")
    assert wire.ended == []
    say(ann, "two")
    assert wire.stanzas() == []
    ack(wire, 1)
    assert wire.ended == [None]
    (sent,) = dialling.connect().stanzas()
    assert "two" in sent


def test_a_peer_that_does_not_acknowledge_does_not_keep_a_connection_from_being_closed(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    wire = dialling.connect()
    world.parts.federating.federation.links.end("b.example")
    world.advance(6)
    assert wire.ended == [None]


def bidirectional(world: World) -> Wire:
    """A connection that was opened there, and carries both directions; the other server counts nothing yet."""
    wire = Wire(managed=False)
    wire.direction = "in"
    wire.trunk = world.parts.federating.federation.trunk(wire)
    wire.trunk.receives(HERE)
    wire.trunk.sends(HERE)
    return wire


def test_what_was_sent_before_the_other_server_began_to_acknowledge_goes_again_before_what_was_sent_later(
    world: World, dialling: Dialling, ann: Client
) -> None:
    wire = bidirectional(world)
    say(ann, "one")
    say(ann, "two")
    wire.trunk.manage(Element(f"{{{ns.SM}}}enable"))
    say(ann, "three")
    say(ann, "four")
    wire.trunk.lost(SILENT)
    again = dialling.connect().stanzas()
    assert [xml.partition("<body>")[2].partition("<")[0] for xml in again] == ["one", "two", "three", "four"]


def test_who_begins_to_count_is_asked_at_once_and_his_answer_speaks_of_what_he_has_not_counted(
    world: World, dialling: Dialling
) -> None:
    ann = world.login("ann@localhost/phone")
    ann.enable()
    wire = bidirectional(world)
    say(ann, "one")
    wire.trunk.manage(Element(f"{{{ns.SM}}}enable"))
    assert wire.written[-1] == f"<r xmlns='{ns.SM}'/>"
    assert len(world.rows("SELECT xml FROM spool")) == 1
    ack(wire, 0)
    world.turn()
    assert world.rows("SELECT xml FROM spool") == []
    wire.trunk.lost(SILENT)
    assert dialling.connect().stanzas() == []


def test_who_counts_is_sent_nothing_that_is_not_counted_here(world: World, dialling: Dialling, ann: Client) -> None:
    wire = bidirectional(world)
    say(ann, "one")
    wire.trunk.manage(Element(f"{{{ns.SM}}}enable"))
    wire.stanzas()
    say(ann, "two")
    world.advance(5)
    (sent,) = wire.stanzas()
    assert "two" in sent


def test_no_more_is_sent_than_can_be_sent_again_before_there_is_an_answer(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "0")
    wire = dialling.connect(managed=False)
    for number in range(1, 1500):
        say(ann, str(number))
    sent = [xml for xml in wire.stanzas() if "<body>" in xml]
    assert len(sent) == 1000
    world.advance(0.1)
    answered = echo(wire)
    world.advance(0.1)
    sent += [xml for xml in answered + wire.stanzas() if "<body>" in xml]
    assert [xml.partition("<body>")[2].partition("<")[0] for xml in sent] == [str(number) for number in range(1500)]


def test_an_attempt_is_not_ended_because_the_other_server_was_faster(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    theirs = bidirectional(world)
    assert len(theirs.stanzas()) == 1
    assert dialling.given_up == []
    ours = dialling.connect()  # they may have taken this one for the way
    ours.trunk.receives(HERE)
    ours.trunk.take(*message("<message from='bob@b.example' to='ann@localhost'><body>two</body></message>"))
    ann.wait_for(lambda stanza: stanza.findtext("body") == "two")
    say(ann, "three")
    assert (len(theirs.stanzas()), ours.stanzas()) == (1, [])
    world.advance(16 * MINUTE)
    assert ours.ended == [None]
    assert theirs.ended == [None]


def test_a_failure_beside_a_connection_that_was_made_there_is_none(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    theirs = bidirectional(world)
    dialling.fail(REFUSED)
    world.advance(5)
    assert [event[0] for event in dialling.events] == ["contacted"]
    assert dialling.attempts == []
    theirs.stanzas()
    theirs.trunk.lost(SILENT)
    assert len(dialling.connect().stanzas()) == 1


def test_an_attempt_that_is_still_under_way_is_the_next_one_when_the_connection_is_lost(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    bidirectional(world).trunk.lost(SILENT)
    assert len(dialling.attempts) == 1
    assert len(dialling.connect().stanzas()) == 1
