"""Streams that we have opened, and go on with on another connection to the same server (XEP-0198 §5)."""

import pytest

from fermata.core.stored_xml import stanza_from
from fermata.core.stream_management import ANSWER_SECONDS
from fermata.services.muc_rebuilding import Rebuilding
from fermata.services.resumption import DOUBT_SECONDS
from fermata.xmpp import namespaces as fns
from fermata.xmpp.element import Element, local_name
from fermata.xmpp.errors import StreamError
from kit import ns
from kit.scripted_wires import HERE, REFUSED, ROOMS, SILENT, Dialling, Resumable, Wire, ack, cut, message, say, sm
from kit.wire import Client
from kit.world import World

DELAY = f"<delay xmlns='{ns.DELAY}'"


@pytest.fixture
def ann(world: World) -> Client:
    return world.online("ann@localhost/phone")


def said(wire: Wire) -> list[str]:
    """The bodies of what was written since this was asked last, with a mark where it is told when it was sent."""
    found = [(stanza_from(xml).findtext("body") or "", DELAY in xml) for xml in wire.stanzas()]
    return [body + (" again" if delayed else "") for body, delayed in found]


def asked(wire: Wire) -> Element:
    """What was written first on a connection that is to go on with a stream."""
    (request,) = [stanza_from(xml) for xml in wire.written]
    return request


def told(world: World, wire: Wire, name: str, **attributes: str) -> None:
    wire.trunk.manage(sm(name, **attributes))
    world.turn()


def lost_with(there: Resumable, ann: Client, *bodies: str) -> None:
    """Ann writes that to Bob, and the connection breaks before any of it was acknowledged."""
    say(ann, "first")
    wire = there.open()
    ack(wire, 1)
    for body in bodies:
        say(ann, body)
    cut(wire)


def test_we_ask_for_a_stream_that_lasts(there: Resumable, ann: Client) -> None:
    say(ann, "one")
    wire = there.dialling.connect()
    assert wire.written[0] == f"<enable xmlns='{fns.SM}' resume='true'/>"


def test_what_they_have_is_not_sent_again_and_the_rest_goes_first_as_it_was(
    world: World, there: Resumable, ann: Client
) -> None:
    lost_with(there, ann, "one", "two", "three")
    say(ann, "four")
    wire = there.dialling.connect()
    request = asked(wire)
    assert (local_name(request), request.get("previd"), request.get("h")) == ("resume", "theirs", "0")
    told(world, wire, "resumed", previd="theirs", h="2")
    assert said(wire) == ["two", "three", "four"]
    ack(wire, 5)
    with pytest.raises(StreamError):
        ack(wire, 6)


def test_what_came_from_them_is_counted_on(world: World, there: Resumable, ann: Client) -> None:
    say(ann, "one")
    wire = there.open()
    wire.trunk.receives(HERE)
    wire.trunk.take(*message("<message from='bob@b.example/x' to='ann@localhost' id='1'><body>hi</body></message>"))
    cut(wire)
    say(ann, "two")
    wire = there.dialling.connect()
    assert asked(wire).get("h") == "1"


@pytest.mark.parametrize(("h", "expected"), [("1", ["one", "two"]), ("3", []), ("", ["one again", "two again"])])
def test_a_server_that_can_not_go_on_may_know_how_far_it_got(
    world: World, there: Resumable, ann: Client, h: str, expected: list[str]
) -> None:
    lost_with(there, ann, "one", "two")
    wire = there.dialling.connect()
    wire.written.clear()
    told(world, wire, "failed", **({"h": h} if h else {}))
    assert wire.written[0] == f"<enable xmlns='{fns.SM}' resume='true'/>"
    assert said(wire) == expected
    told(world, wire, "enabled", id="new", resume="true")
    say(ann, "three")
    cut(wire)
    assert asked(there.dialling.connect()).get("previd") == "new"


def test_one_that_does_not_offer_it_any_more_gets_what_is_in_doubt_with_its_time(there: Resumable, ann: Client) -> None:
    lost_with(there, ann, "one")
    assert said(there.dialling.connect(managed=False)) == ["one again"]


def test_a_server_that_only_acknowledges_is_treated_as_ever(world: World, there: Resumable, ann: Client) -> None:
    say(ann, "one")
    wire = there.dialling.connect()
    told(world, wire, "enabled")
    cut(wire)
    wire = there.dialling.connect()
    assert "<enable " in wire.written[0]
    assert said(wire) == ["one again"]


