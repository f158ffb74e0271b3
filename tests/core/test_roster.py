"""Rosters: items and their versions, what a client sets, what subscription stanzas do."""

from collections.abc import Callable

import pytest

from fermata.core.records import Record, RequestRemoved, RequestSaved, RosterItemRemoved, RosterItemSaved
from fermata.core.roster import MAX_REQUESTS, Change, Roster
from fermata.core.roster_item import RosterItem
from fermata.core.subscription import State
from fermata.xmpp.element import E, Element, serialise
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.xml import plain, read

JULIET = JID.parse("juliet@capulet.example")
ROMEO = JID.parse("romeo@montague.example")
NURSE = JID.parse("nurse@capulet.example")


def roster(*items: RosterItem, requests: dict[str, str] | None = None) -> Roster:
    return Roster(5, JULIET, items, requests or {})


def item(jid: str, subscription: str, version: int = 1, ask: bool = False, approved: bool = False) -> RosterItem:
    return RosterItem(jid, "", subscription, ask, approved, (), version)


def roster_set(attributes: str, children: str = "") -> Element:
    return read(f"<query xmlns='jabber:iq:roster'><item {attributes}>{children}</item></query>")


def presence(type: str, sender: str = "", to: str = "") -> Element:
    return Element("presence", {"type": type, "from": sender or f"{JULIET}/balcony", "to": to or f"{ROMEO}/orchard"})


def pushed(change: Change) -> str:
    assert change.push is not None
    return serialise(change.push)


# -- versions


def test_a_client_without_versions_gets_the_whole_roster_without_one() -> None:
    answer = roster(item(ROMEO, "both", 3), item(NURSE, "remove", 4)).get(None)
    assert answer.query is not None
    assert serialise(answer.query) == (
        "<query xmlns='jabber:iq:roster'><item jid='romeo@montague.example' subscription='both'/></query>"
    )
    assert answer.pushes == []


@pytest.mark.parametrize("version", ["", "9", "-1", "x", "³", "1" * 5000])
def test_a_version_that_there_never_was_gets_the_whole_roster(version: str) -> None:
    answer = roster(item(ROMEO, "both", 3), item(NURSE, "remove", 4)).get(version)
    assert answer.query is not None
    assert answer.query.get("ver") == "4"
    assert [entry.get("jid") for entry in answer.query] == [ROMEO]
    assert answer.pushes == []


def test_the_newest_version_gets_an_empty_result() -> None:
    assert roster(item(ROMEO, "both", 3), item(NURSE, "remove", 4)).get("4") == (None, [])
    assert roster().get("0") == (None, [])


def test_an_older_version_gets_what_has_changed_since_in_order() -> None:
    contacts = [item(f"c{number}@capulet.example", "none", 1) for number in range(5)]
    answer = roster(*contacts, item(ROMEO, "both", 6), item(NURSE, "remove", 4)).get("3")
    assert answer.query is None
    assert [serialise(push) for push in answer.pushes] == [
        "<query xmlns='jabber:iq:roster' ver='4'><item jid='nurse@capulet.example' subscription='remove'/></query>",
        "<query xmlns='jabber:iq:roster' ver='6'><item jid='romeo@montague.example' subscription='both'/></query>",
    ]


def test_a_client_that_missed_too_much_gets_the_whole_roster() -> None:
    answer = roster(item(ROMEO, "both", 6), item(NURSE, "remove", 4)).get("3")
    assert answer.query is not None
    assert answer.query.get("ver") == "6"


def test_every_change_has_a_version_of_its_own_even_a_removal() -> None:
    juliet = roster(item(NURSE, "none", 7))
    juliet.set_item(roster_set("jid='romeo@montague.example'"))
    assert juliet.version == 8
    juliet.set_item(roster_set("jid='romeo@montague.example' subscription='remove'"))
    assert juliet.version == 9
    juliet.set_item(roster_set("jid='romeo@montague.example'"))
    assert juliet.version == 10
    answer = juliet.get("9")
    assert answer.query is None
    assert [push.get("ver") for push in answer.pushes] == ["10"]


