"""Presence subscriptions (RFC 6121 §3, appendix A)."""

import pytest

from kit import ns
from kit.people import People, roster_of
from kit.stanzas import Element, find, show, text
from kit.wire import Client

GET = f"<query xmlns='{ns.ROSTER}'/>"


def do(client: Client, type: str, other: Client) -> None:
    """Send presence of that type to the other's account, and wait until the server has dealt with it."""
    client.send(f"<presence type='{type}' to='{other.bare}'/>")
    client.sync()
    other.sync()


@pytest.fixture
def ann(people: People) -> Client:
    """The user of the RFC: available, and interested in her roster."""
    client = people.online()
    client.get(GET)
    return client


@pytest.fixture
def ben(people: People) -> Client:
    """The contact of the RFC: likewise."""
    client = people.online()
    client.get(GET)
    return client


def pushed(stanzas: list[Element]) -> list[dict[str, str]]:
    """The items of the roster pushes among these."""
    items = [find(stanza, "roster:query/roster:item") for stanza in stanzas]
    return [dict(item.attrib) for item in items if item is not None]


def presences(stanzas: list[Element], *senders: str) -> list[tuple[str | None, str | None]]:
    """(type, from) of the presence stanzas among these that come from one of the senders."""
    chosen = [stanza for stanza in stanzas if stanza.tag == "presence"]
    return [(stanza.get("type"), stanza.get("from")) for stanza in chosen if stanza.get("from") in senders]


# Requesting (§3.1)


def test_a_request_reaches_the_contact_from_the_bare_address(ann: Client, ben: Client) -> None:
    ann.send(f"<presence type='subscribe' id='s' to='{ben.bare}'><status>it is me</status></presence>")
    assert pushed(ann.sync()) == [{"jid": ben.bare, "subscription": "none", "ask": "subscribe"}]
    request = ben.expect("presence", type="subscribe", from_=ann.bare, to=ben.bare)
    assert text(request, "status") == "it is me"
    ben.nothing_before()


def test_a_request_is_not_in_the_roster_of_the_contact(ann: Client, ben: Client) -> None:
    do(ann, "subscribe", ben)
    assert roster_of(ben) == {}


def test_an_approval_is_pushed_to_both_and_brings_presence(ann: Client, ben: Client) -> None:
    do(ann, "subscribe", ben)
    ben.send(f"<presence type='subscribed' to='{ann.bare}'/>")
    assert pushed(ben.sync()) == [{"jid": ann.bare, "subscription": "from"}]
    came = ann.sync()
    assert pushed(came) == [{"jid": ben.bare, "subscription": "to"}]
    assert presences(came, ben.bare, ben.jid) == [("subscribed", ben.bare), (None, ben.jid)]


def test_approval_brings_the_presence_of_all_sessions(people: People, ann: Client, ben: Client) -> None:
    other = people.another(ben)
    do(ann, "subscribe", ben)
    ben.send(f"<presence type='subscribed' to='{ann.bare}'/>")
    ben.sync()
    assert set(presences(ann.sync(), ben.jid, other.jid)) == {(None, ben.jid), (None, other.jid)}


def test_a_denial_takes_the_request_away(ann: Client, ben: Client) -> None:
    do(ann, "subscribe", ben)
    ben.send(f"<presence type='unsubscribed' to='{ann.bare}'/>")
    ben.sync()
    came = ann.sync()
    assert pushed(came) == [{"jid": ben.bare, "subscription": "none"}]
    assert presences(came, ben.bare, ben.jid) == [("unsubscribed", ben.bare)]


def test_a_request_to_nobody_leaves_it_pending(ann: Client) -> None:
    ann.send("<presence type='subscribe' to='nobody@localhost'/>")
    ann.sync()
    assert roster_of(ann)["nobody@localhost"].get("subscription") == "none"


# Requests while the contact is away


def test_a_request_waits_for_the_contact_until_it_is_answered(people: People, ann: Client) -> None:
    user = people.name()
    ann.send(f"<presence type='subscribe' to='{user}@localhost'><status>it is me</status></presence>")
    ann.sync()
    for _ in range(2):
        ben = people.bound(user)
        ben.send("<presence/>")
        requests = [stanza for stanza in ben.sync() if stanza.get("type") == "subscribe"]
        assert [(each.get("from"), text(each, "status")) for each in requests] == [(ann.bare, "it is me")]
        ben.close()
    ben = people.online(user)
    do(ben, "subscribed", ann)
    ben.close()
    ben = people.bound(user)
    ben.send("<presence/>")
    assert not [stanza for stanza in ben.sync() if stanza.get("type") == "subscribe"]


