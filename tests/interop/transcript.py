"""What a room has told a client, in short and in its order, whichever client it is."""

from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element

from kit import ns
from kit.stanzas import codes, text

_NAMED = {"110", "301", "303", "307", "321", "322", "332", "333"}


def transcript(things: Iterable[Any], room: str) -> list[str]:
    """Presence as "+ann 110" and "-ann 307", messages by what was said, if privately with a "*", subjects as "subject".

    Of the status codes those are named that say who it is, and why. The rest of what has arrived is left out.
    """
    stanzas = (each if isinstance(each, Element) else getattr(each, "xml", None) for each in things)
    shown = (_short(each, room) for each in stanzas if each is not None)
    return [each for each in shown if each]


def _short(stanza: Element, room: str) -> str:
    bare, _, nick = stanza.get("from", "").partition("/")
    type = stanza.get("type", "")
    if bare != room:
        return ""
    if stanza.tag.endswith("message"):
        return _said(stanza, type)
    if not nick and type != "error":
        return ""  # ejabberd's rooms tell of their own capabilities
    sign = {"": "+", "unavailable": "-"}.get(type, f"{type} ")
    return " ".join([sign + nick, *sorted(codes(stanza) & _NAMED)])


def _said(message: Element, type: str) -> str:
    body = _text(message, "body")
    if body is None:
        return "subject" if _text(message, "subject") is not None else ""
    return body if type == "groupchat" else f"*{body}" if type == "chat" else f"{type} {body}"


def _text(message: Element, name: str) -> str | None:
    found = text(message, name)
    return text(message, f"{{{ns.CLIENT}}}{name}") if found is None else found
