"""External components: who may connect, what they may send, and what waits for one that is not there (XEP-0114)."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from fermata.app.config_components import Components, External
from fermata.app.config_tables import Config, Limits
from fermata.xmpp.errors import StreamError
from kit import ns
from kit.component import Component
from kit.stanzas import error, find_all
from kit.wire import Client, StreamClosed
from kit.world import World

SECRET = "correct horse battery staple"
BODY = "x" * 8_000
MINUTE = 60.0
EXTERNAL = {
    "irc.localhost": External(SECRET, ("icq.localhost",)),
    "rooms.localhost": External(SECRET),
}


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    return worlds(Config(components=Components(external=EXTERNAL), limits=Limits(queue_stanzas=20)))


def component(world: World, domain: str = "irc.localhost") -> Component:
    return Component(world.connect_component(), domain)


@pytest.fixture
def irc(world: World) -> Component:
    return component(world).connect(SECRET)


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def enter_new_room(irc: Component, room: str) -> None:
    """Somebody at the component enters a room that does not exist yet, and opens it."""
    irc.send(f"<presence from='j@irc.localhost/x' to='{room}/juliet'><x xmlns='{ns.MUC}'/></presence>")
    submit = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>"
    irc.send(f"<iq type='set' id='o1' from='j@irc.localhost/x' to='{room}'>{submit}</iq>")
    irc.wait_for(lambda stanza: stanza.get("id") == "o1")


def ask(client: Client, to: str, id: str = "q1", payload: str = f"<query xmlns='{ns.VERSION}'/>") -> None:
    client.send(f"<iq type='get' id='{id}' to='{to}'>{payload}</iq>")


def say(client: Client, to: str, *ids: str, body: str = "hi") -> None:
    for id in ids:
        client.send(f"<message to='{to}' id='{id}' type='chat'><body>{body}</body></message>")


# Connecting


def test_a_component_needs_its_secret(world: World) -> None:
    stranger = component(world)
    assert stranger.begin()["from"] == "irc.localhost"
    stranger.shake_hands("something else")
    stranger.expect_stream_error("not-authorized")


def test_each_connection_has_a_stream_id_of_its_own(world: World) -> None:
    assert component(world).begin()["id"] != component(world).begin()["id"]


def test_a_domain_that_is_nobodys_is_refused_with_a_header_before_the_error(world: World) -> None:
    stranger = component(world, "other.localhost")
    assert stranger.begin()["from"] == "other.localhost"
    stranger.expect_stream_error("host-unknown")


def test_our_own_domains_are_no_components(world: World) -> None:
    for domain in ("localhost", "conference.localhost", "icq.localhost"):
        stranger = component(world, domain)
        stranger.begin()
        stranger.expect_stream_error("host-unknown")


def test_who_does_not_shake_hands_is_sent_away(world: World) -> None:
    stranger = component(world)
    stranger.begin()
    world.advance(MINUTE)
    stranger.expect_stream_error("connection-timeout")


def test_a_component_stays_connected_for_as_long_as_it_likes(world: World, irc: Component, romeo: Client) -> None:
    world.advance(3_600, silently=True)
    assert irc.synchronise() == []


def test_the_server_lists_its_components(irc: Component, romeo: Client) -> None:
    items = find_all(romeo.get(f"<query xmlns='{ns.DISCO_ITEMS}'/>", "localhost"), "items:query/items:item")
    listed = {each.get("jid") for each in items}
    own = {"conference.localhost", "pubsub.localhost"}
    assert listed == own | {"irc.localhost", "icq.localhost", "rooms.localhost"}


# Stanzas in both directions


def test_messages_go_both_ways(irc: Component, romeo: Client) -> None:
    say(romeo, "juliet@irc.localhost/x", "m1")
    irc.expect("message", "body", id="m1", from_=romeo.jid, to="juliet@irc.localhost/x", type="chat")
    irc.send(f"<message from='juliet@irc.localhost' to='{romeo.bare}' id='m2'><body>hi</body></message>")
    romeo.expect("message", "body", id="m2", from_="juliet@irc.localhost", to=romeo.bare)


def test_requests_go_both_ways(irc: Component, romeo: Client) -> None:
    ask(romeo, "irc.localhost")
    irc.answer(irc.expect("iq", "version:query", type="get", from_=romeo.jid), f"<query xmlns='{ns.VERSION}'/>")
    romeo.expect("iq", "version:query", type="result", id="q1", from_="irc.localhost")
    assert irc.get(f"<query xmlns='{ns.DISCO_INFO}'/>", "localhost").get("from") == "localhost"


def test_it_may_send_from_each_of_its_domains_and_is_reached_at_each(irc: Component, romeo: Client) -> None:
    irc.send(f"<message from='a@icq.localhost' to='{romeo.jid}' id='m1'/>")
    romeo.expect("message", id="m1", from_="a@icq.localhost")
    say(romeo, "a@icq.localhost", "m2")
    irc.expect("message", id="m2", to="a@icq.localhost")


def test_presence_and_subscriptions_work_as_with_any_domain(world: World, irc: Component, romeo: Client) -> None:
    romeo.get(f"<query xmlns='{ns.ROSTER}'/>")
    romeo.send("<presence type='subscribe' to='juliet@irc.localhost'/>")
    irc.expect("presence", type="subscribe", from_=romeo.bare, to="juliet@irc.localhost")
    irc.send(f"<presence type='subscribed' from='juliet@irc.localhost' to='{romeo.bare}'/>")
    irc.send(f"<presence from='juliet@irc.localhost/x' to='{romeo.bare}'><show>away</show></presence>")
    romeo.wait_for(lambda stanza: stanza.get("type") == "subscribed")
    romeo.wait_for(lambda stanza: stanza.findtext("show") == "away")
    irc.send(f"<presence type='subscribe' from='juliet@irc.localhost' to='{romeo.bare}'/>")
    romeo.expect("presence", type="subscribe")
    romeo.send("<presence type='subscribed' to='juliet@irc.localhost'/>")
    irc.wait_for(lambda stanza: stanza.get("from") == romeo.jid and stanza.get("type") is None)
    romeo.send("<presence type='unavailable'/>")
    irc.expect("presence", type="unavailable", from_=romeo.jid, to="juliet@irc.localhost")


def test_somebody_at_a_component_enters_our_rooms(irc: Component, romeo: Client) -> None:
    romeo.send(f"<presence to='tea@conference.localhost/romeo'><x xmlns='{ns.MUC}'/></presence>")
    romeo.sync("tea@conference.localhost/romeo")
    romeo.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", "tea@conference.localhost")
    irc.send(
        f"<presence from='j@irc.localhost/x' to='tea@conference.localhost/juliet'><x xmlns='{ns.MUC}'/></presence>"
    )
    irc.wait_for(lambda stanza: stanza.tag == "message" and stanza.find("subject") is not None)
    romeo.wait_for(lambda stanza: stanza.get("from") == "tea@conference.localhost/juliet")
    romeo.send("<message to='tea@conference.localhost' type='groupchat' id='g1'><body>hi</body></message>")
    irc.expect("message", id="g1", to="j@irc.localhost/x", from_="tea@conference.localhost/romeo")


def test_a_component_is_told_what_cannot_be_done(irc: Component) -> None:
    irc.send("<message to='nobody@localhost' id='m1' type='chat'><body>hi</body></message>")
    irc.expect_error("message", "service-unavailable", id="m1", to="irc.localhost", from_="nobody@localhost")
    irc.send("<iq type='get' id='q1' to='elsewhere.example'><x xmlns='y'/></iq>")
    irc.expect_error("iq", "remote-server-not-found", id="q1")


@pytest.mark.parametrize(
    ("stanza", "condition"),
    [
        ("<message id='x'><body>hi</body></message>", "bad-request"),
        ("<message id='x' to='@'><body>hi</body></message>", "jid-malformed"),
        ("<iq id='x' to='localhost' type='get'/>", "bad-request"),
        ("<iq id='x' to='localhost' type='what'><x xmlns='y'/></iq>", "bad-request"),
    ],
)
def test_what_is_malformed_is_refused_and_nothing_ends(irc: Component, stanza: str, condition: str) -> None:
    irc.send(stanza)
    assert error(irc.next())[1] == condition
    irc.nothing_before("localhost")


def test_a_stanza_that_is_too_large_is_refused_and_nothing_ends(irc: Component, romeo: Client) -> None:
    irc.send(f"<message to='{romeo.jid}' id='m1'><body>{'x' * 300_000}</body></message>")
    irc.expect_error("message", "policy-violation", id="m1")
    irc.nothing_before("localhost")
    romeo.nothing_before()


# Bad components


@pytest.mark.parametrize(
    "sender", ["romeo@localhost", "localhost", "x@rooms.localhost", "x@evil.irc.localhost", "conference.localhost", "@"]
)
def test_who_sends_from_a_foreign_domain_is_sent_away(irc: Component, romeo: Client, sender: str) -> None:
    irc.send(f"<message from='{sender}' to='{romeo.jid}'><body>hi</body></message>")
    irc.expect_stream_error("invalid-from")
    romeo.nothing_before()


def test_a_large_stanza_from_a_foreign_domain_is_no_better(irc: Component, romeo: Client) -> None:
    irc.send(f"<message from='{romeo.jid}' to='{romeo.jid}'><body>{'x' * 300_000}</body></message>")
    irc.expect_stream_error("invalid-from")


def test_the_newer_of_two_connections_of_one_component_is_the_one(world: World, irc: Component, romeo: Client) -> None:
    newer = component(world).connect(SECRET)
    irc.expect_stream_error("conflict")
    say(romeo, "x@irc.localhost", "m1")
    newer.expect("message", id="m1")
    world.advance(2 * MINUTE)
    newer.nothing_before("localhost")


def test_who_does_not_know_the_secret_disturbs_no_other(world: World, irc: Component, romeo: Client) -> None:
    stranger = component(world)
    stranger.begin()
    stranger.shake_hands("wrong")
    stranger.expect_stream_error("not-authorized")
    say(romeo, "x@irc.localhost", "m1")
    irc.expect("message", id="m1")


def test_half_a_stanza_of_one_that_dies_is_nothing(world: World, irc: Component, romeo: Client) -> None:
    irc.send(f"<message to='{romeo.jid}' id='m1'><body>hi</body></message><message to='{romeo.jid}' id='m2'><bo")
    irc.cut()
    romeo.expect("message", id="m1")
    romeo.nothing_before()
    again = component(world).connect(SECRET)
    again.send(f"<message to='{romeo.jid}' id='m3'/>")
    romeo.expect("message", id="m3")


@pytest.mark.parametrize("garbage", ["<a><b></a>", "</message>", "<!-- x -->", "<message>&nbsp;</message>", "x"])
def test_who_sends_no_xml_is_sent_away(irc: Component, romeo: Client, garbage: str) -> None:
    irc.send(garbage)
    irc.wait_for(lambda element: element.tag == f"{{{ns.STREAMS}}}error")
    assert romeo.sync() == []


def test_a_component_that_pauses_gets_everything_in_order(irc: Component, romeo: Client) -> None:
    ids = [f"m{number}" for number in range(18)]
    say(romeo, "x@irc.localhost", *ids, body=BODY)
    romeo.nothing_before()
    assert [stanza.get("id") for stanza in irc.synchronise()] == ids


def test_one_that_never_reads_is_cut_off_and_whoever_writes_to_it_is_told(
    world: World, irc: Component, romeo: Client
) -> None:
    ids = [f"m{number}" for number in range(60)]
    say(romeo, "x@irc.localhost", *ids, body=BODY)
    refused = [stanza for stanza in romeo.sync() if stanza.get("type") == "error"]
    assert {error(stanza) for stanza in refused} == {("wait", "resource-constraint")}
    got = []
    while (stanza := irc.next()).tag == "message":
        got.append(stanza.get("id"))
    again = component(world).connect(SECRET)
    got += [stanza.get("id") for stanza in again.synchronise()]
    assert got + [stanza.get("id") for stanza in refused] == ids


def test_one_that_has_stopped_reading_is_cut_off_after_a_while(world: World, irc: Component, romeo: Client) -> None:
    say(romeo, "x@irc.localhost", *[f"m{number}" for number in range(10)], body=BODY)
    romeo.nothing_before()
    world.advance(MINUTE)
    refused = romeo.sync()
    assert {error(stanza) for stanza in refused} == {("wait", "remote-server-timeout")}
    got = []
    while (stanza := irc.next()).tag == "message":
        got.append(stanza.get("id"))
    assert got + [stanza.get("id") for stanza in refused] == [f"m{number}" for number in range(10)]


# One that is not there


def test_what_is_sent_to_one_that_restarts_waits_for_it_in_order(world: World, irc: Component, romeo: Client) -> None:
    irc.close()
    say(romeo, "x@irc.localhost", "m1", "m2")
    ask(romeo, "irc.localhost", "q1")
    romeo.send("<presence to='x@irc.localhost/y' id='p1'/>")
    world.advance(MINUTE - 1)
    romeo.nothing_before()
    again = component(world).connect(SECRET)
    say(romeo, "x@irc.localhost", "m3")
    assert [stanza.get("id") for stanza in again.synchronise()] == ["m1", "m2", "q1", "p1", "m3"]


def test_after_a_minute_senders_are_told_that_it_does_not_answer(world: World, irc: Component, romeo: Client) -> None:
    irc.cut()
    say(romeo, "x@irc.localhost", "m1")
    ask(romeo, "irc.localhost", "q1")
    romeo.send(f"<presence to='x@irc.localhost/y' id='p1'><x xmlns='{ns.MUC}'/></presence>")
    world.advance(MINUTE)
    refused = romeo.sync()
    assert [(stanza.get("id"), *error(stanza)) for stanza in refused] == [
        (id, "wait", "remote-server-timeout") for id in ("m1", "q1", "p1")
    ]


def test_from_then_on_nobody_is_kept_waiting(world: World, irc: Component, romeo: Client) -> None:
    irc.cut()
    world.advance(MINUTE)
    ask(romeo, "irc.localhost")
    romeo.expect_error("iq", "remote-server-timeout", "wait", id="q1")
    again = component(world).connect(SECRET)
    ask(romeo, "irc.localhost", "q2")
    assert [stanza.get("id") for stanza in again.synchronise()] == ["q2"]


def test_one_that_has_not_come_yet_is_waited_for_after_the_start(world: World, romeo: Client) -> None:
    say(romeo, "x@irc.localhost", "m1")
    component(world).connect(SECRET).expect("message", id="m1")


def test_who_only_says_goodbye_is_told_nothing(world: World, irc: Component, romeo: Client) -> None:
    irc.cut()
    romeo.send("<presence type='unavailable' to='x@irc.localhost/y'/>")
    romeo.send("<iq type='result' id='r1' to='irc.localhost'/>")
    romeo.send("<message type='error' to='x@irc.localhost'><body>hi</body></message>")
    world.advance(MINUTE)
    romeo.nothing_before()


@pytest.mark.parametrize("minutes", [0.0, 1.0])
def test_a_self_ping_to_its_rooms_is_never_answered_by_us(world: World, romeo: Client, minutes: float) -> None:
    # Any error that we could give says "you are in" or "you are out": nobody here knows (XEP-0410 §3.2).
    world.advance(minutes * MINUTE)
    ask(romeo, "tea@rooms.localhost/romeo", "s1", f"<ping xmlns='{ns.PING}'/>")
    world.advance(2 * MINUTE)
    romeo.nothing_before()


def test_too_much_for_one_that_is_not_there_is_refused(world: World, romeo: Client) -> None:
    ids = [f"m{number}" for number in range(25)]
    say(romeo, "x@irc.localhost", *ids)
    refused = romeo.sync()
    assert [(stanza.get("id"), *error(stanza)) for stanza in refused] == [
        (id, "wait", "resource-constraint") for id in ids[20:]
    ]
    assert [stanza.get("id") for stanza in component(world).connect(SECRET).synchronise()] == ids[:20]


def test_nobody_leaves_a_room_because_a_component_is_away(world: World, irc: Component, romeo: Client) -> None:
    room = "tea@conference.localhost"
    enter_new_room(irc, room)
    irc.cut()
    romeo.send(f"<presence to='{room}/romeo'><x xmlns='{ns.MUC}'/></presence>")
    romeo.send(f"<message to='{room}' type='groupchat' id='g1'><body>hi</body></message>")
    world.advance(2 * MINUTE)
    romeo.send(f"<message to='{room}' type='groupchat' id='g2'><body>hi</body></message>")
    assert [stanza for stanza in romeo.sync() if stanza.get("type") == "unavailable"] == []
    mercutio = world.online("mercutio@localhost/square")
    mercutio.send(f"<presence to='{room}/mercutio'><x xmlns='{ns.MUC}'/></presence>")
    mercutio.expect("presence", from_=f"{room}/juliet", type=None)


def test_a_private_message_in_a_room_to_one_that_is_away_is_refused_to_its_author(
    world: World, irc: Component, romeo: Client
) -> None:
    room = "tea@conference.localhost"
    enter_new_room(irc, room)
    romeo.send(f"<presence to='{room}/romeo'><x xmlns='{ns.MUC}'/></presence>")
    romeo.sync()
    irc.cut()
    world.advance(MINUTE)
    ask(romeo, f"{room}/juliet")
    romeo.expect_error("iq", "remote-server-timeout", "wait", id="q1")


# What a sender was told is safe here


@pytest.fixture
def juliet(world: World) -> Client:
    """Her client counts what is safe with us."""
    juliet = world.login("juliet@localhost/balcony")
    juliet.enable()
    return juliet


def spooled(world: World) -> int:
    return len(world.rows("select * from spool"))


def test_what_was_acknowledged_waits_through_a_crash(world: World, juliet: Client) -> None:
    say(juliet, "x@irc.localhost", "m1", "m2")
    assert juliet.request_ack() == 2
    world.crash()
    romeo = world.online("romeo@localhost/orchard")
    say(romeo, "x@irc.localhost", "m3")
    irc = component(world).connect(SECRET)
    assert [stanza.get("id") for stanza in irc.synchronise()] == ["m1", "m2", "m3"]
    world.turn()
    assert spooled(world) == 0


def test_what_has_reached_the_component_is_not_sent_again(world: World, irc: Component, juliet: Client) -> None:
    say(juliet, "x@irc.localhost", "m1")
    irc.expect("message", id="m1")
    world.turn()
    assert spooled(world) == 0
    world.crash()
    component(world).connect(SECRET).nothing_before("localhost")


def test_what_it_has_not_read_waits_on_disk(world: World, irc: Component, juliet: Client) -> None:
    say(juliet, "x@irc.localhost", *[f"m{number}" for number in range(15)], body=BODY)
    assert juliet.request_ack() == 15
    assert spooled(world) > 0
    assert len(irc.synchronise()) == 15
    world.turn()
    assert spooled(world) == 0


def test_what_has_been_refused_does_not_wait_any_more(world: World, juliet: Client) -> None:
    say(juliet, "x@irc.localhost", "m1")
    world.advance(MINUTE)
    juliet.expect_error("message", "remote-server-timeout", id="m1")
    assert spooled(world) == 0


def test_after_a_crash_too_senders_are_told_if_nobody_comes(world: World, juliet: Client) -> None:
    say(juliet, "x@irc.localhost", "m1")
    assert juliet.request_ack() == 1
    world.crash()
    again = world.online("juliet@localhost/balcony")
    world.advance(MINUTE)
    again.expect_error("message", "remote-server-timeout", id="m1")


def test_what_need_not_last_is_counted_all_the_same(world: World, juliet: Client) -> None:
    juliet.send(
        "<message to='x@irc.localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    ask(juliet, "irc.localhost")
    assert juliet.request_ack() == 2
    assert spooled(world) == 0


def test_what_somebody_here_says_is_in_his_archive(world: World, irc: Component, romeo: Client) -> None:
    say(romeo, "x@irc.localhost", "m1")
    irc.expect("message", id="m1")
    irc.send(f"<message from='x@irc.localhost' to='{romeo.jid}' type='chat' id='m2'><body>ho</body></message>")
    romeo.expect("message", id="m2")
    parties = world.rows("select sender, recipient from archive order by seq")
    assert parties == [(romeo.jid, "x@irc.localhost"), ("x@irc.localhost", romeo.jid)]


# The end


def test_a_component_that_ends_its_stream_is_answered(irc: Component) -> None:
    irc.send("</stream:stream>")
    irc.expect_end()


def test_at_the_end_components_are_told(world: World, irc: Component) -> None:
    Deferred.fromCoroutine(world.parts.components.close(StreamError("system-shutdown")))
    irc.expect_stream_error("system-shutdown")
    with pytest.raises((StreamClosed, ConnectionError)):
        irc.synchronise()


def test_the_secret_is_in_no_log(world: World) -> None:
    with capturedLogs() as events:
        component(world).connect(SECRET)
    assert "The component irc.localhost is connected" in [formatEvent(event) for event in events]
    assert SECRET not in repr(events)