def test_a_request_is_not_given_to_a_session_without_presence(people: People, ann: Client) -> None:
    ben = people.bound()
    do(ann, "subscribe", ben)
    ben.send("<presence/>")
    assert [each.get("from") for each in ben.sync() if each.get("type") == "subscribe"] == [ann.bare]


def test_a_request_taken_back_is_not_delivered_later(people: People, ann: Client) -> None:
    user = people.name()
    for type in ("subscribe", "unsubscribe"):
        ann.send(f"<presence type='{type}' to='{user}@localhost'/>")
    ann.sync()
    ben = people.bound(user)
    ben.send("<presence/>")
    assert not [stanza for stanza in ben.sync() if stanza.get("type") == "subscribe"]


def test_an_approval_while_away_is_in_the_roster_later(people: People, ann: Client, ben: Client) -> None:
    do(ann, "subscribe", ben)
    ann.close()
    ben.send(f"<presence type='subscribed' to='{ann.bare}'/>")
    ben.sync()
    again = people.online(ann.jid.split("@")[0])
    assert roster_of(again)[ben.bare]["subscription"] == "to"


# Cancelling and unsubscribing (§3.2, §3.3)


def test_cancelling_a_subscription_ends_what_the_contact_sees(people: People, ann: Client, ben: Client) -> None:
    people.befriend(ann, ben)
    ben.send(f"<presence type='unsubscribed' to='{ann.bare}'/>")
    assert pushed(ben.sync()) == [{"jid": ann.bare, "subscription": "to"}]
    came = ann.sync()
    assert pushed(came) == [{"jid": ben.bare, "subscription": "from"}]
    assert set(presences(came, ben.bare, ben.jid)) == {("unsubscribed", ben.bare), ("unavailable", ben.jid)}
    ben.send("<presence><show>away</show></presence>")
    ben.sync()
    assert presences(ann.sync(), ben.bare, ben.jid) == []


def test_unsubscribing_ends_what_one_sees_oneself(people: People, ann: Client, ben: Client) -> None:
    people.befriend(ann, ben)
    ann.send(f"<presence type='unsubscribe' to='{ben.bare}'/>")
    came = ann.sync()
    assert pushed(came) == [{"jid": ben.bare, "subscription": "from"}]
    assert ("unavailable", ben.jid) in presences(came, ben.jid)
    came = ben.sync()
    assert pushed(came) == [{"jid": ann.bare, "subscription": "to"}]
    assert presences(came, ann.bare, ann.jid) == [("unsubscribe", ann.bare)]


def test_a_mutual_subscription_is_both(people: People, ann: Client, ben: Client) -> None:
    people.befriend(ann, ben)
    assert roster_of(ann)[ben.bare]["subscription"] == roster_of(ben)[ann.bare]["subscription"] == "both"


def test_unsubscribing_keeps_name_and_group(people: People, ann: Client, ben: Client) -> None:
    people.befriend(ann, ben)
    ann.set(f"<query xmlns='{ns.ROSTER}'><item jid='{ben.bare}' name='Ben'><group>g</group></item></query>")
    do(ann, "unsubscribe", ben)
    item = ann.get(GET)[0][0]
    assert item.get("name") == "Ben"
    assert [group.text for group in item] == ["g"]


# Pre-approval (§3.4)


def test_a_pre_approved_request_is_answered_by_the_server(ann: Client, ben: Client) -> None:
    ben.send(f"<presence type='subscribed' to='{ann.bare}'/>")
    assert pushed(ben.sync()) == [{"jid": ann.bare, "subscription": "none", "approved": "true"}]
    ann.nothing_before()
    ann.send(f"<presence type='subscribe' to='{ben.bare}'/>")
    ann.sync()
    came = ben.sync()
    assert presences(came, ann.bare) == []
    assert [item["subscription"] for item in pushed(came)] == ["from"]
    assert roster_of(ann)[ben.bare]["subscription"] == "to"


def test_a_pre_approval_can_be_taken_back(ann: Client, ben: Client) -> None:
    do(ben, "subscribed", ann)
    ben.send(f"<presence type='unsubscribed' to='{ann.bare}'/>")
    ben.sync()
    ann.nothing_before()
    assert "approved" not in roster_of(ben).get(ann.bare, {})
    ann.send(f"<presence type='subscribe' to='{ben.bare}'/>")
    ann.sync()
    ben.expect("presence", type="subscribe", from_=ann.bare)


