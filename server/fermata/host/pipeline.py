"""One stanza from one session: stamp, check, route. Here, and only here, a raised StanzaError becomes an answer."""

import logging

from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID, JIDError
from ..xmpp.stanza import check_iq
from .origin import Origin
from .router import Router

_log = logging.getLogger(__name__)


def address(stanza: Element, fallback: JID) -> JID:
    """The prepared addressee of a stanza, written back into it. Raises StanzaError `jid-malformed`."""
    text = stanza.get("to")
    if text is None:
        return fallback
    try:
        to = JID.parse(text)
    except JIDError as error:
        raise StanzaError("jid-malformed", f"in `to`: {error}") from None
    if to != text:
        stanza.set("to", to)
    return to


def guarded_route(router: Router, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
    """Routes a stanza; what is raised is answered to its origin."""
    try:
        router.route(stanza, to, sender, origin)
    except StanzaError as error:
        origin.refuse(stanza, error)
    except Exception:
        _log.exception("a %s of type %s from %s failed", stanza.tag, stanza.get("type"), sender)
        origin.refuse(stanza, StanzaError("internal-server-error"))


def take_from_client(router: Router, stanza: Element, origin: Origin) -> None:
    """A stanza from a bound client (RFC 6120 §8.1). Raises StreamError for what no client may send."""
    sender = origin.jid
    stated = stanza.get("from")
    if stated is not None and stated != sender:
        _check_stated(stated, sender)
    stanza.set("from", sender)
    try:
        to = address(stanza, sender.bare)
        if stanza.tag == "iq":
            check_iq(stanza)
    except StanzaError as error:
        origin.refuse(stanza, error)
        return
    guarded_route(router, stanza, to, sender, origin)


def _check_stated(stated: str, sender: JID) -> None:
    """RFC 6120 §8.1.2.1: a client may say `from` if it says its own full or bare JID."""
    try:
        if JID.parse(stated) in (sender, sender.bare):
            return
    except JIDError:
        pass
    raise StreamError("invalid-from", "that is not your address")
