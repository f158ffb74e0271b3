"""People on two servers: messages, and presence."""

import pytest

from federation.seen import gone, here, said, stanza
from federation.site import Site
from kit.stanzas import error, find, show
from kit.wire import Client

pytestmark = pytest.mark.interop


def write(sender: Client, to: str, body: str, type: str = "chat") -> None:
    sender.send(f"<message to='{to}' type='{type}' id='id-of-{body}'><body>{body}</body></message>")


def subscribe(near: Client, far: Client) -> None:
    """The near one gets to see the far one's presence."""
    near.send(f"<presence to='{far.bare}' type='subscribe'/>")
    far.wait_for(stanza("presence", type="subscribe", from_=near.bare))
    far.send(f"<presence to='{near.bare}' type='subscribed'/>")
    near.wait_for(stanza("presence", type="subscribed", from_=far.bare))
    near.wait_for(here(far.jid))


def test_people_write_to_each_other(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    write(ann, ben.jid, "hello")
    ben.wait_for(said("hello", type="chat", id="id-of-hello", from_=ann.jid, to=ben.jid))
    write(ben, ann.bare, "hello yourself")
    ann.wait_for(said("hello yourself", type="chat", from_=ben.jid))


def test_two_hundred_messages_arrive_in_order_and_each_once(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    for number in range(200):
        write(ann, ben.jid, str(number))
    came = [ben.wait_for(stanza("message", from_=ann.jid)).findtext("body") for _ in range(200)]
    assert came == [str(number) for number in range(200)]
    ben.nothing_before(near.domain)


def test_what_is_in_a_message_arrives_unchanged(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    body = "&lt;b&gt; &amp;amp; ]]&gt; \U0001f44d\U0001f3fd \u05e9\u05dc\u05d5\u05dd"
    extension = "<x xmlns='urn:example:x' xml:lang='de' a='&quot;&apos;'><y xmlns='urn:example:y'/>text</x>"
    ann.send(f"<message to='{ben.jid}' type='chat'><body xml:lang='en'>{body}</body>{extension}</message>")
    came = ben.wait_for(stanza("message", from_=ann.jid))
    assert came.findtext("body") == "<b> &amp; ]]> \U0001f44d\U0001f3fd \u05e9\u05dc\u05d5\u05dd"
    x = came.find("{urn:example:x}x")
    assert x is not None
    assert x.get("a") == "\"'"
    assert x.find("{urn:example:y}y") is not None, show(came)


def test_a_message_waits_for_whoever_is_offline(near: Site, far: Site) -> None:
    ann, name = near.guest(), far.person()
    write(ann, f"{name}@{far.domain}", "until tomorrow")
    ann.sync(far.domain)
    ben = far.bound(name)
    ben.send("<presence/>")
    came = ben.wait_for(said("until tomorrow", from_=ann.jid))
    assert find(came, "delay:delay") is not None, show(came)


def test_a_message_to_nobody_comes_back(near: Site, far: Site) -> None:
    ann = near.guest()
    write(ann, f"nobody@{far.domain}", "hello?")
    came = ann.wait_for(stanza("message", type="error"))
    assert (came.get("from"), came.get("id")) == (f"nobody@{far.domain}", "id-of-hello?")
    assert error(came) == ("cancel", "service-unavailable")


def test_presence_is_seen_by_whoever_was_let(near: Site, far: Site) -> None:
    ann, ben = near.online(), far.online()
    subscribe(ann, ben)
    ben.send("<presence><show>away</show><status>gone fishing</status></presence>")
    came = ann.wait_for(here(ben.jid, "show"))
    assert (came.findtext("show"), came.findtext("status")) == ("away", "gone fishing")
    ann.send("<presence><show>dnd</show></presence>")
    assert not [each for each in ben.sync(near.domain) if each.get("from") == ann.jid], "nobody let ben see that"


def test_whoever_logs_in_learns_who_is_there(near: Site, far: Site) -> None:
    name = near.person()
    ann, ben = near.online(name), far.online()
    subscribe(ann, ben)
    ann.close()
    ann = near.bound(name)
    ann.send("<presence/>")
    ann.wait_for(here(ben.jid))


def test_whoever_logs_in_is_seen_at_once(near: Site, far: Site) -> None:
    name = far.person()
    ann, ben = near.online(), far.online(name)
    subscribe(ann, ben)
    ben.close()
    ann.wait_for(gone(ben.jid))
    ben = far.online(name, "tablet")
    ann.wait_for(here(ben.jid))


def test_logging_out_is_seen_and_so_is_losing_the_connection(near: Site, far: Site) -> None:
    ann, ben = near.online(), far.online()
    subscribe(ann, ben)
    write(ann, ben.jid, "one")
    ben.wait_for(said("one"))
    ben.cut()
    ann.wait_for(gone(ben.jid))


def test_whoever_takes_a_subscription_back_is_not_seen_any_more(near: Site, far: Site) -> None:
    ann, ben = near.online(), far.online()
    subscribe(ann, ben)
    ben.send(f"<presence to='{ann.bare}' type='unsubscribed'/>")
    ann.wait_for(stanza("presence", type="unsubscribed", from_=ben.bare))
    ann.sync(far.domain)
    ben.send("<presence><status>unseen</status></presence>")
    ben.sync()
    assert not [each for each in ann.sync(far.domain) if each.get("from") == ben.jid]


def test_whoever_has_seen_enough_ends_a_subscription(near: Site, far: Site) -> None:
    ann, ben = near.online(), far.online()
    subscribe(ann, ben)
    ann.send(f"<presence to='{ben.bare}' type='unsubscribe'/>")
    ben.wait_for(stanza("presence", type="unsubscribe", from_=ann.bare))
    ann.sync(far.domain)
    ben.send("<presence><status>unseen</status></presence>")
    ben.sync()
    assert not [each for each in ann.sync(far.domain) if each.get("from") == ben.jid]


def test_a_request_waits_for_whoever_is_offline(near: Site, far: Site) -> None:
    ann, name = near.online(), far.person()
    ann.send(f"<presence to='{name}@{far.domain}' type='subscribe'/>")
    ann.sync(far.domain)
    ben = far.bound(name)
    ben.send("<presence/>")
    ben.wait_for(stanza("presence", type="subscribe", from_=ann.bare))


def test_presence_sent_to_one_person_is_taken_back_at_logout(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    ben.send(f"<presence to='{ann.jid}'><status>just you</status></presence>")
    ann.wait_for(here(ben.jid, "status"))
    ben.close()
    ann.wait_for(gone(ben.jid))
