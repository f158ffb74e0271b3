"""Headers and features of streams between servers (RFC 6120 §4.3, §4.7)."""

from dataclasses import dataclass
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child, escape
from ..stream_header import StreamHeader

FEATURES: Final = "{%s}features" % ns.STREAMS
STARTTLS: Final = f"<starttls xmlns='{ns.TLS}'/>"
MANAGEMENT: Final = f"<sm xmlns='{ns.SM}'/>"
EXTERNAL: Final = "EXTERNAL"
_OPENING: Final = (
    f"<?xml version='1.0'?><stream:stream xmlns='{ns.SERVER}' xmlns:stream='{ns.STREAMS}' xmlns:db='{ns.DIALBACK}'"
    " version='1.0' xml:lang='en'"
)


def opening(sender: str, to: str, id: str = "") -> str:
    """Our stream header; what is empty is left out."""
    stated = (("id", id), ("from", sender), ("to", to))
    return _OPENING + "".join(f" {name}='{escape(value)}'" for name, value in stated if value) + ">"


@dataclass(frozen=True, slots=True)
class Features:
    """What a peer offers; `stanza_bytes` is the largest stanza that it takes, 0 if it has not said (XEP-0478)."""

    tls: bool
    external: bool
    dialback: bool
    bidi: bool
    management: bool
    stanza_bytes: int


def read(features: Element, header: StreamHeader) -> Features:
    """What stands in `<stream:features/>`. Older servers offer dialback by declaring its namespace in the header."""
    mechanisms = child(features, "{%s}mechanisms" % ns.SASL)
    return Features(
        tls=child(features, "{%s}starttls" % ns.TLS) is not None,
        external=mechanisms is not None and any((item.text or "").strip() == EXTERNAL for item in mechanisms),
        dialback=child(features, "{%s}dialback" % ns.DIALBACK_FEATURE) is not None
        or ns.DIALBACK in header.namespaces.values(),
        bidi=child(features, "{%s}bidi" % ns.BIDI_FEATURE) is not None,
        management=child(features, "{%s}sm" % ns.SM) is not None,
        stanza_bytes=stanza_bytes(features),
    )


def stanza_bytes(element: Element) -> int:
    """The largest stanza that a peer takes by the `<limits/>` inside; 0 if it does not say (XEP-0478 §2)."""
    limits = child(element, "{%s}limits" % ns.STREAM_LIMITS)
    largest = None if limits is None else child(limits, "{%s}max-bytes" % ns.STREAM_LIMITS)
    text = "" if largest is None else (largest.text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def bidi(limit: int) -> str:
    """Asks for a bidirectional stream; `limit` is the largest stanza in bytes, 0 for any (XEP-0288, XEP-0478)."""
    return f"<bidi xmlns='{ns.BIDI}'>{_limits(limit)}</bidi>"


def _limits(limit: int) -> str:
    return f"<limits xmlns='{ns.STREAM_LIMITS}'><max-bytes>{limit}</max-bytes></limits>" if limit else ""


def offer(
    *, starttls: bool, requires_tls: bool, external: bool, dialback: bool, bidi: bool, management: bool, limit: int
) -> str:
    """Our `<stream:features/>`; `limit` is the largest stanza in bytes, 0 for any."""
    required = "<required/>" if requires_tls else ""
    offered = (
        (starttls, f"<starttls xmlns='{ns.TLS}'>{required}</starttls>"),
        (external, f"<mechanisms xmlns='{ns.SASL}'><mechanism>{EXTERNAL}</mechanism></mechanisms>"),
        (dialback, f"<dialback xmlns='{ns.DIALBACK_FEATURE}'><errors/></dialback>"),
        (bidi, f"<bidi xmlns='{ns.BIDI_FEATURE}'/>"),
        (management, MANAGEMENT),
        (True, _limits(limit)),
    )
    return f"<stream:features>{''.join(xml for is_offered, xml in offered if is_offered)}</stream:features>"
