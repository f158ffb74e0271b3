"""Delayed delivery: what is said, in whose name, and since when."""

import pytest

from fermata.xmpp.delay import add_delay, delay
from fermata.xmpp.element import serialise
from kit.xml import plain, read


def test_a_delay_says_who_has_had_it_since_when() -> None:
    assert serialise(delay("capulet.example", 1267553042.5)) == (
        "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='2010-03-02T18:04:02.500Z'/>"
    )
    assert serialise(delay("capulet.example", 0, "Offline Storage")) == (
        "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='1970-01-01T00:00:00.000Z'>Offline Storage</delay>"
    )


@pytest.mark.parametrize("forged", ["", "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='x'/>"])
def test_nobody_else_can_say_it_in_our_name(forged: str) -> None:
    theirs = "<delay xmlns='urn:xmpp:delay' from='montague.example' stamp='2010-03-02T18:04:02Z'/>"
    message = read(f"<message>{forged}<body>Hark!</body>{theirs}{forged}</message>")
    add_delay(message, "capulet.example", 1267553042.5)
    ours = "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='2010-03-02T18:04:02.500Z'/>"
    assert plain(message) == plain(read(f"<message><body>Hark!</body>{theirs}{ours}</message>"))