def test_versions_go_on_from_the_newest_tombstone() -> None:
    assert roster(item(ROMEO, "both", 3), item(NURSE, "remove", 4)).version == 4


# -- roster sets


def test_a_new_item_is_kept_and_pushed() -> None:
    juliet = roster()
    change = juliet.set_item(roster_set("jid='romeo@montague.example' name='Romeo'", "<group>Friends</group>"))
    assert change.records == [RosterItemSaved(5, ROMEO, "Romeo", "none", False, False, '["Friends"]', 1)]
    assert pushed(change) == (
        "<query xmlns='jabber:iq:roster' ver='1'><item jid='romeo@montague.example' subscription='none'"
        " name='Romeo'><group>Friends</group></item></query>"
    )
    assert change._replace(records=[], push=None) == Change(ROMEO, [])


def test_an_update_leaves_the_subscription_alone() -> None:
    juliet = roster(item(ROMEO, "from", ask=True, approved=True))
    juliet.set_item(roster_set("jid='romeo@montague.example' name='Romeo' subscription='none'"))
    assert juliet.item(ROMEO) == RosterItem(ROMEO, "Romeo", "from", True, True, (), 2)


def test_an_update_without_groups_takes_the_item_out_of_all() -> None:
    juliet = roster(item(ROMEO, "both")._replace(groups=("Friends",), name="R"))
    juliet.set_item(roster_set("jid='romeo@montague.example'"))
    assert juliet.item(ROMEO) == item(ROMEO, "both", 2)


def test_removing_what_is_not_there_is_refused() -> None:
    juliet = roster(item(ROMEO, "remove"), requests={NURSE: "<presence/>"})
    for jid in (ROMEO, NURSE):
        with pytest.raises(StanzaError) as caught:
            juliet.set_item(roster_set(f"jid='{jid}' subscription='remove'"))
        assert caught.value.condition == "item-not-found"


@pytest.mark.parametrize("more", ["", "subscription='remove'"])
def test_nobody_can_put_themselves_into_their_roster(more: str) -> None:
    with pytest.raises(StanzaError) as caught:
        roster().set_item(roster_set(f"jid='{JULIET}' {more}"))
    assert caught.value.condition == "not-allowed"


@pytest.mark.parametrize(
    ("subscription", "ask", "requested", "types", "unavailable"),
    [
        ("none", False, False, [], False),
        ("none", True, False, ["unsubscribe"], False),
        ("none", False, True, ["unsubscribed"], False),
        ("none", True, True, ["unsubscribe", "unsubscribed"], False),
        ("to", False, False, ["unsubscribe"], False),
        ("to", False, True, ["unsubscribe", "unsubscribed"], False),
        ("from", False, False, ["unsubscribed"], True),
        ("from", True, False, ["unsubscribe", "unsubscribed"], True),
        ("both", False, False, ["unsubscribe", "unsubscribed"], True),
    ],
)
def test_a_removal_ends_what_there_was(
    subscription: str, ask: bool, requested: bool, types: list[str], unavailable: bool
) -> None:
    requests = {str(ROMEO): "<presence/>"} if requested else {}
    juliet = roster(item(ROMEO, subscription, ask=ask), requests=requests)
    change = juliet.set_item(roster_set(f"jid='{ROMEO}' subscription='remove'"))
    assert [dict(stanza.attrib) for stanza in change.stanzas] == [
        {"from": JULIET, "to": ROMEO, "type": type} for type in types
    ]
    assert change.unavailable == unavailable
    assert not change.available
    expected: list[Record] = [RosterItemRemoved(5, ROMEO, 2)]
    if requested:
        expected.append(RequestRemoved(5, ROMEO))
    assert change.records == expected
    assert pushed(change) == (
        "<query xmlns='jabber:iq:roster' ver='2'><item jid='romeo@montague.example' subscription='remove'/></query>"
    )
    assert juliet.state(ROMEO) is State.NONE
    assert not juliet.requests


