"""Stanzas: their form, and the answers to them."""

import pytest

from fermata.xmpp.element import serialise
from fermata.xmpp.errors import STANZA_CONDITIONS, StanzaError
from fermata.xmpp.stanza import answerable, check_iq, condition_of, error_element, error_of, message_type, result_of
from kit.xml import read

ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"


@pytest.mark.parametrize(
    "xml",
    [
        "<iq id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='1' type='set'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='1' type='result'/>",
        "<iq id='1' type='result'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq id='1' type='error'/>",
    ],
)
def test_a_proper_iq_passes(xml: str) -> None:
    check_iq(read(xml))


@pytest.mark.parametrize(
    "xml",
    [
        "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='1' type='unknown'/>",
        "<iq id='1' type='GET'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='1' type='get'/>",
        "<iq id='1' type='set'><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>",
    ],
)
def test_any_other_iq_is_a_bad_request(xml: str) -> None:
    with pytest.raises(StanzaError) as caught:
        check_iq(read(xml))
    assert (caught.value.condition, caught.value.type) == ("bad-request", "modify")


@pytest.mark.parametrize(
    ("xml", "kind"),
    [
        ("<message/>", "normal"),
        ("<message type='normal'/>", "normal"),
        ("<message type='chat'/>", "chat"),
        ("<message type='groupchat'/>", "groupchat"),
        ("<message type='headline'/>", "headline"),
        ("<message type='error'/>", "error"),
        ("<message type=''/>", "normal"),
        ("<message type='Chat'/>", "normal"),
        ("<message type='invented'/>", "normal"),
    ],
)
def test_a_message_without_a_known_type_is_normal(xml: str, kind: str) -> None:
    assert message_type(read(xml)) == kind


@pytest.mark.parametrize(
    ("xml", "may_be_answered"),
    [
        ("<message/>", True),
        ("<message type='groupchat'/>", True),
        ("<message type='error'/>", False),
        ("<presence/>", True),
        ("<presence type='error'/>", False),
        ("<iq type='get'/>", True),
        ("<iq type='set'/>", True),
        ("<iq type='result'/>", False),
        ("<iq type='error'/>", False),
    ],
)
def test_an_error_never_answers_an_error_or_a_result(xml: str, may_be_answered: bool) -> None:
    assert answerable(read(xml)) is may_be_answered


@pytest.mark.parametrize(
    ("request_xml", "payload", "xml"),
    [
        (
            "<iq type='get' id='1' from='a@b/c' to='d@e'><x xmlns='urn:x'/></iq>",
            None,
            "<iq type='result' id='1' from='d@e' to='a@b/c'/>",
        ),
        ("<iq type='set' id='1' from='a@b/c'><x xmlns='urn:x'/></iq>", None, "<iq type='result' id='1' to='a@b/c'/>"),
        (
            "<iq type='get' id='1'><x xmlns='urn:x'/></iq>",
            "<y xmlns='urn:x'/>",
            "<iq type='result' id='1'><y xmlns='urn:x'/></iq>",
        ),
    ],
)
def test_a_result_answers_a_request(request_xml: str, payload: str | None, xml: str) -> None:
    assert serialise(result_of(read(request_xml), read(payload) if payload else None)) == xml


@pytest.mark.parametrize(
    ("error", "xml"),
    [
        (StanzaError("forbidden"), f"<error type='auth'><forbidden xmlns='{ERRORS}'/></error>"),
        (StanzaError("forbidden", type="cancel"), f"<error type='cancel'><forbidden xmlns='{ERRORS}'/></error>"),
        (
            StanzaError("item-not-found", "no <such> room", by="muc.example"),
            f"<error type='cancel' by='muc.example'><item-not-found xmlns='{ERRORS}'/>"
            f"<text xmlns='{ERRORS}' xml:lang='en'>no &lt;such&gt; room</text></error>",
        ),
        (
            StanzaError("not-acceptable", detail="{urn:xmpp:blocking:errors}blocked"),
            f"<error type='cancel'><not-acceptable xmlns='{ERRORS}'/>"
            "<blocked xmlns='urn:xmpp:blocking:errors'/></error>".replace(
                "cancel", STANZA_CONDITIONS["not-acceptable"]
            ),
        ),
    ],
)
def test_an_error_says_what_was_raised(error: StanzaError, xml: str) -> None:
    assert serialise(error_element(error)) == xml


FORBIDDEN = f"<error type='auth'><forbidden xmlns='{ERRORS}'/></error>"


@pytest.mark.parametrize(
    ("refused", "answer"),
    [
        (
            "<iq type='set' id='1' from='a@b/c' to='d@e' xml:lang='de'><x xmlns='urn:x'><y/></x></iq>",
            f"<iq type='error' id='1' from='d@e' to='a@b/c'><x xmlns='urn:x'><y/></x>{FORBIDDEN}</iq>",
        ),
        ("<iq type='set' id='1'/>", f"<iq type='error' id='1'>{FORBIDDEN}</iq>"),
        (
            "<presence id='1' from='a@b/c' to='r@m/n'><x xmlns='http://jabber.org/protocol/muc'><password>p</password></x>"
            "<show>away</show></presence>",
            "<presence type='error' id='1' from='r@m/n' to='a@b/c'>"
            f"<x xmlns='http://jabber.org/protocol/muc'/>{FORBIDDEN}</presence>",
        ),
        ("<presence to='r@m/n'/>", f"<presence type='error' from='r@m/n'>{FORBIDDEN}</presence>"),
        (
            "<message type='chat' from='a@b/c' to='d@e'><body>secret</body></message>",
            f"<message type='error' from='d@e' to='a@b/c'>{FORBIDDEN}</message>",
        ),
    ],
)
def test_an_error_answers_a_stanza(refused: str, answer: str) -> None:
    assert serialise(error_of(read(refused), StanzaError("forbidden"))) == answer


def test_a_refused_stanza_is_left_as_it_was() -> None:
    xml = "<iq type='set' id='1' from='a@b/c' to='d@e'><x xmlns='urn:x'/></iq>"
    iq = read(xml)
    error_of(iq, StanzaError("forbidden"))
    result_of(iq)
    assert serialise(iq) == xml


@pytest.mark.parametrize("condition", sorted(STANZA_CONDITIONS))
def test_every_condition_is_read_as_it_was_written(condition: str) -> None:
    assert condition_of(error_of(read("<message/>"), StanzaError(condition, "text", detail="{urn:x}x"))) == condition


@pytest.mark.parametrize(
    "xml",
    [
        "<message type='error'/>",
        "<message type='error'><error/></message>",
        f"<message type='error'><error><text xmlns='{ERRORS}'>forbidden</text></error></message>",
        f"<message type='error'><error><invented xmlns='{ERRORS}'/></error></message>",
        "<message type='error'><error><forbidden xmlns='urn:x'/></error></message>",
        f"<message type='error'><error xmlns='urn:x'><forbidden xmlns='{ERRORS}'/></error></message>",
    ],
)
def test_a_condition_that_we_do_not_know_is_undefined(xml: str) -> None:
    assert condition_of(read(xml)) == "undefined-condition"


def test_a_condition_is_found_wherever_it_stands_in_the_error() -> None:
    xml = f"<error><text xmlns='{ERRORS}'>no</text><x xmlns='urn:x'/><gone xmlns='{ERRORS}'>xmpp:a@b</gone></error>"
    assert condition_of(read(f"<message type='error'><body/>{xml}</message>")) == "gone"
