"""Presence (RFC 6121 §4)."""

import pytest

from kit.people import People
from kit.stanzas import Element, find, show, text
from kit.wire import Client, SocketLink


def friends(people: People) -> tuple[Client, Client]:
    ann, ben = people.online(), people.online()
    people.befriend(ann, ben)
    return ann, ben


def arrived(stanzas: list[Element]) -> set[tuple[str | None, str | None]]:
    """(from, type) of the presence stanzas."""
    return {(stanza.get("from"), stanza.get("type")) for stanza in stanzas if stanza.tag == "presence"}


def name(client: Client) -> str:
    return client.jid.split("@")[0]


# Initial presence (§4.2)


def test_ones_own_presence_comes_back(guests: People) -> None:
    ann = guests.bound()
    ann.send("<presence id='first'><show>chat</show></presence>")
    own = [stanza for stanza in ann.sync() if stanza.get("from") == ann.jid]
    assert [text(each, "show") for each in own] == ["chat"]


def test_initial_presence_reaches_contacts_and_ones_other_sessions(people: People) -> None:
    ann, ben = friends(people)
    phone = people.bound(name(ann))
    phone.send("<presence><show>away</show><status>busy</status><priority>3</priority></presence>")
    phone.sync()
    for client in (ann, ben):
        presence = client.expect("presence", from_=phone.jid, type=None)
        assert [text(presence, child) for child in ("show", "status", "priority")] == ["away", "busy", "3"]
        client.nothing_before()


def test_who_becomes_available_is_told_who_else_is(people: People) -> None:
    ann, ben = friends(people)
    ben.send("<presence><show>dnd</show></presence>")
    ben.sync()
    phone = people.bound(name(ann))
    phone.send("<presence/>")
    came = phone.sync()
    assert arrived(came) >= {(ann.jid, None), (ben.jid, None)}
    assert [text(each, "show") for each in came if each.get("from") == ben.jid] == ["dnd"]


def test_who_becomes_available_hears_nothing_of_contacts_that_are_away(people: People) -> None:
    ann, ben = friends(people)
    ben.close()
    phone = people.bound(name(ann))
    phone.send("<presence/>")
    assert ben.bare not in {(sender or "").split("/")[0] for sender, type in arrived(phone.sync()) if type is None}


def test_a_session_without_presence_hears_of_nobody(people: People) -> None:
    ann, ben = friends(people)
    silent = people.bound(name(ann))
    ben.send("<presence><show>away</show></presence>")
    ben.sync()
    silent.nothing_before()


def test_a_later_presence_is_not_an_initial_one(people: People) -> None:
    ann, ben = friends(people)
    ann.send("<presence><show>away</show></presence>")
    assert ben.jid not in {sender for sender, _ in arrived(ann.sync())}


# Who hears of it


