"""The come-back call and MUC push from end to end: the rooms' server goes away, and people elsewhere are called."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Config, Stay
from fermata.services.shutting_down import ShuttingDown
from kit import ns
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter, entered
from kit.stanzas import Element, codes, find, text
from kit.wire import Client

A, B = "a.example", "b.example"
ROOM = f"tea@conference.{A}"
ANN, BOB = f"ann@{A}/phone", f"bob@{B}/desk"
HOUR = 3_600.0

Here = Callable[..., FederatedWorld]


@pytest.fixture(params=[True, False], ids=["journal", "no journal"])
def here(universe: Universe, there: FederatedWorld, request: pytest.FixtureRequest) -> FederatedWorld:
    """The rooms' server."""
    return universe.server(A, Config(stay=Stay(journal=request.param)))


forgetful = pytest.mark.parametrize("here", [False], indirect=True, ids=["no journal"])


def meet(here: FederatedWorld, there: FederatedWorld) -> tuple[Client, Client]:
    """Ann has made a room, and Bob, who wants to be called back, is in it."""
    ann = here.online(ANN)
    create(ann, ROOM, "Ann")
    bob = there.online(BOB)
    bob.send(f"<presence to='{ROOM}/Bob'><x xmlns='{ns.MUC}'><restart-notify xmlns='{ns.RESTART}'/></x></presence>")
    entered(bob, ROOM)
    ann.sync(f"{ROOM}/Ann")
    return ann, bob


def stop(here: FederatedWorld) -> None:
    """An announced stop of the rooms' server; what it has said is on its way before it is gone."""
    ending = here.parts.services[ShuttingDown]
    here.do(ending.begin(0.0, "New disks", away_seconds=2 * HOUR))
    here.do(ending.farewell())
    here.advance(1.0)
    here.die()


def is_called(bob: Client) -> None:
    """Bob gets the call, does what a client does with it, and is in again."""
    call = bob.wait_for(is_call, timeout=60.0)
    assert (call.get("from"), call.get("to"), call.get("type")) == (ROOM, BOB, None)
    assert bob.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{ROOM}/Bob") == ("cancel", "not-acceptable")
    enter(bob, ROOM, "Bob")


def is_call(stanza: Element) -> bool:
    return find(stanza, "user:x/user:invite") is not None and find(stanza, "restart:back-online") is not None


def is_push(stanza: Element) -> bool:
    return find(stanza, "pubsub:pubsub/pubsub:publish") is not None


def owed(here: FederatedWorld) -> list[str]:
    return [jid for (jid,) in here.rows("SELECT jid FROM invite ORDER BY jid")]


def test_everybody_is_called_back_after_an_announced_stop(here: FederatedWorld, there: FederatedWorld) -> None:
    """A graceful shutdown remembers the full JIDs; when the service is back it sends them invitations."""
    _, bob = meet(here, there)
    stop(here)
    gone = bob.wait_for(lambda stanza: stanza.tag == "presence" and "332" in codes(stanza))
    assert (gone.get("from"), codes(gone)) == (f"{ROOM}/Bob", {"110", "332"})
    assert (text(gone, "user:x/user:item/user:reason") or "").startswith("New disks")
    there.advance(HOUR)
    here.rise()
    is_called(bob)
    assert BOB not in owed(here)
    there.advance(60.0)
    assert not [stanza for stanza in bob.sync() if is_call(stanza)], "once is enough"


@forgetful
def test_everybody_is_called_back_after_a_crash_that_nobody_was_told_of(
    here: FederatedWorld, there: FederatedWorld
) -> None:
    _, bob = meet(here, there)
    here.die()
    there.advance(60.0)
    assert not [stanza for stanza in bob.sync() if stanza.get("type") == "unavailable"], "he believes to be in"
    here.rise()
    is_called(bob)


