"""Accounts of ours that stand in rooms of real servers: those know nothing of it (docs/design/0006)."""

import pytest

from federation.seen import gone, here, said
from federation.site import Site
from kit import ns
from kit.archives import bodies, page, query
from kit.muc import change, create, enter
from kit.pubsub import bookmark
from kit.stanzas import codes
from kit.wire import Client

pytestmark = [
    pytest.mark.interop,
    pytest.mark.parametrize(
        "pair",
        [("prosody", "fermata"), ("ejabberd", "fermata"), ("fermata-usual-second", "fermata")],
        indirect=True,
        ids="-".join,
    ),
]


def say(client: Client, room: str, body: str) -> None:
    client.send(f"<message to='{room}' type='groupchat' id='{body}'><body>{body}</body></message>")


def groupchat(client: Client) -> list[str]:
    return bodies(page(client, query(fields={"include-groupchat": "true"})))


def end(client: Client, room: str) -> None:
    """The bookmark goes, and with it the account."""
    client.send(
        f"<iq type='set' id='end'><pubsub xmlns='{ns.PUBSUB}'><retract node='{ns.BOOKMARKS}'><item id='{room}'/>"
        "</retract></pubsub></iq>"
    )
    leave = f"<leave xmlns='{ns.JOINING}'/>"
    client.send(f"<presence to='{room}/ben' type='unavailable'>{leave}</presence>")


def test_in_with_every_client_off_over_a_crash_and_out_for_good(near: Site, far: Site) -> None:
    room, ann, name = near.room(), near.guest(), far.person()
    create(ann, room, "ann", persistentroom="1")
    phone = far.online(name, "phone")
    bookmark(phone, room, "ben")
    ann.wait_for(here(f"{room}/ben"))
    phone.sync()
    assert [each.get("from") for each in enter(phone, room, "ben").others] == [f"{room}/ann"]
    tablet = far.online(name, "tablet")
    tablet.sync()
    enter(tablet, room, "ben")
    say(tablet, room, "hello")
    for client in (ann, tablet):
        client.wait_for(said("hello", type="groupchat"))
    phone.cut()
    tablet.close()
    say(ann, room, "anybody?")
    ann.wait_for(said("anybody?", type="groupchat"))
    far.kill()
    far.start()
    say(ann, room, "still?")
    ann.wait_for(said("still?", type="groupchat"))
    laptop = far.online(name, "laptop")
    laptop.sync()
    assert [each.get("from") for each in enter(laptop, room, "ben").others] == [f"{room}/ann"]
    say(laptop, room, "I am")
    laptop.wait_for(said("I am", type="groupchat"))
    laptop.sync()
    # What was under way when we were killed comes with the room's history, if its server does not send it again.
    assert sorted(groupchat(laptop)) == ["I am", "anybody?", "hello", "still?"]
    seen = []
    ann.wait_for(lambda stanza: seen.append(stanza) or said("I am", type="groupchat")(stanza))  # type: ignore[func-returns-value]
    assert not [each for each in seen if each.get("type") == "unavailable"]
    end(laptop, room)
    assert codes(laptop.wait_for(gone(f"{room}/ben"))) >= {"110"}
    ann.wait_for(gone(f"{room}/ben"))


def test_a_kick_is_obeyed_and_a_ban_too(near: Site, far: Site) -> None:
    room, ann = near.room(), near.guest()
    create(ann, room, "ann", persistentroom="1")
    ben = far.online(far.person(), "phone")
    bookmark(ben, room, "ben")
    ann.wait_for(here(f"{room}/ben"))
    ben.sync()
    enter(ben, room, "ben")
    ann.send(f"<iq type='set' id='k' to='{room}'>{change(nick='ben', role='none')}</iq>")
    assert codes(ben.wait_for(gone(f"{room}/ben"))) >= {"307"}
    enter(ben, room, "ben")
    ann.send(f"<iq type='set' id='b' to='{room}'>{change(jid=ben.bare, affiliation='outcast')}</iq>")
    assert codes(ben.wait_for(gone(f"{room}/ben"))) >= {"301"}
    end(ben, room)


def test_nicknames_private_messages_and_requests(near: Site, far: Site) -> None:
    room, ann = near.room(), near.guest()
    create(ann, room, "ann", persistentroom="1")
    name = far.person()
    ben, tablet = far.online(name, "phone"), far.online(name, "tablet")
    bookmark(ben, room, "ben")
    ann.wait_for(here(f"{room}/ben"))
    for client in (ben, tablet):
        client.sync()
        enter(client, room, "ben")
    tablet.send(f"<presence to='{room}/benny'/>")
    for client in (ben, tablet):
        assert codes(client.wait_for(gone(f"{room}/ben"))) >= {"303"}
        client.wait_for(here(f"{room}/benny"))
    ann.send(f"<message to='{room}/benny' type='chat' id='p'><body>psst</body></message>")
    for client in (ben, tablet):
        client.wait_for(said("psst", type="chat", from_=f"{room}/ann"))
    tablet.send(f"<message to='{room}/ann' type='chat' id='q'><body>pssst</body></message>")
    ann.wait_for(said("pssst", type="chat", from_=f"{room}/benny"))
    ann.send(f"<iq type='get' id='v' to='{room}/benny'><query xmlns='jabber:iq:version'/></iq>")
    assert ann.wait_for(lambda stanza: stanza.get("id") == "v").get("type") == "result"
    ben.send(f"<iq type='get' id='s' to='{room}/benny'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert ben.wait_for(lambda stanza: stanza.get("id") == "s").get("type") == "result"
    ben.send(f"<presence to='{room}/benny' type='unavailable'><leave xmlns='{ns.JOINING}'/></presence>")
    ann.wait_for(gone(f"{room}/benny"))
