"""Rosters (RFC 6121 §2), with versions (§2.6)."""

from collections.abc import Callable, Iterable

import pytest

from kit import ns
from kit.people import People, roster_of
from kit.server import Server, Settings
from kit.stanzas import Element, error, find, find_all, show
from kit.wire import Client

GET = f"<query xmlns='{ns.ROSTER}'/>"
JULIET = "juliet@elsewhere.example"


def put(jid: str = JULIET, groups: Iterable[str] = (), **attributes: str) -> str:
    """A roster set of one item."""
    pairs = "".join(f" {name}='{value}'" for name, value in attributes.items())
    inside = "".join(f"<group>{group}</group>" for group in groups)
    return f"<query xmlns='{ns.ROSTER}'><item jid='{jid}'{pairs}>{inside}</item></query>"


def expect_push(client: Client, **attributes: str | None) -> Element:
    """A roster push of one item with these attributes; the item."""
    push = client.expect("iq", type="set")
    assert push.get("from") in (None, client.bare), show(push)
    pushed = find_all(push, "roster:query/roster:item")
    assert len(pushed) == 1, show(push)
    for name, value in attributes.items():
        assert pushed[0].get(name) == value, show(push)
    client.send(f"<iq type='result' id='{push.get('id')}'/>")
    return pushed[0]


@pytest.fixture
def ann(people: People) -> Client:
    """Somebody who has asked for her roster, and so gets pushes."""
    client = people.online()
    client.get(GET)
    return client


def test_a_new_roster_is_empty(ann: Client) -> None:
    assert roster_of(ann) == {}


def test_an_item_that_was_put_is_there(ann: Client) -> None:
    ann.set(put(name="Juliet", groups=["Friends", "Verona"]))
    ann.sync()
    item = ann.get(GET)[0][0]
    assert item.attrib == {"jid": JULIET, "name": "Juliet", "subscription": "none"}
    assert {group.text for group in item} == {"Friends", "Verona"}


def test_an_item_may_be_put_for_the_own_account_by_name(ann: Client) -> None:
    ann.set(put(), ann.bare)
    ann.sync()
    assert set(roster_of(ann)) == {JULIET}


def test_putting_replaces_name_and_groups(ann: Client) -> None:
    ann.set(put(name="Juliet", groups=["Friends"]))
    ann.set(put(groups=["Family"]))
    ann.sync()
    item = ann.get(GET)[0][0]
    assert not item.get("name")
    assert [group.text for group in item] == ["Family"]


def test_a_change_is_pushed_to_every_session_that_asked_for_the_roster(people: People, ann: Client) -> None:
    interested, uninterested = people.another(ann), people.another(ann)
    interested.get(GET)
    for client in (ann, interested, uninterested):
        client.sync()
    ann.send(f"<iq type='set' id='s'>{put(name='Juliet')}</iq>")
    ann.expect_all(
        lambda stanza: stanza.get("id") == "s" and stanza.get("type") == "result",
        lambda stanza: find(stanza, "roster:query/roster:item[@name='Juliet']") is not None,
    )
    expect_push(interested, jid=JULIET, name="Juliet", subscription="none")
    interested.nothing_before()
    uninterested.nothing_before()


def test_a_push_needs_no_presence(people: People) -> None:
    ann = people.bound()
    ann.get(GET)
    other = people.another(ann)
    other.set(put())
    expect_push(ann, jid=JULIET)


def test_a_refused_push_does_no_harm(people: People, ann: Client) -> None:
    other = people.another(ann)
    other.set(put())
    push = ann.expect("iq", type="set")
    ann.send(
        f"<iq type='error' id='{push.get('id')}'>"
        f"<error type='cancel'><service-unavailable xmlns='{ns.STANZA_ERRORS}'/></error></iq>"
    )
    ann.nothing_before()