def test_a_pre_approval_works_while_one_is_away(people: People, ann: Client, ben: Client) -> None:
    do(ben, "subscribed", ann)
    ben.close()
    ann.send(f"<presence type='subscribe' to='{ben.bare}'/>")
    assert ("subscribed", ben.bare) in presences(ann.sync(), ben.bare)
    assert roster_of(ann)[ben.bare]["subscription"] == "to"


# Every state of appendix A: what ann sends to ben, whether it reaches him, and the states of both afterwards

PATHS = {  # how to get there: who sends what
    "none": "",
    "none + out": "ann:subscribe",
    "none + in": "ben:subscribe",
    "none + out + in": "ann:subscribe ben:subscribe",
    "to": "ann:subscribe ben:subscribed",
    "to + in": "ann:subscribe ben:subscribed ben:subscribe",
    "from": "ben:subscribe ann:subscribed",
    "from + out": "ben:subscribe ann:subscribed ann:subscribe",
    "both": "ann:subscribe ben:subscribed ben:subscribe ann:subscribed",
}
MIRROR = {
    "none": "none", "none + out": "none + in", "none + in": "none + out", "none + out + in": "none + out + in",
    "to": "from", "to + in": "from + out", "from": "to", "from + out": "to + in", "both": "both",
}  # fmt: skip
# The state afterwards; "!" if what ann sent is delivered to ben.
TRANSITIONS = {
    "subscribe": {
        "none": "none + out!", "none + out": "none + out", "none + in": "none + out + in!",
        "none + out + in": "none + out + in", "to": "to", "to + in": "to + in", "from": "from + out!",
        "from + out": "from + out", "both": "both",
    },
    "unsubscribe": {
        "none": "none", "none + out": "none!", "none + in": "none + in", "none + out + in": "none + in!",
        "to": "none!", "to + in": "none + in!", "from": "from", "from + out": "from!", "both": "from!",
    },
    "subscribed": {
        "none": "none", "none + out": "none + out", "none + in": "from!", "none + out + in": "from + out!",
        "to": "to", "to + in": "both!", "from": "from", "from + out": "from + out", "both": "both",
    },
    "unsubscribed": {
        "none": "none", "none + out": "none + out", "none + in": "none!", "none + out + in": "none + out!",
        "to": "to", "to + in": "to!", "from": "none!", "from + out": "none + out!", "both": "to!",
    },
}  # fmt: skip
ROWS = [
    pytest.param(state, type, result.rstrip("!"), result.endswith("!"), id=f"{type} in {state}")
    for type, states in TRANSITIONS.items()
    for state, result in states.items()
]


def visible(state: str) -> tuple[str, bool]:
    """What a roster shows of a state: the subscription, and whether a request is pending out."""
    return state.split(" ")[0], "out" in state


def state_of(client: Client, other: Client) -> tuple[str, bool]:
    item = roster_of(client).get(other.bare, {})
    return item.get("subscription", "none"), item.get("ask") == "subscribe"


def requested(people: People, client: Client, other: Client) -> bool:
    """Whether the other's request waits for an answer: then a new session is told of it."""
    session = people.bound(client.jid.split("@")[0])
    session.send("<presence/>")
    return any(each.get("type") == "subscribe" and each.get("from") == other.bare for each in session.sync())


@pytest.mark.parametrize(("state", "type", "result", "delivered"), ROWS)
def test_each_presence_changes_each_state_as_the_tables_say(
    people: People, ann: Client, ben: Client, state: str, type: str, result: str, delivered: bool
) -> None:
    clients = {"ann": ann, "ben": ben}
    for step in PATHS[state].split():
        who, what = step.split(":")
        do(clients[who], what, ben if who == "ann" else ann)
    assert state_of(ann, ben) == visible(state)
    ann.send(f"<presence type='{type}' id='it' to='{ben.bare}'/>")
    ann.sync()
    came = [stanza for stanza in ben.sync() if stanza.tag == "presence" and stanza.get("from") == ann.bare]
    assert [stanza.get("type") for stanza in came] == ([type] if delivered else []), [show(each) for each in came]
    assert state_of(ann, ben) == visible(result)
    assert state_of(ben, ann) == visible(MIRROR[result])
    assert requested(people, ann, ben) == ("in" in result.split())
    assert requested(people, ben, ann) == ("in" in MIRROR[result].split())
