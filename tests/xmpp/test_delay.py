"""Delayed delivery: what is said, in whose name, and since when."""

from fermata.xmpp.delay import delayed, is_delayed
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload

TO = JID.parse("romeo@montague.example")


def test_a_delay_says_who_has_had_it_since_when() -> None:
    late = delayed(Payload("message", "><body>Hark!</body></message>", ""), "capulet.example", 1267553042.5)
    assert late.addressed(TO) == (
        "<message to='romeo@montague.example'><body>Hark!</body>"
        "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='2010-03-02T18:04:02.500Z'/></message>"
    )


def test_a_name_with_special_characters_is_written_as_xml() -> None:
    late = delayed(Payload("message", "/>", ""), "tea@capulet.example/<'&", 0)
    assert " from='tea@capulet.example/&lt;&apos;&amp;' stamp='1970-01-01T00:00:00.000Z'/>" in late.rest


def test_what_says_that_it_is_late_is_known_by_that() -> None:
    message = Payload("message", "><body>a &lt;delay xmlns='urn:xmpp:delay'/></body></message>", "")
    assert not is_delayed(message)
    assert is_delayed(delayed(message, "capulet.example", 0))