def test_a_forged_push_is_refused_or_dropped(people: People, ann: Client) -> None:
    """A roster set to another's full JID is an IQ between two clients; the receiver judges its `from` (§2.1.6)."""
    mallory = people.online()
    mallory.send(f"<iq type='set' id='f' to='{ann.jid}'>{put('mallory@localhost')}</iq>")
    mallory.sync()
    for stanza in ann.sync():
        assert stanza.get("from") == mallory.jid
    assert roster_of(ann) == {}


def test_removing_is_pushed(ann: Client) -> None:
    ann.set(put())
    ann.sync()
    ann.send(f"<iq type='set' id='r'>{put(subscription='remove')}</iq>")
    ann.expect_all(
        lambda stanza: stanza.get("id") == "r" and stanza.get("type") == "result",
        lambda stanza: find(stanza, "roster:query/roster:item[@subscription='remove']") is not None,
    )
    assert roster_of(ann) == {}


def test_removing_what_is_not_there(ann: Client) -> None:
    assert ann.refused("set", put(subscription="remove")) == ("cancel", "item-not-found")


def test_removing_a_contact_ends_both_subscriptions(people: People) -> None:
    ann, ben = people.online(), people.online()
    people.befriend(ann, ben)
    ben.get(GET)
    ann.set(put(ben.bare, subscription="remove"))
    ann.sync()
    assert roster_of(ann) == {}
    came = ben.sync()
    types = [stanza.get("type") for stanza in came if stanza.tag == "presence" and stanza.get("from") == ann.bare]
    assert sorted(filter(None, types)) == ["unsubscribe", "unsubscribed"], [show(each) for each in came]
    assert any(stanza.get("from") == ann.jid and stanza.get("type") == "unavailable" for stanza in came)
    assert roster_of(ben)[ann.bare]["subscription"] == "none"
    ann.send("<presence><status>unseen</status></presence>")
    ann.sync()
    ben.nothing_before()


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        (f"<query xmlns='{ns.ROSTER}'/>", "bad-request"),
        (f"<query xmlns='{ns.ROSTER}'><item jid='a@b.example'/><item jid='c@b.example'/></query>", "bad-request"),
        (f"<query xmlns='{ns.ROSTER}'><item name='Juliet'/></query>", "bad-request"),
        (put(groups=["Friends", "Friends"]), "bad-request"),
        (put(groups=[""]), "not-acceptable"),
        (put(groups=["g" * 1024]), "not-acceptable"),
        (put(name="n" * 1024), "not-acceptable"),
    ],
    ids=["nothing", "two items", "no jid", "a group twice", "an empty group", "a long group", "a long name"],
)
def test_a_roster_set_against_the_rules(ann: Client, query: str, condition: str) -> None:
    assert error(ann.iq("set", query)) == ("modify", condition)
    assert roster_of(ann) == {}


@pytest.mark.parametrize("jid", ["@", "a b@c", "", "juliet@", "x" * 1024])
def test_an_item_with_an_invalid_address_is_refused(ann: Client, jid: str) -> None:
    type, condition = ann.refused("set", put(jid))
    assert (type, condition) in {("modify", "bad-request"), ("modify", "jid-malformed")}
    assert roster_of(ann) == {}


def test_the_address_of_an_item_is_prepared(ann: Client) -> None:
    ann.set(put("JULIET@Elsewhere.Example"))
    ann.sync()
    assert set(roster_of(ann)) == {JULIET}


@pytest.mark.parametrize("subscription", ["both", "to", "from", "none"])
def test_a_client_cannot_set_a_subscription(ann: Client, subscription: str) -> None:
    ann.set(put(subscription=subscription, ask="subscribe", approved="true"))
    ann.sync()
    item = roster_of(ann)[JULIET]
    assert item["subscription"] == "none"
    assert "ask" not in item
    assert "approved" not in item


@pytest.mark.parametrize("type", ["get", "set"])
def test_the_roster_of_another_is_nobodys_business(people: People, ann: Client, type: str) -> None:
    other = people.online()
    payload = GET if type == "get" else put()
    condition = other.refused(type, payload, ann.bare)[1]
    assert condition in ("forbidden", "service-unavailable")
    assert roster_of(ann) == {}
    ann.nothing_before()


