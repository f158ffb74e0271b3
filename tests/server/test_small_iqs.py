"""Small requests: ping (XEP-0199), version (0092), time (0202), vCards (0054), private storage (0049)."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from kit import ns
from kit.people import People
from kit.stanzas import find, show, text
from kit.wire import Client

PING = f"<ping xmlns='{ns.PING}'/>"
VCARD = f"<vCard xmlns='{ns.VCARD}'/>"


@pytest.fixture
def ann(people: People) -> Client:
    return people.online()


def name(client: Client) -> str:
    return client.jid.split("@")[0]


# Ping


@pytest.mark.parametrize("to", ["localhost", None, "own", "conference.localhost"])
def test_ping_is_answered(guests: People, to: str | None) -> None:
    client = guests.bound()
    reply = client.get(PING, client.bare if to == "own" else to)
    assert len(reply) == 0, show(reply)


def test_ping_reaches_a_client(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<iq type='get' id='p' to='{ben.jid}'>{PING}</iq>")
    ben.expect("iq", "ping:ping", type="get", id="p", from_=ann.jid)
    ben.send(f"<iq type='result' id='p' to='{ann.jid}'/>")
    ann.expect("iq", type="result", id="p", from_=ben.jid)


@pytest.mark.parametrize("to", ["localhost", None])
def test_ping_cannot_be_set(guests: People, to: str | None) -> None:
    assert guests.bound().iq("set", PING, to).get("type") == "error"


# Version and time


def test_version_names_the_software(guests: People) -> None:
    reply = guests.bound().get(f"<query xmlns='{ns.VERSION}'/>", "localhost")
    assert text(reply, "version:query/version:name") == "Fermata"
    assert text(reply, "version:query/version:version")


def test_time_is_now(guests: People) -> None:
    reply = guests.bound().get(f"<time xmlns='{ns.TIME}'/>", "localhost")
    assert re.fullmatch(r"[+-]\d\d:\d\d|Z", text(reply, "time:time/time:tzo") or "")
    utc = text(reply, "time:time/time:utc") or ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", utc)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(utc)) < timedelta(seconds=30)


# vCards


def test_a_vcard_is_kept(people: People, ann: Client) -> None:
    ann.set(f"<vCard xmlns='{ns.VCARD}'><FN>Ann &amp; co</FN><N><GIVEN>Ann</GIVEN></N></vCard>")
    for reply in (ann.get(VCARD), ann.get(VCARD, ann.bare), people.online().get(VCARD, ann.bare)):
        assert text(reply, "vcard:vCard/vcard:FN") == "Ann & co"
        assert text(reply, "vcard:vCard/vcard:N/vcard:GIVEN") == "Ann"


def test_a_vcard_can_be_read_while_its_owner_is_away(people: People, ann: Client) -> None:
    ann.set(f"<vCard xmlns='{ns.VCARD}'><FN>Ann</FN></vCard>")
    ann.close()
    reply = people.online().get(VCARD, ann.bare)
    assert text(reply, "vcard:vCard/vcard:FN") == "Ann"


def test_setting_a_vcard_replaces_it(ann: Client) -> None:
    ann.set(f"<vCard xmlns='{ns.VCARD}'><FN>Ann</FN><NICKNAME>annie</NICKNAME></vCard>")
    ann.set(f"<vCard xmlns='{ns.VCARD}'><FN>Anna</FN></vCard>", ann.bare)
    reply = ann.get(VCARD)
    assert text(reply, "vcard:vCard/vcard:FN") == "Anna"
    assert text(reply, "vcard:vCard/vcard:NICKNAME") is None


@pytest.mark.parametrize("own", [True, False])
def test_where_there_is_no_vcard_there_is_none(people: People, ann: Client, own: bool) -> None:
    """An empty one or `item-not-found` (XEP-0054 §3.1)."""
    other = people.online()
    reply = ann.iq("get", VCARD, None if own else other.bare)
    if reply.get("type") == "error":
        assert find(reply, "error/errors:item-not-found") is not None, show(reply)
    else:
        card = find(reply, "vcard:vCard")
        assert card is not None
        assert len(card) == 0


def test_nobody_has_no_vcard(ann: Client) -> None:
    assert ann.refused("get", VCARD, "nobody@localhost")[1] in ("service-unavailable", "item-not-found")


def test_the_vcard_of_another_cannot_be_set(people: People, ann: Client) -> None:
    other = people.online()
    other.set(f"<vCard xmlns='{ns.VCARD}'><FN>Other</FN></vCard>")
    assert ann.refused("set", f"<vCard xmlns='{ns.VCARD}'><FN>forged</FN></vCard>", other.bare) == ("auth", "forbidden")
    assert text(other.get(VCARD), "vcard:vCard/vcard:FN") == "Other"


# Private storage


def private(payload: str) -> str:
    return f"<query xmlns='{ns.PRIVATE}'>{payload}</query>"


def test_private_data_is_kept(people: People, ann: Client) -> None:
    ann.set(private("<notes xmlns='urn:example:notes'><note id='1'>tea &amp; milk</note></notes>"))
    ann.close()
    again = people.online(name(ann))
    reply = again.get(private("<notes xmlns='urn:example:notes'/>"))
    assert text(reply, "private:query/{urn:example:notes}notes/{urn:example:notes}note") == "tea & milk"


def test_private_data_is_kept_by_name_and_namespace(ann: Client) -> None:
    ann.set(private("<a xmlns='urn:example:one'>1</a>"))
    ann.set(private("<a xmlns='urn:example:two'>2</a>"))
    ann.set(private("<b xmlns='urn:example:one'>3</b>"))
    for tag, namespace, value in (("a", "one", "1"), ("a", "two", "2"), ("b", "one", "3")):
        reply = ann.get(private(f"<{tag} xmlns='urn:example:{namespace}'/>"))
        assert text(reply, f"private:query/{{urn:example:{namespace}}}{tag}") == value


def test_private_data_that_is_not_there_is_empty(ann: Client) -> None:
    reply = ann.get(private("<nothing xmlns='urn:example:nothing'/>"))
    found = find(reply, "private:query/{urn:example:nothing}nothing")
    assert found is not None, show(reply)
    assert len(found) == 0


def test_private_data_can_be_replaced_and_emptied(ann: Client) -> None:
    ann.set(private("<a xmlns='urn:example'><old/></a>"))
    ann.set(private("<a xmlns='urn:example'/>"))
    reply = ann.get(private("<a xmlns='urn:example'/>"))
    assert find(reply, "private:query/{urn:example}a/{urn:example}old") is None


@pytest.mark.parametrize("type", ["get", "set"])
def test_private_data_of_another_is_private(people: People, ann: Client, type: str) -> None:
    other = people.online()
    other.set(private("<a xmlns='urn:example'>secret</a>"))
    condition = ann.refused(type, private("<a xmlns='urn:example'>forged</a>"), other.bare)[1]
    assert condition in ("forbidden", "service-unavailable", "not-allowed")
    assert text(other.get(private("<a xmlns='urn:example'/>")), "private:query/{urn:example}a") == "secret"


@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize("payload", ["", "<bare xmlns=''/>"])
def test_private_data_needs_a_namespace(ann: Client, type: str, payload: str) -> None:
    assert ann.refused(type, private(payload))[1] in ("bad-request", "not-acceptable")


# What nobody knows


@pytest.mark.parametrize("to", [None, "localhost", "conference.localhost"])
@pytest.mark.parametrize("type", ["get", "set"])
def test_what_nobody_knows_is_unavailable(guests: People, type: str, to: str | None) -> None:
    refusal = guests.bound().refused(type, "<mystery xmlns='urn:example:mystery'/>", to)
    assert refusal == ("cancel", "service-unavailable")
