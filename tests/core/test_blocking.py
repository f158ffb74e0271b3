"""Blocking: whom a list matches, what a request changes, who is told what."""

import pytest

from fermata.core.blocking import Blocklist, inbound_error, outbound_error
from fermata.core.records import ValueRemoved, ValueSaved
from fermata.xmpp.element import Element, serialise
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.xml import read

JULIET = JID.parse("juliet@capulet.example")


def blocklist(*entries: str) -> Blocklist:
    return Blocklist(5, JULIET, entries)


def request(name: str, *jids: str) -> Element:
    items = "".join(f"<item jid='{jid}'/>" for jid in jids)
    return read(f"<{name} xmlns='urn:xmpp:blocking'>{items}</{name}>")


def jids(*texts: str) -> list[JID]:
    return [JID.parse(text) for text in texts]


@pytest.mark.parametrize(
    ("entry", "blocked", "free"),
    [
        (
            "romeo@montague.example/orchard",
            ["romeo@montague.example/orchard"],
            ["romeo@montague.example", "romeo@montague.example/home", "montague.example/orchard"],
        ),
        (
            "romeo@montague.example",
            ["romeo@montague.example", "romeo@montague.example/orchard"],
            ["montague.example", "abram@montague.example", "romeo@x.montague.example"],
        ),
        (
            "montague.example/orchard",
            ["montague.example/orchard"],
            ["montague.example", "montague.example/home", "romeo@montague.example/orchard"],
        ),
        (
            "montague.example",
            ["montague.example", "montague.example/orchard", "romeo@montague.example", "a@montague.example/b"],
            ["x.montague.example", "a@x.montague.example"],
        ),
        (
            "verona@rooms.example/tybalt",
            ["verona@rooms.example/tybalt"],
            ["verona@rooms.example", "verona@rooms.example/mercutio"],
        ),
    ],
)
def test_an_entry_matches_as_it_is_written(entry: str, blocked: list[str], free: list[str]) -> None:
    listed = blocklist(entry)
    assert [text for text in (*blocked, *free) if listed.blocks(JID.parse(text))] == blocked


@pytest.mark.parametrize("entry", ["juliet@capulet.example", "juliet@capulet.example/chamber", "capulet.example"])
def test_nobody_can_shut_themselves_out(entry: str) -> None:
    listed = blocklist(entry)
    for own in ("juliet@capulet.example", "juliet@capulet.example/chamber", "capulet.example", "capulet.example/x"):
        assert not listed.blocks(JID.parse(own))
    assert listed.blocks(JID.parse("tybalt@capulet.example")) == (entry == "capulet.example")


def test_an_empty_list_is_false() -> None:
    assert not blocklist()
    assert blocklist("montague.example")


def test_the_list_is_shown_in_the_order_in_which_it_grew() -> None:
    listed = blocklist("romeo@montague.example")
    listed.block(request("block", "abram@montague.example"), [])
    assert serialise(listed.element()) == (
        "<blocklist xmlns='urn:xmpp:blocking'><item jid='romeo@montague.example'/>"
        "<item jid='abram@montague.example'/></blocklist>"
    )


def test_blocking_keeps_what_is_new_and_pushes_what_was_asked() -> None:
    listed = blocklist("montague.example")
    change = listed.block(request("block", "montague.example", "Romeo@verona.example", "romeo@verona.example"), [])
    assert change.records == [ValueSaved(5, "blocking", "romeo@verona.example", "")]
    assert serialise(change.push) == (
        "<block xmlns='urn:xmpp:blocking'><item jid='montague.example'/><item jid='romeo@verona.example'/></block>"
    )
    assert listed.blocks(JID.parse("romeo@verona.example"))


def test_unblocking_keeps_the_rest() -> None:
    listed = blocklist("montague.example", "romeo@verona.example")
    change = listed.unblock(request("unblock", "montague.example", "unknown.example"), [])
    assert change.records == [ValueRemoved(5, "blocking", "montague.example")]
    assert serialise(change.push) == (
        "<unblock xmlns='urn:xmpp:blocking'><item jid='montague.example'/><item jid='unknown.example'/></unblock>"
    )
    assert len(listed) == 1


