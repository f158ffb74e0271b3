"""One stanza from one session: stamp, check, route. Here, and only here, a raised StanzaError becomes an answer."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..core.blocking import Blocklist, outbound_error
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
    guarded(stanza, sender, origin, lambda: router.route(stanza, to, sender, origin))


def guarded(stanza: Element, sender: JID, origin: Origin, act: Callable[[], None]) -> None:
    """Does what is to be done with a stanza; what is raised is answered to its origin."""
    try:
        act()
    except StanzaError as error:
        origin.refuse(stanza, error)
    except Exception:
        _log.exception("a %s of type %s from %s failed", stanza.tag, stanza.get("type"), sender)
        origin.refuse(stanza, StanzaError("internal-server-error"))


class Client(Origin, Protocol):
    """A session, as far as what it sends is concerned."""

    @property
    def attached(self) -> "Mapping[JID, TakeAttached]":
        """Rooms (bare JIDs) in which its account stands for it, and who takes what it sends there."""


TakeAttached = Callable[[Any, Element, JID], None]


class FromClient:
    """What happens to a stanza that a bound client sends (RFC 6120 §8.1)."""

    def __init__(self, router: Router, present: Callable[[Any, Element, JID], None]) -> None:
        """`present` takes a session's presence, which means more than that it goes somewhere."""
        self._router, self._present = router, present
        self.messages = self.presences = self.iqs = 0  #: how many were taken

    def take(self, stanza: Element, origin: Client, blocklist: Blocklist) -> None:
        """Stamps, checks and routes. Raises StreamError for what no client may send."""
        sender = origin.jid
        stated = stanza.get("from")
        if stated is not None and stated != sender:
            _check_stated(stated, sender)
        stanza.set("from", sender)
        try:
            to = address(stanza, sender.bare)
            if blocklist and blocklist.blocks(to):
                raise outbound_error()
            act = self._present if stanza.tag == "presence" else self._route
            attached = origin.attached
            if attached:
                act = attached.get(to.bare, act)
            if stanza.tag == "message":
                self.messages += 1
            elif stanza.tag == "presence":
                self.presences += 1
            else:
                self.iqs += 1
                check_iq(stanza)
            act(origin, stanza, to)
        except StanzaError as error:
            origin.refuse(stanza, error)
        except Exception:
            _log.exception("a %s of type %s from %s failed", stanza.tag, stanza.get("type"), sender)
            origin.refuse(stanza, StanzaError("internal-server-error"))

    def _route(self, origin: Client, stanza: Element, to: JID) -> None:
        self._router.route(stanza, to, origin.jid, origin)


def _check_stated(stated: str, sender: JID) -> None:
    """RFC 6120 §8.1.2.1: a client may say `from` if it says its own full or bare JID."""
    try:
        if JID.parse(stated) in (sender, sender.bare):
            return
    except JIDError:
        pass
    raise StreamError("invalid-from", "that is not your address")
