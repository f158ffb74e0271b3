"""Roster items: what a roster set may say, and how an item is written."""

import json

import pytest

from fermata.core.records import RosterItemRemoved, RosterItemSaved
from fermata.core.roster_item import RosterItem, RosterSet, item_element, item_record, parse_roster_set
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.xml import plain, read

ROMEO = JID.parse("romeo@montague.example")


def query(items: str) -> str:
    return f"<query xmlns='jabber:iq:roster'>{items}</query>"


def test_a_roster_set_names_a_contact_and_its_groups() -> None:
    wanted = parse_roster_set(
        read(query("<item jid='Romeo@Montague.example' name='R'><group>Lovers</group><group>Foes</group></item>"))
    )
    assert wanted == RosterSet(ROMEO, "R", ("Lovers", "Foes"), remove=False)


def test_what_only_the_server_decides_is_ignored() -> None:
    item = "<item jid='romeo@montague.example' subscription='both' ask='subscribe' approved='true'/>"
    assert parse_roster_set(read(query(item))) == RosterSet(ROMEO, "", (), remove=False)


def test_a_removal_needs_no_more_than_the_jid() -> None:
    item = "<item jid='romeo@montague.example' subscription='remove' name='R'><group/></item>"
    assert parse_roster_set(read(query(item))) == RosterSet(ROMEO, "", (), remove=True)


@pytest.mark.parametrize(
    ("items", "condition"),
    [
        ("", "bad-request"),
        ("<item xmlns='urn:example:other' jid='a@b'/>", "bad-request"),
        ("<item jid='a@b'/><item jid='c@d'/>", "bad-request"),
        ("<item name='R'/>", "bad-request"),
        ("<item jid=''/>", "bad-request"),
        ("<item jid='romeo@montague.example/orchard'/>", "bad-request"),
        ("<item jid='a@b@c/'/>", "jid-malformed"),
        ("<item jid='a@b'><group>x</group><group>x</group></item>", "bad-request"),
        ("<item jid='a@b'><group/></item>", "not-acceptable"),
        ("<item jid='a@b'><group>x</group><group></group></item>", "not-acceptable"),
        (f"<item jid='a@b'><group>{'x' * 1024}</group></item>", "not-acceptable"),
        (f"<item jid='a@b' name='{'x' * 1024}'/>", "not-acceptable"),
    ],
)
def test_a_wrong_roster_set_is_refused(items: str, condition: str) -> None:
    with pytest.raises(StanzaError) as caught:
        parse_roster_set(read(query(items)))
    assert caught.value.condition == condition


def test_the_longest_names_are_taken() -> None:
    long = "x" * 1023
    wanted = parse_roster_set(read(query(f"<item jid='a@b' name='{long}'><group>{long}</group></item>")))
    assert (wanted.name, wanted.groups) == (long, (long,))


def test_an_item_is_written_with_what_there_is() -> None:
    item = RosterItem(ROMEO, "R", "from", True, True, ("Lovers", "Foes"), 7)
    assert plain(item_element(item)) == plain(
        read(
            "<item xmlns='jabber:iq:roster' jid='romeo@montague.example' subscription='from' name='R' ask='subscribe'"
            " approved='true'><group>Lovers</group><group>Foes</group></item>"
        )
    )
    bare = RosterItem(ROMEO, "", "none", False, False, (), 7)
    assert plain(item_element(bare)) == plain(
        read("<item xmlns='jabber:iq:roster' jid='romeo@montague.example' subscription='none'/>")
    )


def test_an_item_is_kept_with_its_groups_as_json() -> None:
    record = item_record(12, RosterItem(ROMEO, "R", "to", False, True, ("a", "b"), 7))
    assert isinstance(record, RosterItemSaved)
    assert json.loads(record.groups) == ["a", "b"]
    assert record._replace(groups="") == RosterItemSaved(12, ROMEO, "R", "to", False, True, "", 7)


def test_a_tombstone_is_kept_as_a_removal() -> None:
    assert item_record(12, RosterItem(ROMEO, "", "remove", False, False, (), 8)) == RosterItemRemoved(12, ROMEO, 8)
