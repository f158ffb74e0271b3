"""Sessions outlive the process: what a client had, and had not yet got, is there after a crash (XEP-0198 §5)."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config, Stay
from fermata.services.users import Users
from kit import ns
from kit.managed import Managed
from kit.muc import create, enter
from kit.stanzas import find
from kit.wire import Client
from kit.world import World

ROOM = "verona@conference.localhost"
RESUMED = f"{{{ns.SM}}}resumed"


@pytest.fixture
def romeo(world: World) -> Managed:
    return Managed(world, "romeo@localhost/orchard")


@pytest.fixture
def juliet(world: World) -> Managed:
    return Managed(world, "juliet@localhost/balcony")


def say(client: Client, to: str, *texts: str, type: str = "chat") -> None:
    for text in texts:
        client.send(f"<message to='{to}' type='{type}'><body>{text}</body></message>")


def bodies(client: Client) -> list[str]:
    """What there is to be read."""
    return [stanza.findtext("body", "") for stanza in client.sync() if stanza.tag == "message"]


def test_a_session_is_resumed_after_a_crash(world: World, juliet: Managed) -> None:
    handled = juliet.client.request_ack()
    world.crash()
    resumed = juliet.again()
    assert (resumed.tag, resumed.get("h")) == (RESUMED, str(handled))
    juliet.client.nothing_before()


@pytest.mark.parametrize("handled", [0, 1, 2, 3])
def test_what_was_written_and_not_handled_comes_again_after_a_crash(
    world: World, romeo: Managed, juliet: Managed, handled: int
) -> None:
    say(romeo.client, juliet.client.jid, "one", "two", "three")
    before = juliet.client.handled
    world.crash()
    assert juliet.again(before + handled).tag == RESUMED
    assert bodies(juliet.client) == ["one", "two", "three"][handled:]


def test_what_was_acknowledged_does_not_come_again(world: World, romeo: Managed, juliet: Managed) -> None:
    say(romeo.client, juliet.client.jid, "one", "two")
    assert bodies(juliet.client) == ["one", "two"]
    juliet.client.ack()
    say(romeo.client, juliet.client.jid, "three")
    handled = juliet.client.handled
    world.crash()
    juliet.again(handled)
    assert bodies(juliet.client) == ["three"]


def test_what_waited_for_a_client_that_was_away_waits_on(world: World, romeo: Managed, juliet: Managed) -> None:
    say(romeo.client, juliet.client.jid, "one")
    handled = juliet.client.handled
    juliet.client.cut()
    say(romeo.client, juliet.client.jid, "two")
    world.crash()
    romeo.again()
    say(romeo.client, juliet.client.jid, "three")
    world.crash()
    juliet.again(handled)
    assert bodies(juliet.client) == ["one", "two", "three"]


def test_the_queue_goes_on_being_counted_as_if_nothing_had_happened(
    world: World, romeo: Managed, juliet: Managed
) -> None:
    for number in range(4):
        say(romeo.client, juliet.client.jid, f"before {number}")
        juliet.again()
        romeo.again()
        say(romeo.client, juliet.client.jid, f"after {number}")
        assert bodies(juliet.client) == [f"before {number}", f"after {number}"]
        juliet.client.ack()
        world.crash()
        assert juliet.again().tag == romeo.again().tag == RESUMED


def test_answers_and_presence_are_not_lost_either(world: World, romeo: Managed, juliet: Managed) -> None:
    world.befriend(romeo.client, juliet.client)
    handled = juliet.client.handled
    romeo.client.send("<presence><show>away</show></presence>")
    juliet.client.send(f"<iq type='get' id='disco' to='localhost'><query xmlns='{ns.DISCO_INFO}'/></iq>")
    world.turn()
    world.crash()
    juliet.again(handled)
    juliet.client.expect("presence", from_=romeo.client.jid)
    juliet.client.expect("iq", id="disco", type="result")
    juliet.client.nothing_before()


def test_the_session_is_as_it_was(world: World, romeo: Managed, juliet: Managed) -> None:
    juliet.client.get(f"<query xmlns='{ns.ROSTER}'/>")
    juliet.client.send("<presence><status>sighing</status><priority>7</priority></presence>")
    juliet.client.sync()
    juliet.client.ack()
    world.crash()
    other = world.login("juliet@localhost/chamber")
    other.set(f"<query xmlns='{ns.ROSTER}'><item jid='nurse@localhost'/></query>")
    other.send("<presence/>")
    seen = [stanza for stanza in other.sync() if stanza.get("from") == juliet.client.jid]
    assert [stanza.findtext("status") for stanza in seen] == ["sighing"]
    juliet.again()
    juliet.client.expect("iq", "roster:query/roster:item[@jid='nurse@localhost']", type="set")


def test_nobody_sees_anything_of_it(world: World, romeo: Managed, juliet: Managed) -> None:
    world.befriend(romeo.client, juliet.client)
    create(romeo.client, ROOM, "Romeo")
    enter(juliet.client, ROOM, "Juliet")
    romeo.client.expect("presence", from_=f"{ROOM}/Juliet")
    romeo.client.ack()
    world.crash()
    romeo.again()
    juliet.again()
    romeo.client.nothing_before()
    say(juliet.client, ROOM, "still here", type="groupchat")
    assert bodies(romeo.client) == ["still here"]
    assert bodies(juliet.client) == ["still here"]


def test_who_does_not_come_back_is_gone_when_the_window_closes(world: World, romeo: Managed, juliet: Managed) -> None:
    world.befriend(romeo.client, juliet.client)
    create(romeo.client, ROOM, "Romeo")
    enter(juliet.client, ROOM, "Juliet")
    romeo.client.expect("presence", from_=f"{ROOM}/Juliet")
    romeo.client.ack()
    handled = romeo.client.handled
    world.crash()
    say(world.login("nurse@localhost"), juliet.client.jid, "are you there?")
    romeo.again(handled)
    world.advance(7199)
    romeo.client.nothing_before()
    world.advance(2)
    gone = {stanza.get("from") for stanza in romeo.client.sync() if stanza.get("type") == "unavailable"}
    assert gone == {juliet.client.jid, f"{ROOM}/Juliet"}
    assert find(juliet.again(), "errors:item-not-found") is not None
    juliet.client.bind("balcony")
    juliet.client.send("<presence/>")
    assert bodies(juliet.client) == ["are you there?"]


def test_time_that_passed_before_the_crash_counts(world: World, romeo: Managed, juliet: Managed) -> None:
    world.befriend(romeo.client, juliet.client)
    romeo.client.ack()
    juliet.client.cut()
    world.advance(7000)
    romeo.client.sync()
    romeo.client.ack()
    world.crash()
    romeo.again()
    world.advance(299)  # it could not come while we were away, so it has some more time
    romeo.client.nothing_before()
    world.advance(2)
    romeo.client.expect("presence", type="unavailable", from_=juliet.client.jid)


def test_who_has_no_stream_management_has_half_a_minute(world: World, romeo: Managed) -> None:
    create(romeo.client, ROOM, "Romeo")
    nurse = world.online("nurse@localhost/kitchen")
    world.befriend(romeo.client, nurse)
    enter(nurse, ROOM, "Nurse")
    romeo.client.expect("presence", from_=f"{ROOM}/Nurse")
    romeo.client.ack()
    world.crash()
    romeo.again()
    romeo.client.expect("presence", type="unavailable", from_="nurse@localhost/kitchen")
    world.advance(29)
    romeo.client.nothing_before()
    world.advance(2)
    romeo.client.expect("presence", type="unavailable", from_=f"{ROOM}/Nurse")


def test_who_is_back_by_then_stays_in_his_rooms(world: World, romeo: Managed) -> None:
    create(romeo.client, ROOM, "Romeo")
    enter(world.online("nurse@localhost/kitchen"), ROOM, "Nurse")
    romeo.client.expect("presence", from_=f"{ROOM}/Nurse")
    romeo.client.ack()
    world.crash()
    romeo.again()
    nurse = world.online("nurse@localhost/hall")
    world.advance(40)
    nurse.sync()
    romeo.client.nothing_before()


def test_who_said_goodbye_before_the_crash_does_not_come_back_from_the_dead(
    world: World, romeo: Managed, juliet: Managed
) -> None:
    world.befriend(romeo.client, juliet.client)
    juliet.client.close()
    romeo.client.expect("presence", type="unavailable", from_=juliet.client.jid)
    romeo.client.ack()
    world.crash()
    assert find(juliet.again(), "errors:item-not-found") is not None
    romeo.again()
    romeo.client.nothing_before()


def test_nobody_resumes_the_session_of_another_after_a_crash(world: World, juliet: Managed) -> None:
    world.crash()
    assert find(world.authenticated("tybalt@localhost").resume(juliet.id, 0), "errors:item-not-found") is not None
    assert juliet.again().tag == RESUMED


def test_a_message_that_waits_in_the_spool_comes_once(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(archive=Archive(accounts=False)))
    romeo, juliet = Managed(world, "romeo@localhost/orchard"), Managed(world, "juliet@localhost/balcony")
    say(romeo.client, juliet.client.jid, "one")
    romeo.client.request_ack()
    handled = juliet.client.handled
    world.crash()
    juliet.again(handled)
    assert bodies(juliet.client) == ["one"]
    juliet.client.ack()
    world.turn()
    assert world.rows("SELECT * FROM spool") == []


def test_a_client_that_has_more_than_the_log_knows_is_believed(world: World, romeo: Managed, juliet: Managed) -> None:
    world.crash()
    assert juliet.again(juliet.client.handled + 5).tag == RESUMED
    romeo.again()
    say(romeo.client, juliet.client.jid, "one")
    handled = juliet.client.handled
    world.crash()
    assert juliet.again(handled).tag == RESUMED
    assert bodies(juliet.client) == ["one"]


def test_without_it_sessions_end_half_a_minute_after_the_start(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(stay=Stay(client_resume=False)))
    romeo, juliet = Managed(world, "romeo@localhost/orchard"), Managed(world, "juliet@localhost/balcony")
    say(romeo.client, juliet.client.jid, "one")
    romeo.client.request_ack()
    world.crash()
    assert find(juliet.again(), "errors:item-not-found") is not None
    world.advance(31)
    late = world.login("juliet@localhost/late")
    late.send("<presence/>")
    assert bodies(late) == ["one"]


def test_an_administrator_sees_who_may_still_come_back(world: World, romeo: Managed, juliet: Managed) -> None:
    world.crash()
    romeo.again()
    say(romeo.client, juliet.client.jid, "one")
    romeo.client.sync()
    away, here = world.parts.services[Users].sessions()
    assert (away.jid, away.is_connected, away.until) == (juliet.client.jid, False, world.clock.seconds() + 7200)
    assert (here.jid, here.is_connected, here.until) == (romeo.client.jid, True, None)
    assert away.queued >= 1
    assert (world.parts.lasting.restored.resumable, world.parts.lasting.restored.others) == (2, 0)


def test_what_is_known_of_a_session(world: World, juliet: Managed) -> None:
    jid = world.parts.sessions.get(juliet.client.jid).jid  # type: ignore[arg-type, union-attr]
    assert world.parts.sessions.until(jid) == float("inf")
    world.crash()
    assert world.parts.sessions.until(jid) == world.clock.seconds() + 7200
    juliet.again()
    assert world.parts.sessions.until(jid) == float("inf")
    juliet.client.close()
    assert world.parts.sessions.until(jid) is None
