"""What accounts that stand in rooms elsewhere cost, counted where stanzas come off the wire (docs/design/0006).

The figures in that document are those that this prints (`make chaos ARGS="-s -k figures"`).
"""

import gc
import os
import sys
from collections import Counter
from time import process_time

import pytest

from fermata.core.guardian.turns import PER_SECOND
from fermata.net.s2s_connection import ServerConnection
from fermata.services.standins import StandIns
from fermata.xmpp.element import Element
from fermata.xmpp.jid import JID
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter, join
from kit.pubsub import bookmark
from kit.stanzas import codes, text
from kit.wire import Client

pytestmark = pytest.mark.skipif("FERMATA_CHAOS" not in os.environ, reason="figures: make chaos")

A, B = "a.example", "b.example"
ROOMS, CLIENTS, OCCUPANTS, HISTORY = 40, 5, 100, 20


class Tap:
    """What comes off the connections between the servers, with the time at which it does."""

    def __init__(self, universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[tuple[float, Element]] = []
        take = ServerConnection._take_stanza

        def taken(connection: ServerConnection, trunk: object, stanza: Element, refusal: object) -> None:
            self.taken.append((universe.clock.seconds(), stanza))
            take(connection, trunk, stanza, refusal)  # type: ignore[arg-type]

        monkeypatch.setattr(ServerConnection, "_take_stanza", taken)

    def to(self, domain: str) -> list[tuple[float, Element]]:
        """That for a domain."""
        return [(at, stanza) for at, stanza in self.taken if JID.parse(stanza.get("to", "")).domain == domain]


@pytest.fixture
def tap(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> Tap:
    return Tap(universe, monkeypatch)


def rooms_of(there: FederatedWorld, count: int) -> tuple[Client, list[str]]:
    """So many rooms, and their owner, who is in all of them."""
    bob = there.online("bob@b.example/desk")
    rooms = [f"room{number}@conference.{B}" for number in range(count)]
    for room in rooms:
        create(bob, room, "Bob", persistentroom="1")
    return bob, rooms


def figure(line: str) -> None:
    """Prints what was found."""
    sys.stdout.write(f"\n{line}\n")


def say(client: Client, room: str, body: str) -> None:
    client.send(f"<message to='{room}' type='groupchat' id='{body}'><body>{body}</body></message>")


def test_a_message_comes_over_once_for_all_clients_of_an_account(
    here: FederatedWorld, there: FederatedWorld, tap: Tap
) -> None:
    bob, rooms = rooms_of(there, ROOMS)
    clients = [here.online(f"ann@a.example/client{number}") for number in range(CLIENTS)]
    for room in rooms:
        bookmark(clients[0], room, "Ann")
    here.advance(10)
    for client in clients:
        client.sync()
        for room in rooms:
            enter(client, room, "Ann")
    here.advance(10)
    for client in clients:
        client.sync()
    tap.taken.clear()
    for room in rooms:
        say(bob, room, "hello")
    bob.sync()
    heard = [sum(text(each, "body") == "hello" for each in client.sync()) for client in clients]
    assert heard == [ROOMS] * CLIENTS
    came = [stanza for _, stanza in tap.to(A) if stanza.tag == "message"]
    figure(f"{ROOMS} rooms, {CLIENTS} clients, a message in each room: {len(came)} come over, {sum(heard)} are told")
    assert Counter(JID.parse(each.get("from", "")).bare for each in came) == dict.fromkeys(rooms, 1)


def test_attaching_to_many_rooms_asks_nobody_elsewhere_and_is_cheap(
    here: FederatedWorld, there: FederatedWorld, tap: Tap
) -> None:
    bob, rooms = rooms_of(there, ROOMS)
    for number in range(OCCUPANTS - 2):
        guest = there.online(f"guest{number}@b.example/x")
        guest.send("".join(join(room, f"guest{number}", history="maxstanzas='0'") for room in rooms))
        guest.sync()
        bob.sync()
    ann = here.online("ann@a.example/phone")
    for room in rooms:
        bookmark(ann, room, "Ann")
    here.advance(20)
    for room in rooms:
        for number in range(HISTORY):
            say(bob, room, f"what is said for example, as number {number}")
    here.advance(20)
    for history in (0, HISTORY):
        tablet = here.online(f"ann@a.example/tablet{history}")
        tablet.sync()
        joins = "".join(join(room, "Ann", history=f"maxstanzas='{history}'") for room in rooms)
        tap.taken.clear()
        gc.collect()
        before = process_time()
        tablet.send(joins)
        taken = process_time() - before
        came = tablet.sync()
        assert sum(each.tag == "presence" for each in came) == ROOMS * OCCUPANTS
        assert sum("110" in codes(each) for each in came if each.tag == "presence") == ROOMS
        assert sum(text(each, "body") is not None for each in came) == ROOMS * history
        figure(f"attaching to {ROOMS} rooms of {OCCUPANTS} with {history} messages each: {taken * 1000:.0f} ms of CPU")
        assert tap.to(f"conference.{B}") == []
        assert taken < 0.150 * 3, "three times as long may be this machine's fault"


def test_after_a_start_all_are_asked_for_at_a_measured_pace_and_none_is_lost(
    here: FederatedWorld, there: FederatedWorld, tap: Tap
) -> None:
    bob, rooms = rooms_of(there, 200)
    people = [f"p{number}@a.example" for number in range(50)]
    for number, person in enumerate(people):
        client = here.online(f"{person}/x")
        for each in range(ROOMS):
            bookmark(client, rooms[(number * ROOMS + each) % len(rooms)], f"p{number}")
        client.close()
        here.advance(3)
    here.advance(60)
    for room in rooms:
        say(bob, room, "before")
    here.advance(60)
    bob.sync()
    here.die()
    tap.taken.clear()
    here.rise()
    here.advance(400)
    sent = [(at, stanza) for at, stanza in tap.to(f"conference.{B}") if stanza.tag != "presence"]
    pings = [at for at, stanza in sent if stanza[0].tag == "{urn:xmpp:ping}ping"]
    times = [at for at, _ in sent]
    most = max(sum(start <= at < start + 0.999 for at in times) for start in times)
    seconds = times[-1] - times[0]
    figure(
        f"{len(pings)} are asked for, {len(times) - len(pings)} ask what they have missed, in {seconds:.0f} s; {most=}"
    )
    assert len({stanza.get("from", "") + stanza.get("to", "").partition("/")[0] for _, stanza in sent}) == 2_000
    assert most <= PER_SECOND
    stand_ins = here.parts.services[StandIns]
    states = Counter(figure.state for person in people for figure in stand_ins.figures(JID.parse(person)))
    assert states == {"in": 2_000}
    assert [each.get("from") for each in bob.sync() if each.get("type") == "unavailable"] == []
