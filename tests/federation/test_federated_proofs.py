"""Every way to prove a domain and to share a connection: servers that know no other way talk to each other.

Nothing is looked up in logs: a server that could do it another way is not among them. Who does dialback has a
certificate that nobody believes; who relies on certificates refuses dialback; who is hidden can't be connected to, so
whatever reaches him came on the connection that he has made himself.
"""

from collections.abc import Iterable

import pytest

from federation.person import Person
from federation.seen import here, said
from federation.site import Site
from kit.muc import create, enter

pytestmark = pytest.mark.interop

PEERS = [("fermata", "prosody"), ("prosody", "fermata"), ("fermata", "ejabberd")]
OURS = [("fermata", "fermata")]
BIDI = [("fermata", "fermata"), ("fermata", "prosody"), ("prosody", "fermata")]


def pairs(near: str, far: str, programs: Iterable[tuple[str, str]]) -> pytest.MarkDecorator:
    """Parametrizes a test with pairs of servers in these variations (`sites.VARIATIONS`)."""
    named = [(f"{one}-{near}", f"{other}-{far}") for one, other in programs]
    return pytest.mark.parametrize("pair", named, indirect=True, ids="+".join)


def talk(near: Site, far: Site) -> None:
    """Somebody writes, is answered, and enters a room; and all that the other way round."""
    ann, ben = near.guest(), far.guest()
    chat(ann, ben)
    meet(near, ann, ben)
    meet(far, ben, ann)


def chat(ann: Person, ben: Person) -> None:
    for sender, other in ((ann, ben), (ben, ann)):
        sender.send(f"<message to='{other.jid}' type='chat'><body>hello</body></message>")
        other.wait_for(said("hello", from_=sender.jid))


def meet(site: Site, host: Person, guest: Person) -> None:
    """In a room of that site."""
    room = site.room()
    create(host, room, "host")
    enter(guest, room, "guest")
    host.wait_for(here(f"{room}/guest"))
    guest.send(f"<message to='{room}' type='groupchat'><body>aloud</body></message>")
    for person in (host, guest):
        person.wait_for(said("aloud", from_=f"{room}/guest"))


@pairs("dialback", "dialback", PEERS)
def test_they_talk_by_dialback_alone(near: Site, far: Site) -> None:
    talk(near, far)


@pairs("external", "external", PEERS)
def test_they_talk_by_certificates_alone(near: Site, far: Site) -> None:
    talk(near, far)


@pairs("dialback", "usual", OURS + PEERS)
def test_they_talk_by_certificate_one_way_and_by_dialback_the_other(near: Site, far: Site) -> None:
    talk(near, far)


@pairs("external", "usual", OURS)
def test_they_talk_where_one_takes_certificates_only(near: Site, far: Site) -> None:
    talk(near, far)


@pairs("direct", "direct", PEERS)
def test_they_talk_over_direct_tls(near: Site, far: Site) -> None:
    talk(near, far)


@pairs("direct", "usual", OURS + PEERS)
def test_they_talk_over_direct_tls_one_way_and_with_starttls_the_other(near: Site, far: Site) -> None:
    talk(near, far)


@pairs("hidden", "usual", BIDI)
def test_who_cant_be_reached_is_answered_over_his_own_connection(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    chat(ann, ben)
    meet(far, ben, ann)


@pairs("oneway", "usual", BIDI)
def test_they_talk_over_a_connection_for_each_way(near: Site, far: Site) -> None:
    talk(near, far)


@pairs("unmanaged", "usual", [("prosody", "fermata")])
def test_they_talk_without_acknowledgements(near: Site, far: Site) -> None:
    talk(near, far)
