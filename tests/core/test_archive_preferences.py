"""Which of an account's messages its archive keeps."""

import pytest

from fermata.core.archive_preferences import KEEP_ALL, Preferences
from fermata.xmpp.element import serialise
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit import ns
from kit.xml import read

BOB = JID.parse("bob@b.example")
PHONE, DESK = BOB.with_resource("phone"), BOB.with_resource("desk")


def prefs(default: str, inside: str = "") -> str:
    return f"<prefs xmlns='{ns.MAM}' default='{default}'>{inside}</prefs>"


def listed(name: str, *jids: str) -> str:
    return f"<{name}>{''.join(f'<jid>{jid}</jid>' for jid in jids)}</{name}>"


def test_preferences_are_told_as_they_were_set_with_both_lists() -> None:
    inside = listed("always", PHONE, BOB) + listed("never", "cat@c.example")
    assert serialise(Preferences.parse(read(prefs("roster", inside))).element()) == prefs("roster", inside)
    assert serialise(KEEP_ALL.element()) == prefs("always", "<always/><never/>")


@pytest.mark.parametrize(
    ("default", "always", "never", "kept", "kept_of_contacts"),
    [
        ("always", (), (), "phone desk", "phone desk"),
        ("never", (), (), "", ""),
        ("roster", (), (), "", "phone desk"),
        ("never", (BOB,), (), "phone desk", "phone desk"),
        ("never", (PHONE,), (), "phone", "phone"),
        ("always", (), (BOB,), "", ""),
        ("roster", (), (PHONE,), "", "desk"),
        ("roster", (PHONE,), (BOB,), "phone", "phone"),
        ("always", (BOB,), (PHONE,), "desk", "desk"),
        ("always", (BOB,), (BOB,), "", ""),
    ],
)
def test_an_address_in_a_list_says_more_than_the_default_and_a_full_one_more_than_a_bare_one(
    default: str, always: tuple[JID, ...], never: tuple[JID, ...], kept: str, kept_of_contacts: str
) -> None:
    chosen = Preferences(default, always, never)
    for is_contact, expected in ((False, kept), (True, kept_of_contacts)):
        assert [jid.resource for jid in (PHONE, DESK) if chosen.keeps(jid, is_contact)] == expected.split()


@pytest.mark.parametrize(
    ("xml", "condition"),
    [
        (prefs("sometimes"), "bad-request"),
        (f"<prefs xmlns='{ns.MAM}'/>", "bad-request"),
        (prefs("always", listed("never", "@")), "bad-request"),
        (prefs("always", listed("never", "")), "bad-request"),
        (prefs("never", listed("always", *(f"{number}@b.example" for number in range(1001)))), "resource-constraint"),
    ],
)
def test_preferences_that_make_no_sense_are_refused(xml: str, condition: str) -> None:
    with pytest.raises(StanzaError, match=condition):
        Preferences.parse(read(xml))
