"""Blocking (XEP-0191)."""

import pytest

from kit import ns
from kit.muc import enter, party
from kit.people import People
from kit.stanzas import error, find, find_all, show, text
from kit.wire import Client

LIST = f"<blocklist xmlns='{ns.BLOCKING}'/>"


def block(*jids: str) -> str:
    return f"<block xmlns='{ns.BLOCKING}'>{''.join(f'<item jid={chr(39)}{jid}{chr(39)}/>' for jid in jids)}</block>"


def unblock(*jids: str) -> str:
    return block(*jids).replace("<block ", "<unblock ").replace("</block>", "</unblock>")


def blocked_by(client: Client) -> set[str]:
    return {item.get("jid", "") for item in find_all(client.get(LIST), "blocking:blocklist/blocking:item")}


def name(client: Client) -> str:
    return client.jid.split("@")[0]


@pytest.fixture
def ann(people: People) -> Client:
    return people.online()


def test_nobody_is_blocked_at_first(ann: Client) -> None:
    assert blocked_by(ann) == set()


def test_whoever_is_blocked_can_be_unblocked(ann: Client) -> None:
    ann.set(block("a@x.example", "x.example", "b@y.example/r"))
    ann.sync()
    assert blocked_by(ann) == {"a@x.example", "x.example", "b@y.example/r"}
    ann.set(unblock("a@x.example"))
    ann.sync()
    assert blocked_by(ann) == {"x.example", "b@y.example/r"}
    ann.set(unblock())
    ann.sync()
    assert blocked_by(ann) == set()


def test_the_list_survives_the_session(people: People, ann: Client) -> None:
    ann.set(block("a@x.example"))
    ann.close()
    assert blocked_by(people.online(name(ann))) == {"a@x.example"}


def test_a_block_is_kept_in_prepared_form(ann: Client) -> None:
    ann.set(block("A@X.Example"))
    ann.sync()
    assert blocked_by(ann) == {"a@x.example"}


@pytest.mark.parametrize("payload", [block(), block("@"), f"<block xmlns='{ns.BLOCKING}'><item/></block>"])
def test_a_block_of_nobody_is_a_bad_request(ann: Client, payload: str) -> None:
    assert ann.refused("set", payload) in {("modify", "bad-request"), ("modify", "jid-malformed")}
    assert blocked_by(ann) == set()


def test_unblocking_who_is_not_blocked_does_no_harm(ann: Client) -> None:
    reply = ann.iq("set", unblock("a@x.example"))
    assert reply.get("type") == "result" or error(reply)[1] == "item-not-found"


def test_changes_are_pushed_to_sessions_that_asked_for_the_list(people: People, ann: Client) -> None:
    interested, uninterested = people.another(ann), people.another(ann)
    interested.get(LIST)
    for client in (ann, interested, uninterested):
        client.sync()
    for payload, path in ((block("a@x.example"), "blocking:block"), (unblock("a@x.example"), "blocking:unblock")):
        ann.set(payload)
        push = interested.expect("iq", f"{path}/blocking:item[@jid='a@x.example']", type="set")
        assert push.get("from") in (None, ann.bare), show(push)
        interested.send(f"<iq type='result' id='{push.get('id')}'/>")
        interested.nothing_before()
        uninterested.nothing_before()


def test_the_list_of_another_is_nobodys_business(ann: Client, ben: Client) -> None:
    ann.set(block("a@x.example"))
    for type, payload in (("get", LIST), ("set", block("b@x.example")), ("set", unblock())):
        assert ben.refused(type, payload, ann.bare)[1] in {"forbidden", "service-unavailable", "not-allowed"}
    ann.sync()
    assert blocked_by(ann) == {"a@x.example"}


# What a blocked person notices


@pytest.mark.parametrize("to_full", [False, True])
@pytest.mark.parametrize("type", ["chat", "normal"])
def test_a_message_of_a_blocked_person_is_refused(ann: Client, ben: Client, type: str, to_full: bool) -> None:
    ann.set(block(ben.bare))
    ann.sync()
    to = ann.jid if to_full else ann.bare
    ben.send(f"<message type='{type}' id='m' to='{to}'><body>hello</body></message>")
    ben.expect_error("message", "service-unavailable", "cancel", id="m", from_=to)
    ann.nothing_before()


@pytest.mark.parametrize("type", ["headline", "error"])
def test_other_messages_of_a_blocked_person_are_dropped(ann: Client, ben: Client, type: str) -> None:
    ann.set(block(ben.bare))
    ann.sync()
    ben.send(f"<message type='{type}' to='{ann.jid}'><body>hello</body></message>")
    assert all(stanza.get("type") == "error" for stanza in ben.sync())
    ann.nothing_before()


@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize("to_full", [False, True])
def test_a_request_of_a_blocked_person_is_refused(ann: Client, ben: Client, type: str, to_full: bool) -> None:
    ann.set(block(ben.bare))
    ann.sync()
    payload = f"<query xmlns='{ns.DISCO_INFO}'/>"
    assert ben.refused(type, payload, ann.jid if to_full else ann.bare) == ("cancel", "service-unavailable")
    ann.nothing_before()


@pytest.mark.parametrize("type", ["", "type='unavailable'", "type='subscribe'", "type='probe'", "type='unsubscribe'"])
def test_presence_of_a_blocked_person_is_dropped(ann: Client, ben: Client, type: str) -> None:
    ann.set(block(ben.bare))
    ann.sync()
    ben.send(f"<presence {type} to='{ann.bare}'/>")
    assert not [stanza for stanza in ben.sync() if stanza.get("from", "").startswith(ann.bare)]
    ann.nothing_before()