@forgetful
def test_who_has_registered_is_woken_when_the_room_is_back(here: FederatedWorld, there: FederatedWorld) -> None:
    """A client that has registered its full JID learns at the start, at the latest by a message, that it is out."""
    ann, bob = meet(here, there)
    bob.send(f"<presence to='{ROOM}/Bob'><x xmlns='{ns.MUC}'/></presence>")  # no invitation, please
    entered(bob, ROOM)
    bob.set(f"<enable xmlns='{ns.PUSH}' jid='{BOB}' node='tea'/>", ROOM)
    there.advance(60.0)  # what his server has sent is acknowledged
    here.crash()
    push = bob.wait_for(is_push, timeout=60.0)
    bob.send(f"<iq type='result' id='{push.get('id')}' to='{ROOM}'/>")
    assert bob.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{ROOM}/Bob") == ("cancel", "not-acceptable")
    enter(bob, ROOM, "Bob")
    ann = here.online(ANN)
    enter(ann, ROOM, "Ann")
    ann.send(f"<message to='{ROOM}' type='groupchat'><body>hello</body></message>")
    bob.wait_for(lambda stanza: stanza.findtext("body") == "hello")
    assert not [stanza for stanza in bob.sync() if is_push(stanza)]


def test_a_call_waits_for_a_way_to_the_other_server(
    universe: Universe, here: FederatedWorld, there: FederatedWorld
) -> None:
    _, bob = meet(here, there)
    stop(here)
    universe.refuse(A, B)
    here.rise()
    here.advance(900.0)
    assert not [stanza for stanza in bob.sync() if is_call(stanza)]
    universe.heal(A, B)
    here.advance(900.0)
    assert [stanza.get("to") for stanza in bob.sync() if is_call(stanza)] == [BOB]


def test_a_server_that_never_comes_back_is_not_called_for_ever(
    universe: Universe, here: FederatedWorld, there: FederatedWorld
) -> None:
    meet(here, there)
    stop(here)
    there.die()
    here.rise()
    assert owed(here) == [BOB]
    here.advance(2 * HOUR)
    assert owed(here) == []


def test_whoever_has_another_resource_by_now_is_not_called(here: FederatedWorld, there: FederatedWorld) -> None:
    _, bob = meet(here, there)
    stop(here)
    bob.close()
    another = there.online(f"bob@{B}/another")
    here.rise()
    assert owed(here) == [BOB]
    here.advance(40.0)
    assert not [stanza for stanza in another.sync() if is_call(stanza)]
    assert owed(here) == []


def test_a_registration_outlives_the_outage_that_it_is_there_for(
    universe: Universe, here: FederatedWorld, there: FederatedWorld
) -> None:
    ann, bob = meet(here, there)
    bob.set(f"<enable xmlns='{ns.PUSH}' jid='{BOB}' node='tea'/>", ROOM)
    bob.send(f"<presence to='{ROOM}/Bob' type='unavailable'/>")
    bob.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    universe.refuse(A, B)
    for _ in range(3):
        ann.send(f"<message to='{ROOM}' type='groupchat'><body>hello</body></message>")
        here.advance(1_000.0)
    assert len(here.rows("SELECT failures FROM push")) == 1
    universe.heal(A, B)
    here.advance(HOUR)
    ann.send(f"<message to='{ROOM}' type='groupchat'><body>hello</body></message>")
    here.advance(60.0)
    pushes = [stanza for stanza in bob.sync() if is_push(stanza)]
    assert pushes
    bob.send(f"<iq type='result' id='{pushes[-1].get('id')}' to='{ROOM}'/>")
    there.advance(60.0)
    assert here.rows("SELECT failures FROM push") == [(0,)]


def test_a_session_that_is_gone_is_disabled_by_its_own_server(here: FederatedWorld, there: FederatedWorld) -> None:
    ann, bob = meet(here, there)
    bob.set(f"<enable xmlns='{ns.PUSH}' jid='{BOB}' node='tea'/>", ROOM)
    bob.close()
    there.advance(60.0)
    ann.send(f"<message to='{ROOM}' type='groupchat'><body>hello</body></message>")
    there.advance(60.0)
    assert here.rows("SELECT * FROM push") == []
