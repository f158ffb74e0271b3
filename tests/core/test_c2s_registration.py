"""What a stream may ask before anybody has authenticated, without any I/O (XEP-0077, XEP-0445)."""

import pytest

from fermata.core.c2s_registration import Preauthorise, Register, Registering, Terms
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import E, Element, child
from fermata.xmpp.errors import StanzaError, StreamError
from fermata.xmpp.jid import JID
from fermata.xmpp.stanza import condition_of

OPEN, INVITED = Terms(is_open=True), Terms(by_invitation=True)
QUERY = "{%s}query" % ns.REGISTER
PREAUTH = E("{%s}preauth" % ns.PARS, {"token": "t"})


def iq(type: str, payload: Element | None = None) -> Element:
    return E("iq", {"type": type, "id": "r"}, *([] if payload is None else [payload]))


def query(**fields: str) -> Element:
    return E(QUERY, None, *(E("{%s}%s" % (ns.REGISTER, name), None, text) for name, text in fields.items()))


def refused(answer: object) -> str:
    assert isinstance(answer, Element)
    assert answer.get("type") == "error"
    return condition_of(answer)


def field(answer: object, name: str) -> Element:
    assert isinstance(answer, Element)
    found = child(answer[0], "{%s}%s" % (ns.REGISTER, name))
    assert found is not None
    return found


def test_what_is_offered_is_what_is_possible() -> None:
    assert Registering(Terms()).features() == ""
    assert ns.REGISTER_FEATURE in Registering(OPEN).features()
    assert ns.REGISTER_TOKEN not in Registering(OPEN).features()
    assert ns.REGISTER_TOKEN in Registering(INVITED).features()


def test_the_form_comes_before_the_account() -> None:
    registering = Registering(OPEN)
    form = registering.receive(iq("get", query()), "localhost", True)
    assert not field(form, "username").text
    assert field(form, "password") is not None
    want = registering.receive(iq("set", query(username="Juliet", password="x")), "localhost", True)
    assert isinstance(want, Register)
    assert (want.jid, want.password, want.token) == (JID.parse("juliet@localhost"), "x", "")
    assert registering.registered(want, None).get("type") == "result"


def test_a_refusal_does_not_send_the_password_back() -> None:
    registering = Registering(OPEN)
    want = registering.receive(iq("set", query(username="juliet", password="x")), "localhost", True)
    assert isinstance(want, Register)
    refusal = registering.registered(want, StanzaError("conflict"))
    assert refused(refusal) == "conflict"
    assert [item.tag for item in refusal] == ["error"]


@pytest.mark.parametrize(
    ("terms", "is_secure", "request_", "condition"),
    [
        (Terms(), True, iq("get", query()), "not-allowed"),
        (INVITED, True, iq("get", query()), "not-allowed"),
        (OPEN, False, iq("get", query()), "not-allowed"),
        (OPEN, True, iq("set", PREAUTH), "not-allowed"),
        (INVITED, True, iq("get", PREAUTH), "bad-request"),
        (INVITED, True, iq("set", Element(PREAUTH.tag)), "bad-request"),
        (OPEN, True, iq("set", query(username="juliet")), "not-acceptable"),
        (OPEN, True, iq("set", query(username="", password="x")), "not-acceptable"),
        (OPEN, True, iq("set", query(username="a b", password="x")), "not-acceptable"),
        (OPEN, True, iq("set", query(remove="")), "unexpected-request"),
    ],
)
def test_what_is_not_possible_is_refused(terms: Terms, is_secure: bool, request_: Element, condition: str) -> None:
    assert refused(Registering(terms).receive(request_, "localhost", is_secure)) == condition


def test_a_token_opens_the_form_and_fixes_the_name() -> None:
    registering = Registering(INVITED)
    want = registering.receive(iq("set", PREAUTH), "localhost", True)
    assert isinstance(want, Preauthorise)
    assert refused(registering.preauthorised(want, StanzaError("item-not-found"))) == "item-not-found"
    assert refused(registering.receive(iq("get", query()), "localhost", True)) == "not-allowed"
    assert registering.preauthorised(want, "juliet").get("type") == "result"
    assert field(registering.receive(iq("get", query()), "localhost", True), "username").text == "juliet"
    other = registering.receive(iq("set", query(username="romeo", password="x")), "localhost", True)
    assert refused(other) == "not-acceptable"
    register = registering.receive(iq("set", query(username="juliet", password="x")), "localhost", True)
    assert isinstance(register, Register)
    assert register.token == "t"
    registering.registered(register, None)
    assert refused(registering.receive(iq("get", query()), "localhost", True)) == "not-allowed"


@pytest.mark.parametrize("request_", [iq("get"), iq("result", query()), iq("set", Element("{x}y"))])
def test_what_has_nothing_to_do_with_it_ends_the_stream(request_: Element) -> None:
    with pytest.raises(StreamError, match="not-authorized"):
        Registering(OPEN).receive(request_, "localhost", True)


def test_nobody_goes_on_for_ever() -> None:
    registering = Registering(OPEN)
    for _ in range(20):
        registering.receive(iq("get", query()), "localhost", True)
    with pytest.raises(StreamError, match="policy-violation"):
        registering.receive(iq("get", query()), "localhost", True)
