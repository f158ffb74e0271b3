"""Streams that another server has opened and goes on with on another connection (XEP-0198 §5): what it may, and not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fermata.app.config_tables import Config
from fermata.core.records import Step
from fermata.core.s2s import resumable
from fermata.core.stored_xml import stanza_from
from fermata.core.stream_management import Inbound
from fermata.host.federation import Pair
from fermata.services import lasting_streams
from fermata.xmpp import namespaces as fns
from fermata.xmpp.element import Element, local_name
from kit import ns
from kit.scripted_wires import HERE, ROOMS, Dialling, Resumable, Wire, ack, cut, message, say, sm
from kit.wire import Client
from kit.world import World

HOUR = 3_600.0
NOT_FOUND = f"<failed xmlns='{fns.SM}'><item-not-found xmlns='{fns.STANZA_ERRORS}'/></failed>"


@pytest.fixture
def ann(world: World) -> Client:
    return world.online("ann@localhost/phone")


def tell(wire: Wire, *bodies: str) -> None:
    """Somebody there writes to Ann."""
    for body in bodies:
        xml = (
            f"<message from='bob@b.example/x' to='ann@localhost' type='chat' id='{body}'><body>{body}</body></message>"
        )
        wire.trunk.take(*message(xml))


def is_refused(answer: Element, condition: str = "item-not-found") -> bool:
    return local_name(answer) == "failed" and local_name(answer[0]) == condition and "h" not in answer.attrib


def conditions(wire: Wire) -> list[str]:
    return [error.condition for error in wire.ended if error is not None]


# -- how far we got


def test_an_id_is_made_that_nobody_can_guess(there: Resumable) -> None:
    ids = {there.begin(there.accept()) for _ in range(2)}
    assert len(ids) == 2
    assert all(len(id) >= 22 for id in ids)  # of six bits each


def test_who_comes_back_is_told_how_far_we_got(there: Resumable, ann: Client) -> None:
    wire = there.accept()
    id = there.begin(wire)
    tell(wire, "one", "two")
    cut(wire)
    wire = there.accept()
    answer = there.resume(wire, id)
    assert (local_name(answer), answer.get("previd"), answer.get("h")) == ("resumed", id, "2")
    tell(wire, "three")
    assert there.told(wire, "r").get("h") == "3"
    assert [ann.expect("message").findtext("body") for _ in range(3)] == ["one", "two", "three"]


def test_so_he_is_after_a_crash_and_never_more_than_is_on_disk(world: World, there: Resumable, ann: Client) -> None:
    wire = there.accept()
    id = there.begin(wire)
    tell(wire, "one", "two")
    assert there.told(wire, "r").get("h") == "2"
    world.crash()
    there.dialling = Dialling(world)
    wire = there.accept()
    assert there.resume(wire, id).get("h") == "2"
    tell(wire, "three")
    assert there.told(wire, "r").get("h") == "3"


@pytest.mark.parametrize("stanza", ["<presence/>", "<iq type='result' id='1'/>", "<message type='headline'/>"])
def test_what_leaves_nothing_on_disk_is_counted_there_before_it_is_acknowledged(
    world: World, there: Resumable, stanza: str
) -> None:
    wire = there.accept()
    id = there.begin(wire)
    addressed = stanza.replace("/>", " from='bob@b.example/x' to='ann@localhost/x'/>")
    for told in range(1, 4):
        wire.trunk.take(*message(addressed))
        assert there.told(wire, "r").get("h") == str(told)
        (value,) = world.rows("SELECT value FROM value WHERE space = 'server streams'")
        assert f", {told}, " in value[0]
    world.crash()
    there.dialling = Dialling(world)
    assert there.resume(there.accept(), id).get("h") == "3"


def test_what_is_not_on_disk_is_not_acknowledged_in_the_end_either(world: World, there: Resumable) -> None:
    there.begin(wire := there.accept())
    wire.trunk.take(*message("<presence from='bob@b.example/x' to='ann@localhost/x'/>"))
    world.parts.federating.federation.links.close()
    assert wire.written[-1] == f"<a xmlns='{fns.SM}' h='0'/>"


def test_after_the_death_of_a_connection_that_still_seems_to_stand_it_ends_with_a_conflict(there: Resumable) -> None:
    hanging = there.accept()
    id = there.begin(hanging)
    tell(hanging, "one")
    wire = there.accept()
    assert there.resume(wire, id).get("h") == "1"
    assert conditions(hanging) == ["conflict"]
    assert wire.ended == []


def resumed_too_soon(there: Resumable) -> tuple[Wire, Inbound, int]:
    """A stream that goes on while its second stanza, at that position, is still being dealt with."""
    wire = there.accept()
    id = there.begin(wire)
    tell(wire, "one")
    inbound = wire.trunk.management.inbound  # type: ignore[attr-defined]
    position = inbound.begin()
    cut(wire)
    wire = there.accept()
    wire.trunk.manage(sm("resume", previd=id, h="0"))
    return wire, inbound, position


def test_what_is_still_being_dealt_with_is_waited_for_so_that_it_does_not_come_again(
    world: World, there: Resumable
) -> None:
    wire, inbound, position = resumed_too_soon(there)
    world.advance(3)
    assert wire.written == []
    inbound.complete(position, 0)
    world.advance(0.1)
    assert [stanza_from(xml).get("h") for xml in wire.written] == ["2"]


def test_what_takes_very_long_holds_nobody_up(world: World, there: Resumable) -> None:
    wire, inbound, position = resumed_too_soon(there)
    world.advance(6)
    assert [stanza_from(xml).get("h") for xml in wire.written] == ["1"]
    inbound.complete(position, 0)
    tell(wire, "two")  # which it was
    assert there.told(wire, "r").get("h") == "2"


def test_the_same_stream_can_be_gone_on_with_again_and_again(there: Resumable) -> None:
    wire = there.accept()
    id = there.begin(wire)
    for told in range(1, 6):
        tell(wire, str(told))
        cut(wire)
        wire = there.accept()
        assert there.resume(wire, id).get("h") == str(told)


def test_after_a_while_nobody_is_remembered(world: World, there: Resumable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting_streams, "_REMEMBERED_SECONDS", 3 * HOUR)
    ids = [there.begin(wire := there.accept())]
    cut(wire)
    world.advance(2 * HOUR)
    ids.append(there.begin(wire := there.accept()))
    cut(wire)
    world.advance(2 * HOUR)
    wire = there.accept()
    assert is_refused(there.resume(wire, ids[0]))
    assert local_name(there.resume(wire, ids[1])) == "resumed"


# -- who may not


def test_every_reason_gives_the_same_answer(world: World, there: Resumable) -> None:
    wire = there.accept()
    id = there.begin(wire)
    tell(wire, "one")
    cut(wire)
    other = Resumable(world, there.dialling, Pair("localhost", "evil.example"))
    rooms = Resumable(world, there.dialling, ROOMS)
    attempts = [
        (there.accept(), id[:-1] + ("A" if id[-1] != "A" else "B")),
        (there.accept(), ""),
        (other.accept(), id),
        (rooms.accept(), id),
        (there.accept(proof="dialback"), id),
        (there.accept(tls=False), id),
        (there.accept(HERE, ROOMS), id),
    ]
    for wire, tried in attempts:
        wire.trunk.manage(sm("resume", previd=tried, h="0"))
        assert wire.written[-1] == NOT_FOUND
    assert there.resume(there.accept(), id).get("h") == "1"  # who may is not hindered by all that


def test_what_dialback_has_proven_a_certificate_proves_as_well(there: Resumable) -> None:
    wire = there.accept(proof="dialback")
    id = there.begin(wire)
    cut(wire)
    assert local_name(there.resume(there.accept(proof="certificate"), id)) == "resumed"


def test_in_the_clear_or_for_several_pairs_no_stream_lasts(there: Resumable) -> None:
    assert there.begin(there.accept(tls=False)) == ""
    assert there.begin(there.accept(HERE, ROOMS)) == ""


def test_a_stream_that_lasts_stays_that_of_its_pair(there: Resumable) -> None:
    wire = there.accept()
    assert not wire.is_complete
    id = there.begin(wire)
    assert wire.is_complete
    cut(wire)
    wire = there.accept()
    there.resume(wire, id)
    assert wire.is_complete


def test_nobody_goes_on_twice_on_one_connection_or_where_a_stream_has_begun(there: Resumable) -> None:
    first = there.accept()
    id = there.begin(first)
    cut(first)
    wire = there.accept()
    there.resume(wire, id)
    assert is_refused(there.resume(wire, id), "unexpected-request")
    assert is_refused(there.told(wire, "enable"), "unexpected-request")
    another = there.accept()
    there.begin(another)
    assert is_refused(there.resume(another, id), "unexpected-request")
    assert wire.ended == []


def test_who_begins_anew_while_he_waits_for_an_older_stream_has_the_new_one(world: World, there: Resumable) -> None:
    first = there.accept()
    id = there.begin(first)
    inbound = first.trunk.management.inbound  # type: ignore[attr-defined]
    position = inbound.begin()
    cut(first)
    wire = there.accept()
    wire.trunk.manage(sm("resume", previd=id, h="0"))
    wire.trunk.manage(sm("enable", resume="true"))
    inbound.complete(position, 0)
    world.advance(1)
    assert [local_name(stanza_from(xml)) for xml in wire.written] == ["enabled", "failed"]
    assert local_name(there.resume(there.accept(), id)) == "resumed"


def test_of_a_pair_the_newest_two_streams_last_and_the_oldest_connection_ends(there: Resumable) -> None:
    wires = [there.accept() for _ in range(3)]
    ids = [there.begin(wire) for wire in wires]
    assert [conditions(wire) for wire in wires] == [["conflict"], [], []]
    cut(wires[1])
    assert is_refused(there.resume(there.accept(), ids[0]))
    assert local_name(there.resume(there.accept(), ids[1])) == "resumed"


def test_any_number_of_streams_costs_a_bounded_number_of_rows(world: World, there: Resumable) -> None:
    for _ in range(50):
        there.begin(wire := there.accept())
        tell(wire, "one")
        there.told(wire, "r")
        cut(wire)
    ((count,),) = world.rows("SELECT count(*) FROM value WHERE space = 'server streams'")
    assert count == 2


def test_a_stream_that_had_to_go_still_carries_what_its_connection_brings(
    world: World, there: Resumable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "MOST_OF_SITE", 1)
    first, second = there.accept(), there.accept(ROOMS)
    id = there.begin(first)
    there.begin(second)
    tell(first, "one")
    assert there.told(first, "r").get("h") == "1"
    assert there.told(second, "r").get("h") == "0"
    assert len(world.rows("SELECT key FROM value WHERE space = 'server streams'")) == 1
    cut(first)
    assert is_refused(there.resume(there.accept(), id))


@pytest.mark.parametrize("h", ["", "-1", "5"])
def test_who_says_that_he_has_what_was_never_sent_loses_connection_and_stream(
    world: World, there: Resumable, ann: Client, h: str
) -> None:
    id = there.begin(wire := there.accept(bidi=True))
    say(ann, "one")
    cut(wire)
    wire = there.accept(bidi=True)
    try:
        wire.trunk.manage(sm("resume", previd=id, h=h))
        world.turn()
        ended = conditions(wire)
    except Exception as error:
        ended = [getattr(error, "condition", "")]
        cut(wire)
    assert ended == ["bad-format" if not h.lstrip("-").isdecimal() else "undefined-condition"]
    wire = there.dialling.connect()
    world.advance(11)
    assert "one" in wire.stanzas()[-1]  # it is in doubt, and not lost


# -- what was sent the other way


def test_what_they_have_is_not_sent_again_and_what_they_do_not_have_goes_as_it_was(
    world: World, there: Resumable, ann: Client
) -> None:
    id = there.begin(wire := there.accept(bidi=True))
    for body in ("one", "two", "three"):
        say(ann, body, id=body)
    (_, two, three) = wire.stanzas()
    cut(wire)
    say(ann, "four", id="four")
    wire = there.accept(bidi=True)
    assert wire.stanzas() == []
    there.resume(wire, id, 1)
    again = wire.stanzas()
    assert "<resumed" in again[0]
    assert again[1:3] == [two, three]
    assert "four" in again[3]
    ack(wire, 4)
    cut(wire)
    wire = there.accept(bidi=True)
    there.resume(wire, id, 4)
    assert len(wire.stanzas()) == 1


def test_a_server_that_has_forgotten_the_stream_gets_what_is_in_doubt_with_its_time(
    there: Resumable, ann: Client
) -> None:
    there.begin(wire := there.accept(bidi=True))
    say(ann, "one")
    cut(wire)
    wire = there.accept(bidi=True)
    there.begin(wire)
    assert f"<delay xmlns='{ns.DELAY}'" in wire.stanzas()[-1]


def test_one_that_says_nothing_of_it_gets_it_after_a_while(world: World, there: Resumable, ann: Client) -> None:
    there.begin(wire := there.accept(bidi=True))
    say(ann, "one")
    cut(wire)
    wire = there.accept(bidi=True)
    world.advance(9)
    assert wire.stanzas() == []
    world.advance(2)
    assert f"<delay xmlns='{ns.DELAY}'" in wire.stanzas()[0]


def test_who_comes_too_late_is_told_how_far_we_got(world: World, there: Resumable, ann: Client) -> None:
    id = there.begin(wire := there.accept(bidi=True))
    tell(wire, "hello")
    say(ann, "one")
    cut(wire)
    there.accept(bidi=True)
    world.advance(11)
    answer = there.resume(there.accept(bidi=True), id)
    assert (local_name(answer), answer.get("h")) == ("failed", "1")


def test_who_has_opened_the_stream_is_given_time_to_open_the_next_and_then_is_called(
    world: World, there: Resumable, ann: Client
) -> None:
    id = there.begin(wire := there.accept(bidi=True))
    say(ann, "one")
    cut(wire)
    world.advance(4)
    assert there.dialling.attempts == []
    world.advance(2)
    ours = there.dialling.connect()
    world.advance(5)
    assert ours.stanzas() == []
    wire = there.accept(bidi=True)
    there.resume(wire, id, 1)
    assert len(wire.stanzas()) == 1
    say(ann, "two")
    assert len(wire.stanzas()) == 1
    world.advance(11)
    assert ours.ended == [None]  # nobody needs it
    assert ours.stanzas() == []


def test_a_connection_that_breaks_while_it_waits_is_made_again(world: World, there: Resumable, ann: Client) -> None:
    there.begin(wire := there.accept(bidi=True))
    say(ann, "one")
    cut(wire)
    for made in (there.accept(bidi=True), there.accept(bidi=True)):
        cut(made)
    world.advance(20)
    ours = there.dialling.connect()
    world.advance(11)
    assert "one" in ours.stanzas()[0]


def test_after_a_crash_here_a_stream_goes_on_with_what_the_other_server_says(
    world: World, there: Resumable, ann: Client
) -> None:
    id = there.begin(wire := there.accept(bidi=True))
    tell(wire, "hello")
    say(ann, "one")
    there.told(wire, "r")
    world.crash()
    there.dialling = Dialling(world)
    wire = there.accept(bidi=True)
    answer = there.resume(wire, id, 7)
    assert (local_name(answer), answer.get("h")) == ("resumed", "1")
    wire.written.clear()
    say(world.online("ann@localhost/desk"), "two")
    world.advance(1)
    ack(wire, 8)
    cut(wire)
    wire = there.accept(bidi=True)
    there.resume(wire, id, 8)
    assert len(wire.stanzas()) == 1


@pytest.mark.parametrize("is_behind", [False, True])
def test_what_is_counted_reaches_a_client_although_this_server_dies_before_the_turn_ends(
    world: World, there: Resumable, is_behind: bool
) -> None:
    ann = world.login("ann@localhost/phone")
    sm_id = ann.enable().get("id", "")
    ann.available()
    wire = there.accept()
    id = there.begin(wire)
    world.database.writer.submit(Step([]))
    world.turn()  # nothing of before is left to be written
    if is_behind:  # something that is kept, and is told once it is
        wire.trunk.take(
            *message("<message from='bob@b.example' to='ann@localhost' type='chat'><body>1</body></message>")
        )
    said = f"<message from='tea@b.example/Bob' to='{ann.jid}' type='groupchat'><body>2</body></message>"
    wire.trunk.take(*message(said))
    world.database.writer.submit(Step([]))
    world.database.writer.flush()  # and then it dies
    world.crash()
    dialling = Dialling(world)
    answer = Resumable(world, dialling).resume(Resumable(world, dialling).accept(), id)
    client = world.authenticated("ann@localhost")
    client.resume(sm_id, ann.handled)
    came = {body for stanza in client.sync() if (body := stanza.findtext("body")) is not None}
    assert (int(answer.get("h", "")), came) == ((1, {"1"}) if is_behind else (1, {"2"}))


def test_what_was_sent_before_the_other_server_goes_on_is_asked_about_and_what_waits_goes_out(
    world: World, there: Resumable, ann: Client
) -> None:
    wire = there.accept(bidi=True)
    id = there.begin(wire)
    cut(wire)
    wire = there.accept(bidi=True)
    for number in range(1500):
        say(ann, str(number))
    assert len(wire.stanzas()) == 1000  # of which nobody has said yet that they have arrived
    assert local_name(there.resume(wire, id)) == "resumed"
    assert wire.written.pop(1) == f"<r xmlns='{fns.SM}'/>"
    assert len([xml for xml in wire.stanzas() if "<body>" in xml]) == 500
    ack(wire, 0)
    assert world.parts.federating.federation.links.rows()[0].unacked == 500


# -- without it


def test_switched_off_no_stream_lasts_and_everything_else_is_as_it_was(worlds: Callable[[Config], World]) -> None:
    config = Config()
    world = worlds(replace(config, stay=replace(config.stay, server_resume=False)))
    there = Resumable(world, Dialling(world))
    ann = world.online("ann@localhost/phone")
    wire = there.accept(bidi=True)
    assert there.begin(wire) == ""
    assert not wire.is_complete
    say(ann, "one")
    cut(wire)
    wire = there.accept(bidi=True)
    assert f"<delay xmlns='{ns.DELAY}'" in wire.stanzas()[-1]
    assert is_refused(there.resume(wire, "x"))
    assert world.rows("SELECT * FROM value WHERE space = 'server streams'") == []