def test_unblocking_nobody_in_particular_unblocks_all() -> None:
    listed = blocklist("montague.example", "romeo@verona.example")
    change = listed.unblock(request("unblock"), jids("abram@montague.example"))
    assert change.records == [
        ValueRemoved(5, "blocking", "montague.example"),
        ValueRemoved(5, "blocking", "romeo@verona.example"),
    ]
    assert serialise(change.push) == "<unblock xmlns='urn:xmpp:blocking'/>"
    assert change.affected == jids("abram@montague.example")
    assert not listed


@pytest.mark.parametrize(
    ("name", "items", "condition"),
    [
        ("block", "", "bad-request"),
        ("block", "<other xmlns='urn:example:other' jid='a@b'/>", "bad-request"),
        ("block", "<item/>", "bad-request"),
        ("unblock", "<item jid='a@b'/><item/>", "bad-request"),
        ("block", "<item jid='a@b@c'/>", "jid-malformed"),
        ("unblock", "<item jid=''/>", "jid-malformed"),
    ],
)
def test_a_wrong_request_is_refused_and_changes_nothing(name: str, items: str, condition: str) -> None:
    listed = blocklist("a@b")
    act = listed.block if name == "block" else listed.unblock
    with pytest.raises(StanzaError) as caught:
        act(read(f"<{name} xmlns='urn:xmpp:blocking'>{items}</{name}>"), [])
    assert caught.value.condition == condition
    assert len(listed) == 1


def test_those_who_are_newly_blocked_are_affected() -> None:
    listed = blocklist("romeo@montague.example")
    contacts = jids("romeo@montague.example", "abram@montague.example", "nurse@capulet.example")
    change = listed.block(request("block", "montague.example"), contacts)
    assert change.affected == jids("abram@montague.example")


def test_those_who_stay_blocked_by_another_entry_are_not_affected() -> None:
    listed = blocklist("romeo@montague.example", "montague.example")
    contacts = jids("romeo@montague.example", "abram@montague.example")
    assert listed.unblock(request("unblock", "montague.example"), contacts).affected == jids("abram@montague.example")


def test_one_resource_of_a_contact_is_affected_by_itself() -> None:
    listed = blocklist()
    contacts = jids("romeo@montague.example")
    orchard = "romeo@montague.example/orchard"
    assert listed.block(request("block", orchard, "a@b/c"), contacts).affected == jids(orchard)
    assert listed.unblock(request("unblock", orchard), contacts).affected == jids(orchard)


def test_blocking_a_room_affects_the_place_in_it() -> None:
    place = "verona@rooms.example/juliet"
    assert blocklist().block(request("block", "verona@rooms.example"), jids(place)).affected == jids(place)


@pytest.mark.parametrize(
    ("kind", "type", "is_told"),
    [
        ("message", "chat", True),
        ("message", "normal", True),
        ("message", "headline", True),
        ("message", "groupchat", False),
        ("message", "error", False),
        ("presence", "", False),
        ("presence", "subscribe", False),
        ("presence", "probe", False),
        ("iq", "get", True),
        ("iq", "set", True),
        ("iq", "result", False),
        ("iq", "error", False),
    ],
)
def test_who_is_blocked_sees_an_absent_person(kind: str, type: str, is_told: bool) -> None:
    error = inbound_error(kind, type)
    assert (None if error is None else error.condition) == ("service-unavailable" if is_told else None)


def test_blocking_one_occupant_does_not_tell_the_room_that_we_are_gone() -> None:
    assert inbound_error("message", "chat", from_occupant=True) is None
    assert inbound_error("iq", "get", from_occupant=True) is not None


def test_a_client_learns_that_it_was_its_own_blocklist() -> None:
    error = outbound_error()
    assert (error.condition, error.type, error.detail) == (
        "not-acceptable",
        "cancel",
        "{urn:xmpp:blocking:errors}blocked",
    )
