"""Messages to people here that come twice, because a connection broke before the first was acknowledged.

Rooms see to their own messages: those are told to their author again (see `core.muc.repeats`).
"""

from collections.abc import Callable, Iterable
from typing import Final

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ..breaks import Breaks
from ..repeats import content, ids
from ..stored_xml import stanza_from
from ..stream_management import WINDOW_STANZAS

_MOST_SERVERS: Final = 1_000


class Heard:
    """The newest messages from each of the other servers: as many as it may have without acknowledgement."""

    __slots__ = ("_breaks", "_by_domain")

    def __init__(self, now: float) -> None:
        self._by_domain: dict[str, dict[tuple[JID, JID, str], int]] = {}
        self._breaks = Breaks()
        self._breaks.note("", now)  # whatever was under way when the process before this one ended

    def restore(self, written: Iterable[str], served: Callable[[str], bool]) -> None:
        """What the archives have of the minutes before this process; `served` tells the domains that are ours."""
        for xml in written:
            if " type='groupchat'" not in xml.partition(">")[0]:
                message = stanza_from(xml)
                sender, to = _addresses(message)
                if not served(sender.domain):
                    self.take(message, to, sender, 0.0)

    def connected(self, domain: str, now: float) -> None:
        """A server has connected to us."""
        self._breaks.note(domain, now)

    def take(self, message: Element, to: JID, sender: JID, now: float) -> bool:
        """Notes a message; returns whether it has been here, and may have come again."""
        if message.get("type") in ("groupchat", "error"):
            return False
        domain, said = sender.domain, hash(content(message))
        heard = self._by_domain.get(domain)
        if heard is None:
            heard = self._by_domain[domain] = {}
            if len(self._by_domain) > _MOST_SERVERS:
                del self._by_domain[next(iter(self._by_domain))]
        is_known = False
        for id in ids(message):
            key = sender, to, id
            is_known = is_known or heard.pop(key, None) == said
            heard[key] = said
            if len(heard) > WINDOW_STANZAS:
                del heard[next(iter(heard))]
        return is_known and self._breaks.is_recent(domain, now)

    def forget(self, stanza: Element) -> None:
        """It was refused: its sender may try again."""
        if stanza.tag != "message":
            return
        sender, to = _addresses(stanza)
        heard = self._by_domain.get(sender.domain)
        if heard is not None:
            for id in ids(stanza):
                heard.pop((sender, to, id), None)


def _addresses(message: Element) -> tuple[JID, JID]:
    return JID.parse(message.get("from", "")), JID.parse(message.get("to", ""))
