"""Accounts that stand in rooms of another server, over cuts, crashes and starts on either side (docs/design/0006)."""

from dataclasses import replace

import pytest

from fermata.app.config_tables import Config
from fermata.core.guardian.turns import PER_SECOND
from fermata.host.federation import Pair
from fermata.services.shutting_down import ShuttingDown
from fermata.services.standins import StandIns
from fermata.xmpp.jid import JID
from kit import ns
from kit.archives import bodies, page, query
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter
from kit.pubsub import bookmark
from kit.stanzas import codes, find_all, show, text
from kit.wire import Client

ROOM = "tea@conference.b.example"
A, B = "a.example", "b.example"
EVERYTHING = query(fields={"include-groupchat": "true"})


@pytest.fixture
def bob(there: FederatedWorld) -> Client:
    """The owner of the room, in it."""
    client = there.online("bob@b.example/desk")
    create(client, ROOM, "Bob")
    return client


@pytest.fixture
def ann(here: FederatedWorld, bob: Client) -> Client:
    """A person whose account is in the room; her phone is not attached."""
    client = here.online("ann@a.example/phone")
    bookmark(client, ROOM, "Ann")
    bob.expect("presence", from_=f"{ROOM}/Ann")
    return client


def say(client: Client, body: str) -> None:
    client.send(f"<message to='{ROOM}' type='groupchat' id='{body}'><body>{body}</body></message>")


def hears(client: Client, body: str) -> None:
    client.wait_for(lambda stanza: stanza.tag == "message" and text(stanza, "body") == body)


def somebody_left(client: Client) -> list[str]:
    """Whose leaving a client has seen since it was last asked."""
    return [each.get("from", "") for each in client.sync() if each.get("type") == "unavailable"]


def states(client: Client) -> set[str]:
    asked = client.get(f"<rooms xmlns='{ns.JOINING}'/>", client.bare)[0]
    return {each.get("state", "") for each in asked}


def sent(world: FederatedWorld, local: str, remote: str) -> int:
    """How many stanzas have gone that way."""
    return world.parts.federating.federation.links.by_pair[Pair(local, remote)].sent


def test_in_with_every_client_off_over_a_restart_and_out_for_good(
    here: FederatedWorld, ann: Client, bob: Client
) -> None:
    entry = enter(ann, ROOM, "Ann")
    assert [each.get("from") for each in entry.others] == [f"{ROOM}/Bob"]
    tablet = here.online("ann@a.example/tablet")
    ann.sync()
    enter(tablet, ROOM, "Ann")
    say(tablet, "hello")
    for client in (ann, tablet, bob):
        hears(client, "hello")
    ann.cut()
    tablet.close()
    here.advance(100)
    say(bob, "anybody?")
    here.advance(10)
    here.crash()
    here.advance(300)
    say(bob, "still?")
    here.advance(10)
    assert somebody_left(bob) == []
    again = here.online("ann@a.example/laptop")
    assert states(again) == {"in"}
    assert bodies(page(again, EVERYTHING)) == ["hello", "anybody?", "still?"]
    entry = enter(again, ROOM, "Ann")
    assert [each.get("from") for each in entry.others] == [f"{ROOM}/Bob"]
    assert somebody_left(bob) == []
    say(again, "I am")
    hears(bob, "I am")
    retract = f"<retract node='{ns.BOOKMARKS}'><item id='{ROOM}'/></retract>"
    again.send(f"<iq type='set' id='r'><pubsub xmlns='{ns.PUBSUB}'>{retract}</pubsub></iq>")
    again.wait_for(lambda stanza: stanza.get("id") == "r")
    again.send(f"<presence to='{ROOM}/Ann' type='unavailable'/>")
    assert codes(again.wait_for(lambda stanza: stanza.get("type") == "unavailable")) == {"110"}
    here.advance(70)
    assert somebody_left(bob) == [f"{ROOM}/Ann"]
    assert states(again) == set()


def test_nobody_in_a_room_elsewhere_can_forge_ids_of_the_accounts_archive(
    here: FederatedWorld, ann: Client, bob: Client
) -> None:
    enter(ann, ROOM, "Ann")
    forged = "<stanza-id xmlns='urn:xmpp:sid:0' by='ann@a.example' id='forged'/>"
    bob.send(f"<message to='{ROOM}' type='groupchat'><body>hello</body>{forged}</message>")
    bob.send(f"<message to='{ROOM}/Ann' type='chat'><body>psst</body>{forged}</message>")
    for type in ("groupchat", "chat"):
        message = ann.wait_for(lambda stanza, type=type: stanza.get("type") == type)
        ids = {(each.get("by"), each.get("id")) for each in find_all(message, "sid:stanza-id")}
        assert ("ann@a.example", "forged") not in ids
    for result in page(ann, EVERYTHING).results:
        assert "forged" not in show(result)


