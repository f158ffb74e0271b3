"""What people from other servers have said lately: as much as their servers may send again once they are connected.

A history would not do: while a server is out of reach, the others go on talking.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from ...xmpp.jid import JID
from ...xmpp.payload import Payload

MOST: Final = 300  #: messages that are remembered of one server
# What a server has not been told to have arrived is among the last that it sent: older than its newest by seconds, or
# minutes where the way hangs.
_SECONDS: Final = 3600.0


class Said:
    """That of one room, by server, then by author and id."""

    __slots__ = ("_by_domain", "_home")

    def __init__(self, room: JID) -> None:
        self._home = room.domain.partition(".")[2]
        self._by_domain: dict[str, dict[tuple[str, str], Payload]] = {}

    def is_remembered(self, sender: JID) -> bool:
        """Whether he may be from another server: who is from here is told exactly how far we got."""
        return sender.domain != self._home

    def note(self, sender: JID, message: Payload) -> None:
        """Somebody has said this; it is written as it is sent."""
        if not self.is_remembered(sender):
            return
        said = self._by_domain.setdefault(sender.domain, {})
        for id in _ids(message.rest):
            said[sender.bare, id] = message
            if len(said) > MOST:
                del said[next(iter(said))]
        while said and next(iter(said.values())).stamp < message.stamp - _SECONDS:
            del said[next(iter(said))]

    def under(self, bare: JID, ids: Iterable[str]) -> Iterator[Payload]:
        """What somebody has said under one of these ids, as they are written."""
        said = self._by_domain.get(bare.domain)
        if said is not None:
            yield from (said[bare, id] for id in ids if (bare, id) in said)


def _ids(rest: str) -> list[str]:
    """The id and the origin-id of a message that has been written."""
    opening, _, content = rest.partition(">")  # no attribute holds a ">"
    origin = content.partition("<origin-id ")[2].partition(">")[0]
    found = [each.partition(" id='")[2].partition("'")[0] for each in (opening, " " + origin)]
    return list(dict.fromkeys(id for id in found if id))