def test_a_full_roster_takes_no_more_but_can_be_changed() -> None:
    items = [item(f"c{number}@capulet.example", "none") for number in range(20)]
    juliet = Roster(5, JULIET, items, {}, max_items=20)
    changes: list[Callable[[], Change]] = [
        lambda: juliet.set_item(roster_set(f"jid='{ROMEO}'")),
        lambda: juliet.send(presence("subscribe"), ROMEO),
        lambda: juliet.send(presence("subscribed"), ROMEO),
    ]
    for change in changes:
        with pytest.raises(StanzaError) as caught:
            change()
        assert caught.value.condition == "resource-constraint"
    juliet.set_item(roster_set("jid='c1@capulet.example' name='C'"))
    assert juliet.version == 2


# -- subscription stanzas


def test_a_request_goes_out_between_bare_jids_with_all_that_it_carries() -> None:
    stanza = read(
        "<presence from='juliet@capulet.example/balcony' to='romeo@montague.example/orchard' type='subscribe' id='a'>"
        "<nick xmlns='http://jabber.org/protocol/nick'>Jule</nick></presence>"
    )
    change = roster().send(stanza, ROMEO)
    (routed,) = change.stanzas
    assert plain(routed) == plain(
        read(
            "<presence from='juliet@capulet.example' to='romeo@montague.example' type='subscribe' id='a'>"
            "<nick xmlns='http://jabber.org/protocol/nick'>Jule</nick></presence>"
        )
    )
    assert stanza.get("from") == "juliet@capulet.example/balcony"
    assert change.records == [RosterItemSaved(5, ROMEO, "", "none", True, False, "[]", 1)]
    assert "ask='subscribe'" in pushed(change)


def test_a_request_is_kept_until_it_is_answered_and_is_no_roster_item() -> None:
    juliet = roster()
    change = juliet.receive(presence("subscribe", f"{ROMEO}/orchard", f"{JULIET}/balcony"), ROMEO)
    xml = "<presence type='subscribe' from='romeo@montague.example' to='juliet@capulet.example'/>"
    assert change.records == [RequestSaved(5, ROMEO, xml)]
    assert change.to_available is not None
    assert serialise(change.to_available) == xml
    assert change._replace(records=[], to_available=None) == Change(ROMEO, [])
    assert juliet.requests == {ROMEO: xml}
    assert juliet.item(ROMEO) is None
    assert juliet.state(ROMEO) is State.NONE_PENDING_IN

    again = juliet.receive(presence("subscribe", ROMEO, JULIET), ROMEO)
    assert again == Change(ROMEO, [])

    granted = juliet.send(presence("subscribed"), ROMEO)
    assert granted.records == [
        RosterItemSaved(5, ROMEO, "", "from", False, False, "[]", 1),
        RequestRemoved(5, ROMEO),
    ]
    assert granted.available
    assert [stanza.get("type") for stanza in granted.stanzas] == ["subscribed"]
    assert juliet.state(ROMEO) is State.FROM


def test_a_refusal_leaves_no_trace_in_the_roster() -> None:
    juliet = roster(requests={ROMEO: "<presence/>"})
    change = juliet.send(presence("unsubscribed"), ROMEO)
    assert change.records == [RequestRemoved(5, ROMEO)]
    assert change.push is None
    assert [stanza.get("type") for stanza in change.stanzas] == ["unsubscribed"]
    assert juliet.version == 0


def test_a_grant_arrives_at_those_who_asked_for_the_roster() -> None:
    juliet = roster(item(ROMEO, "none", ask=True))
    change = juliet.receive(presence("subscribed", f"{ROMEO}/orchard", JULIET), ROMEO)
    assert change.to_available is None
    assert change.to_interested is not None
    assert serialise(change.to_interested) == (
        "<presence type='subscribed' from='romeo@montague.example' to='juliet@capulet.example'/>"
    )
    assert "subscription='to'" in pushed(change)
    assert list(juliet.subscriptions) == [ROMEO]