def test_a_blocked_request_does_not_wait_for_the_next_session(people: People, ann: Client) -> None:
    cat = people.online()
    ann.set(block(cat.bare))
    ann.sync()
    cat.send(f"<presence type='subscribe' to='{ann.bare}'/>")
    cat.sync()
    phone = people.bound(name(ann))
    phone.send("<presence/>")
    assert not [stanza for stanza in phone.sync() if stanza.get("type") == "subscribe"]


def test_a_blocked_message_does_not_wait_for_the_next_session(people: People, ann: Client, ben: Client) -> None:
    ann.set(block(ben.bare))
    ann.close()
    ben.send(f"<message type='chat' id='m' to='{ann.bare}'><body>hello</body></message>")
    ben.expect_error("message", "service-unavailable", id="m")
    phone = people.bound(name(ann))
    phone.set(unblock())
    phone.send("<presence/>")
    assert not [stanza for stanza in phone.sync() if stanza.tag == "message"]


# What one cannot do oneself


@pytest.mark.parametrize("kind", ["message", "iq"])
def test_one_cannot_write_to_whom_one_has_blocked(ann: Client, ben: Client, kind: str) -> None:
    ann.set(block(ben.bare))
    ann.sync()
    if kind == "message":
        ann.send(f"<message type='chat' id='m' to='{ben.jid}'><body>hello</body></message>")
    else:
        ann.send(f"<iq type='get' id='m' to='{ben.jid}'><query xmlns='{ns.DISCO_INFO}'/></iq>")
    refusal = ann.expect_error(kind, "not-acceptable", "cancel", id="m", from_=ben.jid)
    assert find(refusal, "error/blocking-errors:blocked") is not None, show(refusal)
    ben.nothing_before()


def test_presence_to_whom_one_has_blocked_does_not_reach_him(ann: Client, ben: Client) -> None:
    ann.set(block(ben.bare))
    ann.sync()
    ann.send(f"<presence to='{ben.jid}'/>")
    ann.sync()
    ben.nothing_before()


def test_a_blocked_contact_sees_one_leave_and_come_back(people: People, ann: Client) -> None:
    cat = people.online()
    people.befriend(ann, cat)
    ann.send("<presence><show>away</show></presence>")
    cat.expect("presence", from_=ann.jid)
    ann.set(block(cat.bare))
    cat.expect("presence", from_=ann.jid, type="unavailable")
    ann.send("<presence><show>dnd</show></presence>")
    ann.sync()
    cat.nothing_before()
    ann.set(unblock(cat.bare))
    assert text(cat.expect("presence", from_=ann.jid, type=None), "show") == "dnd"


def test_a_blocked_contact_is_not_seen(people: People, ann: Client) -> None:
    cat = people.online()
    people.befriend(ann, cat)
    ann.set(block(cat.bare))
    ann.sync()
    cat.send("<presence><show>away</show></presence>")
    cat.sync()
    ann.nothing_before()
    phone = people.bound(name(ann))
    phone.send("<presence/>")
    assert cat.jid not in {stanza.get("from") for stanza in phone.sync()}


# What an entry matches


@pytest.mark.parametrize("entry", ["full", "bare", "domain"])
def test_an_entry_matches(people: People, ann: Client, entry: str) -> None:
    """Here everybody shares one domain, and an own session is never blocked."""
    cat = people.online()
    phone = people.another(ann)
    ann.set(block({"full": cat.jid, "bare": cat.bare, "domain": "localhost"}[entry]))
    phone.sync()
    cat.send(f"<message type='chat' id='m' to='{ann.bare}'><body>hello</body></message>")
    cat.expect_error("message", "service-unavailable", id="m")
    phone.send(f"<message type='chat' to='{ann.jid}'><body>own</body></message>")
    ann.wait_for(lambda stanza: text(stanza, "body") == "own")


def test_a_full_entry_leaves_the_other_sessions_alone(people: People, ann: Client) -> None:
    cat = people.online()
    other = people.another(cat)
    ann.set(block(cat.jid))
    ann.sync()
    other.send(f"<message type='chat' to='{ann.bare}'><body>hello</body></message>")
    ann.expect("message", from_=other.jid)


def test_one_is_never_blocked_by_oneself(people: People, ann: Client) -> None:
    phone = people.another(ann)
    ann.iq("set", block(ann.bare))
    ann.sync()
    phone.send(f"<message type='chat' to='{ann.jid}'><body>own</body></message>")
    ann.expect("message", from_=phone.jid)


# Rooms


def test_blocking_an_occupant_hides_one_person_alone(people: People, ann: Client, ben: Client, room: str) -> None:
    cat = people.online()
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.set(block(f"{room}/Ben"))
    ann.sync()
    ben.send(f"<message type='groupchat' to='{room}'><body>hidden</body></message>")
    ben.sync(f"{room}/Ben")
    cat.send(f"<message type='groupchat' to='{room}'><body>seen</body></message>")
    assert text(ann.expect("message", from_=f"{room}/Cat"), "body") == "seen"


def test_blocking_a_room_does_not_hide_other_rooms(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ben": ben})
    ann.set(block(f"other-{room}"))
    ann.sync()
    enter(ann, room, "Ann")
