"""What people here publish is heard of by contacts on other servers (XEP-0163), and fetched by them."""

import pytest

from federation.seen import gone, here, stanza
from federation.site import Site
from kit.pubsub import EVENT, Event, asking, caps, event, publish, refusal, tell_features
from kit.stanzas import Element, find, find_all
from kit.wire import Client

pytestmark = [
    pytest.mark.interop,
    pytest.mark.parametrize(
        "pair",
        [("fermata", "fermata-usual-second"), ("fermata", "prosody"), ("fermata", "ejabberd")],
        indirect=True,
        ids="-".join,
    ),
]

NICK = "http://jabber.org/protocol/nick"


def nick(name: str) -> str:
    return f"<nick xmlns='{NICK}'>{name}</nick>"


def befriend(ann: Client, ben: Client) -> None:
    for asking_, asked in ((ann, ben), (ben, ann)):
        asking_.send(f"<presence to='{asked.bare}' type='subscribe'/>")
        asked.wait_for(stanza("presence", type="subscribe", from_=asking_.bare))
        asked.send(f"<presence to='{asking_.bare}' type='subscribed'/>")
        asking_.wait_for(stanza("presence", type="subscribed", from_=asked.bare))
        asking_.wait_for(here(asked.jid))


def hears(client: Client, publisher: Client) -> Event:
    """The next notification from somebody; until then the client tells whoever asks what it wants to hear of."""

    def is_of_interest(element: Element) -> bool:
        if element.tag == "iq" and element.get("type") == "get" and find(element, "info:query") is not None:
            tell_features(client, element, f"{NICK}+notify")
            return False
        return find(element, EVENT) is not None and element.get("from") == publisher.bare

    return event(client.wait_for(is_of_interest))


def test_a_contact_elsewhere_hears_of_what_is_published_and_of_what_was(near: Site, far: Site) -> None:
    ann, ben = near.online(), far.online()
    befriend(ann, ben)
    publish(ann, NICK, nick("Ann"), "1")
    ben.send(f"<presence>{caps(NICK)}</presence>")
    last = hears(ben, ann)
    assert (last.ids, last.message.get("to"), last.message.get("type")) == (["1"], ben.jid, "headline")
    publish(ann, NICK, nick("Annie"), "2")
    assert hears(ben, ann).ids == ["2"]
    phone = far.online(ben.jid.split("@")[0], "other phone")
    phone.send(f"<presence>{caps(NICK)}</presence>")
    assert hears(phone, ann).ids == ["2"]
    phone.send("<presence type='unavailable'/>")
    ann.wait_for(gone(phone.jid))
    publish(ann, NICK, nick("Ann"), "3")
    assert hears(ben, ann).message.get("to") == ben.jid


def test_so_does_one_who_was_there_before(near: Site, far: Site) -> None:
    ann, ben = near.online(), far.online()
    befriend(ann, ben)
    ben.send(f"<presence>{caps(NICK)}</presence>")
    ann.wait_for(here(ben.jid, "caps:c"))
    ann.send("<presence type='unavailable'/>")
    ben.wait_for(gone(ann.jid))
    near.stop()
    near.start()
    ann = near.online(ann.jid.split("@")[0], "later")
    ann.wait_for(here(ben.jid, "caps:c"))
    publish(ann, NICK, nick("Ann"), "1")
    assert hears(ben, ann).ids == ["1"]


def test_items_are_fetched_by_those_who_may_see_them(near: Site, far: Site) -> None:
    ann, ben, stranger = near.online(), far.online(), far.guest()
    befriend(ann, ben)
    publish(ann, NICK, nick("Ann"), "1")
    reply = ben.get(asking(NICK), ann.bare)
    assert [item.get("id") for item in find_all(reply, "pubsub:pubsub/pubsub:items/pubsub:item")] == ["1"]
    wanted = ("auth", "not-authorized", "presence-subscription-required")
    assert refusal(stranger, "get", asking(NICK), ann.bare) == wanted
