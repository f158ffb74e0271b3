"""Another server that sends more than anybody needs: presences without number, and very long ones."""

import pytest

from fermata.core.stored_xml import stanza_from
from fermata.host.federation import Pair
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import payload_of
from kit import ns
from kit.federated import FederatedWorld
from kit.muc import create, enter
from kit.wire import Client

ROOM = "tea@conference.a.example"
PRESENCES = 200


@pytest.fixture
def ann(here: FederatedWorld) -> Client:
    client = here.online("ann@a.example/phone")
    create(client, ROOM, "Ann")
    return client


@pytest.fixture
def bob(there: FederatedWorld, ann: Client) -> Client:
    client = there.online("bob@b.example/desk")
    enter(client, ROOM, "Bob")
    ann.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Bob")
    return client


def flood(there: FederatedWorld, presence: str) -> None:
    """Sends a presence from as many full JIDs of that server."""
    links = there.parts.federating.federation.links
    for number in range(PRESENCES):
        stanza = stanza_from(presence.format(number=number))
        to = JID.parse(stanza.get("to", ""))
        links.of(Pair("b.example", to.domain)).send(payload_of(stanza), to)
    there.advance(5)


def still_talk(ann: Client, bob: Client) -> None:
    for author, other in ((ann, bob), (bob, ann)):
        author.send(f"<message to='{ROOM}' type='groupchat' id='m'><body>{author.jid}</body></message>")
        for client in (author, other):
            client.wait_for(lambda stanza, body=author.jid: stanza.findtext("body") == body)  # type: ignore[misc]


def test_a_status_that_changes_without_end_ends_as_it_was_last(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    for number in range(PRESENCES):
        bob.send(f"<presence to='{ROOM}/Bob'><status>{number}</status></presence>")
    there.advance(5)
    ann.wait_for(lambda stanza: stanza.findtext("status") == str(PRESENCES - 1))
    still_talk(ann, bob)
    kept = here.rows(f"SELECT presence FROM occupancy WHERE jid = '{bob.jid}'")
    assert [str(PRESENCES - 1) in presence for (presence,) in kept] == [True]


@pytest.mark.parametrize(
    "presence",
    [
        f"<presence from='p{{number}}@b.example/x' to='{ROOM}'/>",
        f"<presence from='p{{number}}@b.example/x' to='{ROOM}/Bob' type='unavailable'/>",
        "<presence from='p{number}@b.example/x' to='room{number}@conference.a.example' type='unavailable'/>",
        "<presence from='p{number}@b.example/x' to='ann@a.example'/>",
        "<presence from='p{number}@b.example/x' to='nobody{number}@a.example' type='probe'/>",
        f"<presence from='p{{number}}@b.example/x' to='{ROOM}/p' type='error'><error type='cancel'/></presence>",
    ],
)
def test_presences_of_very_many_leave_nothing_behind(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client, presence: str
) -> None:
    flood(there, presence)
    still_talk(ann, bob)
    assert len(here.rows("SELECT * FROM occupancy")) == 2
    assert here.rows("SELECT count(*) FROM request") == [(0,)]
    assert sum(len(list(service.rooms)) for service in here.parts.room_services) == 1


def test_a_very_long_presence_is_seen_by_nobody_and_he_is_in_all_the_same(
    here: FederatedWorld, ann: Client, bob: Client
) -> None:
    bob.send(f"<presence to='{ROOM}/Bob'><show>away</show><status>{'long ' * 40_000}</status></presence>")
    seen = ann.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Bob")
    assert (seen.get("type"), seen.find("status")) == (None, None)
    here.crash()
    ann = here.online("ann@a.example/phone")
    enter(ann, ROOM, "Ann")
    still_talk(ann, bob)


def test_who_comes_in_with_a_very_long_presence_comes_in(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    cem = there.online("cem@b.example/tab")
    cem.send(f"<presence to='{ROOM}/Cem'><x xmlns='{ns.MUC}'/><status>{'long ' * 40_000}</status></presence>")
    for client in (ann, bob):
        seen = client.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Cem")
        assert (seen.get("type"), seen.find("status")) == (None, None)
    still_talk(ann, cem)