def test_strangers_hear_nothing(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send("<presence><show>away</show></presence>")
    ann.sync()
    ben.nothing_before()


def test_a_subscription_works_one_way(people: People) -> None:
    ann, ben = people.online(), people.online()
    ann.send(f"<presence type='subscribe' to='{ben.bare}'/>")
    ann.sync()
    ben.send(f"<presence type='subscribed' to='{ann.bare}'/>")
    ben.sync()
    ann.sync()
    ann.send("<presence><status>not for ben</status></presence>")
    ann.sync()
    ben.nothing_before()
    ben.send("<presence><status>for ann</status></presence>")
    ben.sync()
    assert text(ann.wait_for(lambda stanza: stanza.get("from") == ben.jid), "status") == "for ann"


def test_what_a_presence_contains_arrives(people: People) -> None:
    ann, ben = friends(people)
    ann.send("<presence id='p'><status xml:lang='la'>salve</status><x xmlns='urn:example'><y/></x></presence>")
    presence = ben.expect("presence", "{urn:example}x/{urn:example}y", from_=ann.jid, id="p")
    assert text(presence, "status") == "salve"


def test_presence_is_addressed_to_whom_it_comes_to(people: People) -> None:
    ann, ben = friends(people)
    ann.send("<presence><show>away</show></presence>")
    assert ben.expect("presence", from_=ann.jid).get("to") in (ben.bare, ben.jid)


@pytest.mark.parametrize("priority", ["-129", "128", "high", ""])
def test_a_priority_out_of_range_harms_nobody(people: People, priority: str) -> None:
    """It is a bad request, or it counts as something in range (§4.7.2.3)."""
    ann, ben = friends(people)
    ann.send(f"<presence id='p'><priority>{priority}</priority></presence>")
    for stanza in ann.sync():
        assert stanza.get("type") in (None, "error"), show(stanza)
    ben.sync()
    ann.sync()


# Unavailable (§4.5)


def test_unavailable_presence_reaches_contacts_with_its_status(people: People) -> None:
    ann, ben = friends(people)
    ann.send("<presence type='unavailable'><status>lunch</status></presence>")
    ann.sync()
    assert text(ben.expect("presence", from_=ann.jid, type="unavailable"), "status") == "lunch"
    ben.nothing_before()


def test_the_end_of_a_stream_is_unavailable_presence(people: People) -> None:
    ann, ben = friends(people)
    ann.close()
    ben.expect("presence", from_=ann.jid, type="unavailable")


def test_a_lost_connection_is_unavailable_presence(people: People) -> None:
    ann, ben = friends(people)
    assert isinstance(ann.link, SocketLink)
    ann.link.reset()
    ben.expect("presence", from_=ann.jid, type="unavailable")


def test_who_was_not_available_cannot_become_unavailable(people: People) -> None:
    ann, ben = friends(people)
    silent = people.bound(name(ann))
    silent.close()
    ann.sync()
    ben.nothing_before()


def test_after_unavailable_presence_a_session_hears_nothing_more(people: People) -> None:
    ann, ben = friends(people)
    ann.send("<presence type='unavailable'/>")
    ann.sync()
    ben.send("<presence><show>away</show></presence>")
    ben.sync()
    ann.nothing_before()


def test_presence_after_unavailable_is_an_initial_one_again(people: People) -> None:
    ann, ben = friends(people)
    ann.send("<presence type='unavailable'/>")
    ann.sync()
    ben.sync()
    ann.send("<presence/>")
    assert (ben.jid, None) in arrived(ann.sync())
    ben.expect("presence", from_=ann.jid, type=None)


def test_one_session_leaves_and_the_other_stays(people: People) -> None:
    ann, ben = friends(people)
    phone = people.another(ann)
    ben.sync()
    phone.close()
    ben.expect("presence", from_=phone.jid, type="unavailable")
    ann.expect("presence", from_=phone.jid, type="unavailable")
    ben.nothing_before()


# Probes (§4.3)


def test_a_probe_of_a_subscriber_is_answered_for_every_session(people: People) -> None:
    ann, ben = friends(people)
    phone = people.another(ben, presence="<show>xa</show>")
    ann.sync()
    ann.send(f"<presence type='probe' to='{ben.bare}'/>")
    came = ann.sync()
    assert arrived(came) == {(ben.jid, None), (phone.jid, None)}
    assert [text(each, "show") for each in came if each.get("from") == phone.jid] == ["xa"]
    ben.nothing_before()


def test_a_probe_of_a_stranger_learns_nothing(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<presence type='probe' to='{ben.bare}'/><presence type='probe' to='{ben.jid}'/>")
    assert {type for _, type in arrived(ann.sync())} <= {"unsubscribed", "error"}


# Directed presence (§4.6)


def test_directed_presence_reaches_a_stranger(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<presence to='{ben.jid}'><status>hello</status></presence>")
    assert text(ben.expect("presence", from_=ann.jid, to=ben.jid), "status") == "hello"


def test_whom_presence_was_directed_to_hears_of_the_end(guests: People) -> None:
    ann, ben, cat = guests.online(), guests.online(), guests.online()
    ann.send(f"<presence to='{ben.jid}'/><presence to='{cat.bare}'/>")
    ann.sync()
    for client in (ben, cat):
        client.expect("presence", from_=ann.jid, type=None)
    ann.send("<presence type='unavailable'><status>bye</status></presence>")
    for client in (ben, cat):
        assert text(client.expect("presence", from_=ann.jid, type="unavailable"), "status") == "bye"


def test_whom_presence_was_directed_to_hears_of_a_closed_stream(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<presence to='{ben.jid}'/>")
    ben.expect("presence", from_=ann.jid, type=None)
    ann.close()
    ben.expect("presence", from_=ann.jid, type="unavailable")


def test_directed_presence_does_not_subscribe(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<presence to='{ben.jid}'/>")
    ben.expect("presence", from_=ann.jid)
    ann.send("<presence><show>away</show></presence>")
    ann.sync()
    ben.nothing_before()


def test_directed_unavailable_presence_is_the_last_word(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<presence to='{ben.jid}'/><presence type='unavailable' to='{ben.jid}'/>")
    ben.expect("presence", from_=ann.jid, type=None)
    ben.expect("presence", from_=ann.jid, type="unavailable")
    ann.close()
    ben.nothing_before()


def test_directed_presence_needs_no_presence_to_all(guests: People) -> None:
    ann, ben = guests.bound(), guests.online()
    ann.send(f"<presence to='{ben.jid}'/>")
    ben.expect("presence", from_=ann.jid, type=None)
    ann.close()
    ben.expect("presence", from_=ann.jid, type="unavailable")


def test_the_end_of_a_session_is_told_once_to_a_contact_with_directed_presence(people: People) -> None:
    ann, ben = friends(people)
    ann.send(f"<presence to='{ben.jid}'><show>chat</show></presence>")
    ben.expect("presence", from_=ann.jid)
    ann.close()
    ben.expect("presence", from_=ann.jid, type="unavailable")
    ben.nothing_before()


# Negative priority (§4.7.2.3)


def test_a_negative_session_gets_presence_but_no_message_to_the_account(people: People) -> None:
    ann, ben = friends(people)
    quiet = people.online(name(ben), presence="<priority>-5</priority>")
    ann.sync()
    ben.sync()
    ann.send("<presence><show>away</show></presence>")
    ann.send(f"<message to='{ben.bare}' type='chat'><body>hello</body></message>")
    ann.sync()
    quiet.expect("presence", from_=ann.jid)
    quiet.nothing_before()
    ben.expect("presence", from_=ann.jid)
    ben.expect("message", from_=ann.jid)


def test_a_session_that_becomes_negative_no_longer_gets_messages_to_the_account(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    other = guests.another(ben)
    ben.available("<priority>-1</priority>")
    other.sync()
    ann.send(f"<message to='{ben.bare}' type='chat'><body>hello</body></message>")
    other.expect("message")
    ann.sync()
    ben.nothing_before()
    assert find(ben.iq("get", "<ping xmlns='urn:xmpp:ping'/>"), "error") is None
