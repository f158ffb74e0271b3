"""Payloads: written once, addressed often."""

import pytest

from fermata.xmpp.element import E, serialise
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import payload_of
from kit.xml import plain, read

JULIET = JID.parse("juliet@capulet.example/O'Balcony & <more>")


@pytest.mark.parametrize(
    ("xml", "addressed"),
    [
        ("<presence/>", "<presence to='{to}'/>"),
        ("<presence from='a@b'/>", "<presence to='{to}' from='a@b'/>"),
        ("<presence to='somebody@else'/>", "<presence to='{to}'/>"),
        (
            "<message type='chat' to='x@y' from='a@b/c' id='1'><body>to='x@y'</body></message>",
            "<message to='{to}' type='chat' from='a@b/c' id='1'><body>to='x@y'</body></message>",
        ),
        ("<message><x xmlns='urn:x' to='z'/></message>", "<message to='{to}'><x xmlns='urn:x' to='z'/></message>"),
        ("<iq>text</iq>", "<iq to='{to}'>text</iq>"),
    ],
)
def test_only_the_addressee_differs(xml: str, addressed: str) -> None:
    payload = payload_of(read(xml))
    for to in (JULIET, JID.parse("romeo@montague.example")):
        assert payload.addressed(to) == addressed.format(to=to.attribute)
        assert read(payload.addressed(to)).get("to") == to


def test_a_stanza_is_left_as_it_was() -> None:
    stanza = read("<message to='x@y' from='a@b'/>")
    before = plain(stanza)
    payload_of(stanza)
    assert plain(stanza) == before


def test_a_stanza_that_cannot_be_written_is_left_as_it_was_too() -> None:
    stanza = E("message", {"to": "x@y"}, E("body", {}, "\0"))
    with pytest.raises(ValueError, match="U\\+0000"):
        payload_of(stanza)
    assert stanza.get("to") == "x@y"


def test_a_payload_knows_what_later_decisions_need() -> None:
    stanza = read("<message type='chat' from='a@b/c'><body/></message>")
    payload = payload_of(stanza, keep=3, archive_id="a1", stamp=12.5)
    assert (payload.kind, payload.type, payload.sender) == ("message", "chat", "a@b/c")
    assert (payload.keep, payload.archive_id, payload.stamp) == (3, "a1", 12.5)
    payload = payload_of(read("<presence/>"))
    assert (payload.kind, payload.type, payload.sender, payload.keep) == ("presence", "", "", 0)


@pytest.mark.parametrize(
    ("xml", "with_child"),
    [
        ("<presence/>", "<presence to='a@b'><x/></presence>"),
        ("<presence from='c@d'/>", "<presence to='a@b' from='c@d'><x/></presence>"),
        ("<message><body>/&gt;</body></message>", "<message to='a@b'><body>/&gt;</body><x/></message>"),
        ("<message><y xmlns='urn:y'/></message>", "<message to='a@b'><y xmlns='urn:y'/><x/></message>"),
        ("<iq>text</iq>", "<iq to='a@b'>text<x/></iq>"),
    ],
)
def test_one_more_child_comes_at_the_end(xml: str, with_child: str) -> None:
    payload = payload_of(read(xml), keep=3, archive_id="a1", stamp=12.5)
    payload.spooled = 7
    more = payload.with_child(serialise(E("x")))
    assert more.addressed(JID.parse("a@b")) == with_child
    assert (more.kind, more.keep, more.archive_id, more.stamp, more.spooled) == (payload.kind, 3, "a1", 12.5, 7)
    assert payload.addressed(JID.parse("a@b")) != with_child