def test_a_grant_that_nobody_asked_for_is_ignored() -> None:
    assert roster().receive(presence("subscribed", ROMEO, JULIET), ROMEO) == Change(ROMEO, [])


def test_approval_in_advance_answers_for_the_account() -> None:
    juliet = roster()
    noted = juliet.send(presence("subscribed"), ROMEO)
    assert noted.records == [RosterItemSaved(5, ROMEO, "", "none", False, True, "[]", 1)]
    assert noted.stanzas == ()
    assert "approved='true'" in pushed(noted)

    asked = juliet.receive(presence("subscribe", ROMEO, JULIET), ROMEO)
    assert asked.to_available is None
    assert [dict(stanza.attrib) for stanza in asked.stanzas] == [{"from": JULIET, "to": ROMEO, "type": "subscribed"}]
    assert asked.available
    assert asked.records == [RosterItemSaved(5, ROMEO, "", "from", False, True, "[]", 2)]

    ended = juliet.send(presence("unsubscribed"), ROMEO)
    assert ended.unavailable
    assert ended.records == [RosterItemSaved(5, ROMEO, "", "none", False, False, "[]", 3)]


def test_a_subscriber_that_asks_again_is_answered_and_sees_the_account() -> None:
    juliet = roster(item(ROMEO, "from"))
    change = juliet.receive(presence("subscribe", ROMEO, JULIET), ROMEO)
    assert [stanza.get("type") for stanza in change.stanzas] == ["subscribed"]
    assert change.available
    assert (change.records, change.push, change.to_available) == ([], None, None)


def test_one_who_unsubscribes_gets_unavailable_presence() -> None:
    juliet = roster(item(ROMEO, "both"))
    change = juliet.receive(presence("unsubscribe", ROMEO, JULIET), ROMEO)
    assert change.unavailable
    assert change.stanzas == ()
    assert change.to_interested is not None
    assert juliet.state(ROMEO) is State.TO


@pytest.mark.parametrize("type", ["subscribe", "unsubscribe", "subscribed", "unsubscribed"])
def test_an_account_has_no_subscription_to_itself(type: str) -> None:
    juliet = roster()
    assert juliet.send(presence(type, to=JULIET), JULIET) == Change(JULIET, [])
    assert juliet.receive(presence(type, JULIET, JULIET), JULIET) == Change(JULIET, [])


def test_strangers_cannot_fill_the_memory_with_requests() -> None:
    requests = {f"c{number}@montague.example": "<presence/>" for number in range(MAX_REQUESTS)}
    juliet = roster(requests=requests)
    with pytest.raises(StanzaError) as caught:
        juliet.receive(presence("subscribe", ROMEO, JULIET), ROMEO)
    assert caught.value.condition == "resource-constraint"
    assert ROMEO not in juliet.requests


def test_of_a_very_long_request_only_that_it_was_made_is_kept() -> None:
    juliet = roster()
    asking = presence("subscribe", ROMEO, JULIET)
    asking.append(E("status", None, "x" * 10_000))
    change = juliet.receive(asking, ROMEO)
    assert change.to_available is not None
    assert change.to_available.findtext("status") is not None
    [kept] = juliet.requests.values()
    assert plain(read(kept)) == plain(presence("subscribe", ROMEO, JULIET))
    assert change.records == [RequestSaved(5, ROMEO, kept)]


def test_who_sees_whom_is_up_to_date_after_each_change() -> None:
    juliet = roster(item(ROMEO, "both"), item(NURSE, "from"))
    assert list(juliet.subscribers) == [ROMEO, NURSE]
    assert list(juliet.subscriptions) == [ROMEO]
    juliet.send(presence("unsubscribed"), ROMEO)
    assert list(juliet.subscribers) == [NURSE]
    juliet.send(presence("unsubscribe"), ROMEO)
    assert list(juliet.subscriptions) == []
    juliet.set_item(roster_set(f"jid='{NURSE}' subscription='remove'"))
    assert list(juliet.subscribers) == []
