"""Stream management of one connection between servers."""

import pytest

from fermata.core.s2s.management import Management
from fermata.core.stream_management import ANSWER_SECONDS, Due, Inbound
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StreamError
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload

ANN = JID.parse("ann@b.example/phone")


def sm(name: str, **attributes: str) -> Element:
    return Element("{%s}%s" % (ns.SM, name), attributes)


def sent(ours: Management, payload: Payload, to: JID) -> None:
    assert ours.outbound is not None
    ours.outbound.sent(payload, to)


def payload(spooled: int = 0) -> Payload:
    made = Payload("message", "/>", "tea@muc.a.example/Bob", "groupchat")
    made.spooled = spooled
    return made


def test_what_we_send_counts_from_our_request_on() -> None:
    ours = Management(opened_here=True)
    assert ours.enable() == f"<enable xmlns='{ns.SM}'/>"
    sent(ours, payload(), ANN)
    ours.receive(sm("enabled"), False, 0)
    assert len(ours.unacked()) == 1
    ours.receive(sm("a", h="1"), False, 0)
    assert ours.unacked() == []


def test_what_is_acknowledged_of_a_spool_is_told() -> None:
    ours = Management(opened_here=True)
    ours.enable()
    for number in (0, 7, 8):
        sent(ours, payload(number), ANN)
    assert ours.receive(sm("a", h="2"), False, 0) == ("", [7])


def test_a_peer_that_refuses_acknowledges_nothing() -> None:
    ours = Management(opened_here=True)
    ours.enable()
    sent(ours, payload(), ANN)
    assert not ours.is_refused
    ours.receive(sm("failed"), False, 0)
    assert ours.is_refused
    assert len(ours.unacked()) == 1


def test_a_peer_that_opened_the_stream_may_enable_it_once() -> None:
    theirs = Management(opened_here=False)
    assert theirs.receive(sm("enable"), True, 0) == (f"<enabled xmlns='{ns.SM}'/>", [])
    answer, _ = theirs.receive(sm("enable"), True, 0)
    assert "<unexpected-request" in answer


def test_a_peer_that_has_proven_nothing_may_not_enable_it() -> None:
    answer, _ = Management(opened_here=False).receive(sm("enable"), False, 0)
    assert answer.startswith("<failed")


def test_the_peer_of_a_stream_that_we_opened_may_not_enable_it() -> None:
    answer, _ = Management(opened_here=True).receive(sm("enable"), True, 0)
    assert answer.startswith("<failed")


def test_only_what_is_durable_is_acknowledged() -> None:
    theirs = Management(opened_here=False)
    theirs.receive(sm("enable"), True, 0)
    assert theirs.inbound is not None
    theirs.inbound.complete(theirs.inbound.begin(), 3)
    theirs.inbound.complete(theirs.inbound.begin(), 4)
    assert theirs.receive(sm("r"), True, 3) == (f"<a xmlns='{ns.SM}' h='1'/>", [])
    assert theirs.receive(sm("r"), True, 4) == (f"<a xmlns='{ns.SM}' h='2'/>", [])


def test_a_request_without_stream_management_is_not_answered() -> None:
    assert Management(opened_here=False).receive(sm("r"), True, 0) == ("", [])


@pytest.mark.parametrize("h", ["", "x", "-1", "2"])
def test_an_acknowledgement_of_what_was_never_sent_ends_the_stream(h: str) -> None:
    ours = Management(opened_here=True)
    ours.enable()
    sent(ours, payload(), ANN)
    with pytest.raises(StreamError):
        ours.receive(sm("a", h=h), False, 0)


def test_a_peer_that_does_not_answer_is_gone_after_a_while() -> None:
    ours = Management(opened_here=True)
    ours.enable()
    sent(ours, payload(), ANN)
    ours.tick(0.0)
    assert ours.tick(10.0) is Due.REQUEST
    assert ours.tick(10.0 + ANSWER_SECONDS - 1) is Due.NOTHING
    assert ours.tick(10.0 + ANSWER_SECONDS) is Due.SILENT


def test_unknown_elements_are_refused_and_answers_to_nothing_ignored() -> None:
    theirs = Management(opened_here=False)
    assert theirs.receive(sm("resume", previd="x", h="0"), True, 0)[0].startswith("<failed")
    assert theirs.receive(sm("enabled"), True, 0) == ("", [])
    assert theirs.inbound is None


def test_a_stream_that_lasts_has_an_id() -> None:
    theirs = Management(opened_here=False)
    answer, _ = theirs.receive(sm("enable", resume="true"), True, 0, "x1")
    assert answer == f"<enabled xmlns='{ns.SM}' resume='true' id='x1'/>"
    assert Management(opened_here=True).enable(True) == f"<enable xmlns='{ns.SM}' resume='true'/>"


def test_a_connection_that_goes_on_with_a_stream_counts_on() -> None:
    ours = Management(opened_here=True)
    ours.go_on(Inbound(7), 5)
    sent(ours, payload(), ANN)
    ours.receive(sm("a", h="6"), False, 0)
    assert ours.unacked() == []
    assert ours.acknowledgement(0) == f"<a xmlns='{ns.SM}' h='7'/>"


def test_who_asks_for_what_there_is_not_is_refused_five_times() -> None:
    theirs = Management(opened_here=False)
    for _ in range(5):
        assert "<item-not-found" in theirs.refuse("item-not-found")
    with pytest.raises(StreamError):
        theirs.refuse("item-not-found")
