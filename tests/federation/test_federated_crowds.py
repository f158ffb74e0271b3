"""One room with people of five servers; a real client among strangers."""

import asyncio
from collections.abc import Iterator

import pytest

from federation.seen import gone, said, stanza
from federation.site import Site
from federation.sites import Sites
from interop.peers import PeerError
from interop.slixmpp_client import SlixmppClient
from kit.muc import change, create, enter
from kit.people import PASSWORD
from kit.stanzas import codes, text

pytestmark = pytest.mark.interop

NAMES = ["fermata", "fermata-usual-second", "fermata-dialback", "prosody", "ejabberd"]


@pytest.fixture
def crowd(sites: Sites) -> Iterator[list[Site]]:
    try:
        yield [sites.site(name) for name in NAMES]
    except PeerError as reason:
        pytest.skip(str(reason))
    sites.part()


@pytest.mark.parametrize("host", range(len(NAMES)), ids=NAMES)
def test_people_of_five_servers_hear_the_same_in_one_room(crowd: list[Site], host: int) -> None:
    crowd = [crowd[host], *crowd[:host], *crowd[host + 1 :]]
    room, people = crowd[0].room(), [site.guest() for site in crowd]
    create(people[0], room, "nick0")
    for number, person in enumerate(people[1:], 1):
        entry = enter(person, room, f"nick{number}")
        assert len(entry.others) == number
    for turn in range(10):
        for number, person in enumerate(people):
            person.send(f"<message to='{room}' type='groupchat'><body>{number} in turn {turn}</body></message>")
    heard = [[text(p.wait_for(stanza("message", "body")), "body") for _ in range(50)] for p in people]
    assert all(each == heard[0] for each in heard)
    people[0].set(change(nick="nick4", role="none"), room)
    for person in people:
        assert "307" in codes(person.wait_for(gone(f"{room}/nick4")))
    for person in people[:4]:
        person.nothing_before()


def test_slixmpp_joins_a_room_on_a_server_of_another_kind(crowd: list[Site]) -> None:
    fermata, prosody = crowd[0], crowd[3]
    ann, room = prosody.guest(), prosody.room()
    create(ann, room, "ann")
    with asyncio.Runner() as runner:
        runner.run(_join_and_talk(fermata, room))
    ann.wait_for(said("hello from slixmpp", from_=f"{room}/slix"))
    ann.wait_for(gone(f"{room}/slix"))


async def _join_and_talk(site: Site, room: str) -> None:
    jid = f"{site.accounts[1]}@{site.domain}"
    client = SlixmppClient(jid, PASSWORD, site.place.trusted)
    await client.log_in(site.client_address()[1])
    await client.join(room, "slix")
    client.send_message(room, "hello from slixmpp", mtype="groupchat")
    await client.message("hello from slixmpp", type="groupchat")
    await client.leave()
