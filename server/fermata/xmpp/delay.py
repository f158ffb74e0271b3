"""Delayed delivery (XEP-0203): since when a stanza has been under way, and who says so."""

from typing import Final

from . import namespaces as ns
from .element import Element
from .stamps import text_of

DELAY: Final = "{%s}delay" % ns.DELAY


def delay(by: str, stamp: float, reason: str = "") -> Element:
    """A `<delay/>`: `by` has had the stanza since `stamp` (Unix seconds); `reason` is for people."""
    element = Element(DELAY, {"from": by, "stamp": text_of(stamp)})
    if reason:
        element.text = reason
    return element


def add_delay(stanza: Element, by: str, stamp: float) -> None:
    """Says that `by` has had the stanza since `stamp`; what else was said in that name is taken out, as forged."""
    for item in [item for item in stanza if item.tag == DELAY and item.get("from") == by]:
        stanza.remove(item)
    stanza.append(delay(by, stamp))