def test_nothing_goes_on_where_the_other_server_is_proven_less_than_before(
    world: World, there: Resumable, ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_with(there, ann, "one")
    monkeypatch.setattr(Wire, "proof", "dialback")
    wire = there.dialling.connect()
    assert "<enable " in wire.written[0]
    assert said(wire) == ["one again"]


def test_nothing_is_sent_before_the_answer_and_whoever_gives_none_is_left(
    world: World, there: Resumable, ann: Client
) -> None:
    lost_with(there, ann, "one")
    hanging = there.dialling.connect()
    say(ann, "two")
    world.advance(ANSWER_SECONDS - 2)
    assert said(hanging) == []
    assert hanging.ended == []
    world.advance(5)
    assert [error.condition for error in hanging.ended if error is not None] == ["connection-timeout"]
    wire = there.dialling.connect()
    told(world, wire, "resumed", previd="theirs", h="2")
    assert said(wire) == ["two"]


def test_a_connection_that_breaks_right_after_the_answer_costs_nothing(
    world: World, there: Resumable, ann: Client
) -> None:
    lost_with(there, ann, "one", "two")
    for _ in range(3):
        wire = there.dialling.connect()
        told(world, wire, "resumed", previd="theirs", h="1")
        assert said(wire) == ["one", "two"]
        cut(wire)
    wire = there.dialling.connect()
    told(world, wire, "resumed", previd="theirs", h="3")
    assert said(wire) == []


def test_who_says_that_he_has_what_was_never_sent_is_left_and_gets_what_is_in_doubt(
    world: World, there: Resumable, ann: Client
) -> None:
    lost_with(there, ann, "one")
    wire = there.dialling.connect()
    with pytest.raises(StreamError, match="undefined-condition"):
        wire.trunk.manage(sm("resumed", previd="theirs", h="9"))
    cut(wire)
    world.advance(5)
    wire = there.dialling.connect()
    assert "<enable " in wire.written[0]
    assert said(wire) == ["one again"]


def test_an_answer_that_nobody_asked_for_changes_nothing(world: World, there: Resumable, ann: Client) -> None:
    say(ann, "one")
    wire = there.open()
    wire.written.clear()
    told(world, wire, "resumed", previd="theirs", h="0")
    told(world, wire, "resume", previd="theirs", h="0")
    assert [local_name(stanza_from(xml)) for xml in wire.written] == ["failed", "failed"]
    ack(wire, 1)


def test_nobody_goes_on_with_a_stream_on_a_connection_that_we_have_made(
    world: World, there: Resumable, ann: Client
) -> None:
    id = there.begin(theirs := there.accept())
    cut(theirs)
    say(ann, "one")
    wire = there.dialling.connect(managed=False)
    wire.trunk.receives(HERE)
    told(world, wire, "resume", previd=id, h="0")
    assert "<unexpected-request" in wire.written[-1]


def test_a_request_survives_a_short_cut_and_is_failed_after_a_minute(
    world: World, there: Resumable, ann: Client
) -> None:
    say(ann, "first")
    wire = there.open()
    ann.send("<iq type='get' id='q1' to='b.example'><query xmlns='jabber:iq:version'/></iq>")
    cut(wire)
    wire = there.dialling.connect()
    told(world, wire, "resumed", previd="theirs", h="1")
    assert any("id='q1'" in xml for xml in wire.stanzas())
    cut(wire)
    there.dialling.fail_for(70, SILENT)
    ann.expect_error("iq", "remote-server-timeout", "wait", id="q1")
    world.advance(60)
    wire = there.dialling.connect()
    told(world, wire, "resumed", previd="theirs", h="1")
    assert not any("id='q1'" in xml for xml in wire.stanzas())


def test_after_a_crash_here_we_go_on_with_what_came_and_the_other_server_says_what_we_had_sent(
    world: World, there: Resumable, ann: Client
) -> None:
    say(ann, "one")
    wire = there.open()
    wire.trunk.receives(HERE)
    wire.trunk.take(*message("<message from='bob@b.example/x' to='ann@localhost' id='1'><body>hi</body></message>"))
    ack(wire, 1)
    world.advance(1)
    world.crash()
    dialling = there.dialling = Dialling(world)
    ann = world.online("ann@localhost/desk")
    say(ann, "two")
    wire = dialling.connect()
    assert (asked(wire).get("previd"), asked(wire).get("h")) == ("theirs", "1")
    told(world, wire, "resumed", previd="theirs", h="9")
    assert said(wire)[-1] == "two"
    ack(wire, 10)


def test_a_connection_is_in_doubt_once_the_other_server_makes_one(world: World, there: Resumable, ann: Client) -> None:
    say(ann, "one")
    wire = there.open()
    ack(wire, 1)
    there.accept(bidi=True)
    there.accept(bidi=True)
    world.advance(DOUBT_SECONDS + 0.5)
    assert len(wire.ended) == 1
    assert local_name(asked(there.dialling.connect())) == "resume"


def test_one_that_still_stands_goes_on(world: World, there: Resumable, ann: Client) -> None:
    say(ann, "one")
    wire = there.open()
    ack(wire, 1)
    there.accept(bidi=True)
    world.advance(DOUBT_SECONDS / 2)
    ack(wire, 1)
    world.advance(DOUBT_SECONDS)
    say(ann, "two")
    world.advance(DOUBT_SECONDS)
    assert wire.ended == []


def test_while_we_go_on_the_other_servers_own_connection_waits_and_serves_if_we_get_nowhere(
    world: World, there: Resumable, ann: Client
) -> None:
    lost_with(there, ann, "one")
    theirs = there.accept(bidi=True)
    assert said(theirs) == []
    there.dialling.fail(SILENT)
    assert said(theirs) == ["one again"]
    say(ann, "two")
    assert world.rows("SELECT key FROM value WHERE space = 'server streams'") == []  # nobody will go on with it


def test_a_connection_closed_because_nobody_needs_it_takes_its_stream_with_it(
    world: World, there: Resumable, ann: Client
) -> None:
    say(ann, "one")
    wire = there.open()
    ack(wire, 1)
    world.parts.federating.federation.links.end("b.example")
    assert wire.ended == [None]
    say(ann, "two")
    assert "<enable " in there.dialling.connect().written[0]


def out_of_reach(world: World, dialling: Dialling) -> int:
    """Bob's server loses its connection to a room here that he is in, and something is said before and after.

    Returns how many stanzas it had acknowledged before that.
    """
    there = Resumable(world, dialling, ROOMS)
    room = "tea@conference.localhost"
    ann = world.online("ann@localhost/phone")
    ann.send(f"<presence to='{room}/Ann'><x xmlns='{ns.MUC}'/></presence>")
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", room)
    enters = f"<presence from='bob@b.example/x' to='{room}/Bob'><x xmlns='{ns.MUC}'/></presence>"
    there.accept().trunk.take(*message(enters))
    world.turn()
    wire = there.open()
    acked = len(wire.stanzas())
    ack(wire, acked)
    say(ann, "in doubt", to=room, type="groupchat")
    cut(wire)
    say(ann, "missed", to=room, type="groupchat")
    return acked


def test_rooms_tell_again_what_was_in_doubt_once_nobody_will_say_what_has_arrived(
    world: World, dialling: Dialling
) -> None:
    out_of_reach(world, dialling)
    wire = dialling.connect(ROOMS)
    told(world, wire, "failed")
    world.advance(1)
    assert said(wire) == ["in doubt again", "missed again"]


def test_rooms_tell_again_only_what_was_said_later_if_the_other_server_has_the_rest(
    world: World, dialling: Dialling
) -> None:
    acked = out_of_reach(world, dialling)
    wire = dialling.connect(ROOMS)
    told(world, wire, "resumed", previd="theirs", h=str(acked + 1))
    world.advance(1)
    assert said(wire) == ["missed again"]


def test_so_they_do_after_the_other_server_was_down_for_hours(world: World, dialling: Dialling) -> None:
    out_of_reach(world, dialling)
    dialling.fail_for(3 * 3600.0, REFUSED, ROOMS)
    assert ("dead", ROOMS) in dialling.events
    world.advance(900)
    wire = dialling.connect(ROOMS)
    told(world, wire, "enabled")
    world.advance(1)
    assert said(wire) == ["in doubt again", "missed again"]


def test_and_after_a_stop_here_as_well(world: World, dialling: Dialling) -> None:
    out_of_reach(world, dialling)
    dialling.fail(SILENT, ROOMS)
    world.do(world.parts.services[Rebuilding].stop())
    world.do(world.parts.federating.leave_notes())
    world.crash()
    dialling = Dialling(world)
    world.advance(5)
    wire = dialling.connect(ROOMS)
    told(world, wire, "resumed", previd="theirs", h="99")
    world.advance(1)
    assert said(wire) == ["in doubt again", "missed again"]