def test_a_cut_is_seen_by_nobody(universe: Universe, here: FederatedWorld, ann: Client, bob: Client) -> None:
    enter(ann, ROOM, "Ann")
    ann.sync()
    universe.refuse(A, B)
    say(bob, "lost?")
    here.advance(200)
    universe.heal(A, B)
    here.advance(400)
    hears(ann, "lost?")
    assert somebody_left(bob) == []
    assert somebody_left(ann) == []
    say(ann, "hello")
    hears(bob, "hello")


def test_a_way_that_swallows_everything_is_found_out(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    enter(ann, ROOM, "Ann")
    universe.swallow(A, B)
    say(bob, "lost?")
    here.advance(300)
    universe.heal(A, B)
    here.advance(2000)
    say(bob, "hello")
    hears(ann, "hello")
    assert somebody_left(bob) == []


def test_the_rooms_server_crashes(here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client) -> None:
    enter(ann, ROOM, "Ann")
    there.crash()
    bob = there.online("bob@b.example/desk")
    enter(bob, ROOM, "Bob")
    here.advance(400)
    say(bob, "hello")
    hears(ann, "hello")
    assert somebody_left(bob) == []


def shut_down(there: FederatedWorld) -> None:
    """The rooms' server says that it will be away for long, and is."""
    ending = there.parts.services[ShuttingDown]
    there.do(ending.begin(0.0, "New disks", away_seconds=7_200))
    there.do(ending.farewell())
    there.advance(1.0)
    there.die()


@pytest.mark.parametrize(("away", "told"), [(300, []), (1200, [{"110", "332"}])], ids=["five minutes", "twenty"])
def test_a_room_that_shuts_down_and_comes_back_is_shown_to_have_done_so_after_ten_minutes(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client, away: float, told: list[set[str]]
) -> None:
    enter(ann, ROOM, "Ann")
    ann.sync()
    shut_down(there)
    here.advance(away)
    assert [codes(each) for each in ann.sync() if each.get("type") == "unavailable"] == told
    there.rise()
    bob = there.online("bob@b.example/desk")
    enter(bob, ROOM, "Bob")
    here.advance(1200)
    assert states(ann) == {"in"}
    say(bob, "we are back")
    here.advance(10)
    came = ann.sync()
    assert [each for each in came if each.get("type") == "unavailable"] == []
    assert [text(each, "body") for each in came if text(each, "body")] == ([] if told else ["we are back"])
    assert bodies(page(ann, EVERYTHING)) == ["we are back"]


def test_a_room_that_has_forgotten_us_is_entered_again_and_clients_see_what_is_new(
    universe: Universe, here: FederatedWorld
) -> None:
    config = Config()
    there = universe.server(B, replace(config, stay=replace(config.stay, journal=False)))
    bob = there.online("bob@b.example/desk")
    create(bob, ROOM, "Bob", persistentroom="1")
    cyd = there.online("cyd@b.example/desk")
    enter(cyd, ROOM, "Cyd")
    ann = here.online("ann@a.example/phone")
    bookmark(ann, ROOM, "Ann")
    here.advance(5)
    enter(ann, ROOM, "Ann")
    say(bob, "before")
    hears(ann, "before")
    there.crash()
    bob = there.online("bob@b.example/desk")
    enter(bob, ROOM, "Bob")
    say(bob, "missed")
    here.advance(200)
    assert [codes(each) for each in bob.sync() if each.get("from") == f"{ROOM}/Ann"] == [set()]
    came = ann.sync()
    assert [each.get("from") for each in came if each.tag == "presence" and each.get("type")] == [f"{ROOM}/Cyd"]
    assert [text(each, "body") for each in came if text(each, "body")] == ["missed"]
    assert bodies(page(ann, EVERYTHING)) == ["before", "missed"]


def test_a_client_that_outlives_a_crash_sees_who_has_left_meanwhile(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    cyd = there.online("cyd@b.example/desk")
    enter(cyd, ROOM, "Cyd")
    tablet = here.login("ann@a.example/tablet")
    id = tablet.enable().get("id", "")
    tablet.available()
    tablet.sync()
    enter(tablet, ROOM, "Ann")
    handled = tablet.handled
    here.die()
    cyd.send(f"<presence to='{ROOM}/Cyd' type='unavailable'/>")
    there.advance(120)
    # A day later, nobody tells us of that any more.
    there.parts.federating.federation.links.by_pair.clear()
    here.rise()
    tablet = here.authenticated("ann@a.example")
    tablet.resume(id, handled)
    came = []
    for _ in range(20):
        here.advance(10)
        came += tablet.sync()
    left = [each.get("from", "") for each in came if each.get("type") == "unavailable"]
    assert [each for each in left if each.startswith(ROOM)] == [f"{ROOM}/Cyd"]


def test_a_message_comes_over_once_for_all_clients(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    clients = [ann]
    for number in range(4):
        clients.append(here.online(f"ann@a.example/client{number}"))
    for client in clients:
        client.sync()
    for client in clients:
        enter(client, ROOM, "Ann")
    here.advance(20)
    before = sent(there, "conference.b.example", A)
    for number in range(10):
        say(bob, f"m{number}")
    for client in clients:
        hears(client, "m9")
    assert sent(there, "conference.b.example", A) - before == 10


def test_whoever_was_in_before_he_bookmarked_the_room_is_seen_neither_to_leave_nor_to_enter(
    here: FederatedWorld, there: FederatedWorld, bob: Client
) -> None:
    phone = here.online("ann@a.example/phone")
    enter(phone, ROOM, "Ann")
    say(bob, "before")
    bookmark(phone, ROOM, "Ann")
    here.advance(5)
    tablet = here.online("ann@a.example/tablet")
    phone.sync()
    assert [text(each, "body") for each in enter(tablet, ROOM, "Ann").history] == ["before"]
    say(tablet, "hello")
    for client in (phone, tablet):
        hears(client, "hello")
    bob.send(f"<message to='{ROOM}/Ann' type='chat'><body>psst</body></message>")
    bob.sync()
    for client in (phone, tablet):
        assert [text(each, "body") for each in client.sync() if each.tag == "message"] == ["psst"]
    assert bodies(page(tablet, EVERYTHING)) == ["before", "hello", "psst"]
    phone.cut()
    tablet.close()
    here.advance(200)
    came = [each for each in bob.sync() if each.get("from") == f"{ROOM}/Ann"]
    assert {each.get("type") for each in came} <= {None, "groupchat"}
    assert came[-1].findtext("show") == "xa"
    there.advance(1)


def test_attaching_asks_nobody_elsewhere(here: FederatedWorld, ann: Client, bob: Client) -> None:
    enter(ann, ROOM, "Ann")
    here.advance(20)
    before = sent(here, A, "conference.b.example")
    for number in range(3):
        client = here.online(f"ann@a.example/client{number}")
        assert [each.get("from") for each in enter(client, ROOM, "Ann").others] == [f"{ROOM}/Bob"]
    assert sent(here, A, "conference.b.example") == before


def test_after_a_start_all_are_asked_for_and_not_all_at_once(here: FederatedWorld, there: FederatedWorld) -> None:
    bob = there.online("bob@b.example/desk")
    rooms = [f"room{number}@conference.b.example" for number in range(15)]
    for room in rooms:
        create(bob, room, "Bob")
    people = [f"p{number}@a.example" for number in range(4)]
    for person in people:
        client = here.online(f"{person}/x")
        for room in rooms:
            bookmark(client, room, person[:2])
        client.close()
    here.advance(60)
    bob.sync()
    here.crash()
    times: list[float] = []
    stand_in_rooms = here.parts.standing_in._rooms
    ask = stand_in_rooms.ask
    here.parts.standing_in._guard._ask = lambda iq, to: (times.append(here.clock.seconds()), ask(iq, to))[1]
    here.advance(200)
    assert len(times) == len(rooms) * len(people)
    assert max(sum(1 for each in times if start <= each < start + 1) for start in times) <= PER_SECOND
    for person in people:
        assert states(here.online(f"{person}/y")) == {"in"}
    assert somebody_left(bob) == []


def test_two_accounts_in_one_room_are_two(here: FederatedWorld, ann: Client, bob: Client) -> None:
    eve = here.online("eve@a.example/x")
    bookmark(eve, ROOM, "Eve")
    bob.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Eve")
    enter(ann, ROOM, "Ann")
    say(bob, "hello")
    hears(ann, "hello")
    assert [each.tag for each in eve.sync()] == []
    views = [
        holder.rooms[JID.parse(ROOM)].state.view
        for person in ("ann", "eve")
        if (holder := here.parts.services[StandIns].holder(JID.parse(f"{person}@a.example"))) is not None
    ]
    bob.send(f"<presence to='{ROOM}/Bob'><show>away</show></presence>")
    here.turn()
    assert views[0].others["Bob"] is views[1].others["Bob"], "what is the same is kept once"
    assert views[0].others is not views[1].others


def test_a_room_on_a_server_that_is_not_there_is_tried_for_ever_and_harms_nobody(
    universe: Universe, here: FederatedWorld
) -> None:
    ann = here.online("ann@a.example/phone")
    bookmark(ann, ROOM, "Ann")
    here.advance(3000)
    assert states(ann) <= {"fallen", "entering"}
    there = universe.server(B)
    bob = there.online("bob@b.example/desk")
    create(bob, ROOM, "Bob")
    here.advance(2000)
    assert states(ann) == {"in"}