def test_a_name_may_contain_anything(ann: Client) -> None:
    ann.set(put(name="&lt;&amp;&quot;&apos; \u00fc \U0001f3b6", groups=["&lt;b&gt; &amp;"]))
    ann.sync()
    item = ann.get(GET)[0][0]
    assert item.get("name") == "<&\"' \u00fc \U0001f3b6"
    assert item[0].text == "<b> &"


def test_a_roster_survives_its_sessions(people: People, ann: Client) -> None:
    ann.set(put(name="Juliet"))
    ann.close()
    again = people.online(ann.jid.split("@")[0])
    assert roster_of(again)[JULIET]["name"] == "Juliet"


# Versions (§2.6)


def versioned(client: Client, version: str) -> Element:
    return client.get(f"<query xmlns='{ns.ROSTER}' ver='{version}'/>")


def test_a_client_that_has_nothing_gets_everything_with_a_version(ann: Client) -> None:
    ann.set(put())
    ann.sync()
    query = versioned(ann, "")[0]
    assert query.get("ver")
    assert [item.get("jid") for item in query] == [JULIET]


def test_a_client_that_is_up_to_date_gets_an_empty_result(people: People, ann: Client) -> None:
    ann.set(put())
    ann.sync()
    version = versioned(ann, "")[0].get("ver", "")
    again = people.another(ann)
    assert len(versioned(again, version)) == 0
    again.nothing_before()


def test_pushes_carry_versions_that_count(people: People, ann: Client) -> None:
    versioned(ann, "")
    other = people.another(ann)
    versions = []
    for name in ("One", "Two"):
        other.set(put(name=name))
        push = ann.expect("iq", type="set")
        versions.append(text_of_version(push))
    assert len(set(versions)) == 2
    assert len(versioned(other, versions[-1])) == 0


def text_of_version(push: Element) -> str:
    query = find(push, "roster:query")
    assert query is not None
    version = query.get("ver")
    assert version, show(push)
    return version


@pytest.mark.parametrize("change", ["put", "remove"])
def test_a_client_that_is_behind_learns_what_has_changed(people: People, ann: Client, change: str) -> None:
    """Either the whole roster, or an empty result and the changes as pushes (§2.6.3)."""
    ann.set(put(name="Juliet"))
    ann.sync()
    version = versioned(ann, "")[0].get("ver", "")
    known = {JULIET: "Juliet"}
    ann.set(put("nurse@elsewhere.example", name="Nurse") if change == "put" else put(subscription="remove"))
    again = people.another(ann)
    result = versioned(again, version)
    if len(result):
        known = {item.get("jid", ""): item.get("name", "") for item in result[0]}
    else:
        for push in again.sync():
            for item in find_all(push, "roster:query/roster:item"):
                if item.get("subscription") == "remove":
                    known.pop(item.get("jid", ""))
                else:
                    known[item.get("jid", "")] = item.get("name", "")
    expected = {JULIET: "Juliet", "nurse@elsewhere.example": "Nurse"} if change == "put" else {}
    assert known == expected


@pytest.mark.parametrize("version", ["unheard-of", "999999999", "-1"])
def test_a_version_that_never_was_brings_the_whole_roster(people: People, ann: Client, version: str) -> None:
    ann.set(put())
    ann.sync()
    query = versioned(people.another(ann), version)[0]
    assert [item.get("jid") for item in query] == [JULIET]


def test_a_roster_has_a_limit(launch: Callable[[Settings], Server]) -> None:
    people = People(launch({"limits": {"roster_items": 2}}), iter(["guest0"]))
    client = people.online()
    for number in range(2):
        client.set(put(f"{number}@elsewhere.example"))
    assert client.iq("set", put("one.more@elsewhere.example")).get("type") == "error"
    client.set(put("1@elsewhere.example", name="still changeable"))
    client.sync()
    assert set(roster_of(client)) == {"0@elsewhere.example", "1@elsewhere.example"}
    people.go()
