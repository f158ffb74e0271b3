"""Delayed delivery (XEP-0203): since when a stanza has been under way, and who says so."""

from typing import Final

from . import namespaces as ns
from .element import escape
from .payload import Payload
from .stamps import text_of

DELAY: Final = "{%s}delay" % ns.DELAY
_OPENING: Final = f"<delay xmlns='{ns.DELAY}'"


def delayed(payload: Payload, by: str, stamp: float) -> Payload:
    """The same stanza, which says that `by` has had it since `stamp` (Unix seconds)."""
    return payload.with_child(f"{_OPENING} from='{escape(by)}' stamp='{text_of(stamp)}'/>")


def is_delayed(payload: Payload) -> bool:
    """Whether it says, or what it carries does, that it has been under way for a while. No text can hold a "<"."""
    return _OPENING in payload.rest
