"""What a step of a room asks for: records to keep, then stanzas to send."""

from collections.abc import Sequence
from typing import NamedTuple

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ...xmpp.payload import Payload, payload_of
from ...xmpp.stanza import result_of
from ..archive_query import Selection
from ..records import Record


class Send(NamedTuple):
    """One stanza for each of these addresses: real full JIDs of sessions, or an invitee's JID."""

    payload: Payload
    to: Sequence[JID]


class Flood(NamedTuple):
    """These stanzas, in this order, for one session."""

    payloads: Sequence[Payload]
    to: JID


class Reading(NamedTuple):
    """What is to be read in the room's archive for `asker`: these messages or, for None, where it begins and ends."""

    asker: JID
    selection: Selection | None


class Effects:
    """What one step does: `records` are committed first, then `sends` go out in order.

    `destroyed` says that the room is gone; `venue` is then where people are told to go instead, if anywhere. `recall`
    is the place in the archive of a message that the room must see before it is done with this stanza, or 0: what it
    does then is what `Room.recalled` returns. `reading` is what must be read for it, if anything: then it goes on with
    `Room.told`. `due` is when `Room.tick` is to be called because of it, or 0.
    """

    __slots__ = ("destroyed", "due", "reading", "recall", "records", "sends", "venue")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.sends: list[Send | Flood] = []
        self.destroyed = False
        self.due = 0.0
        self.recall = 0
        self.reading: Reading | None = None
        self.venue = ""

    def send(self, payload: Payload, to: Sequence[JID]) -> None:
        """One stanza for each of these; nothing if there is nobody."""
        if to:
            self.sends.append(Send(payload, to))

    def answer(self, iq: Element, sender: JID, payload: Element | None = None) -> None:
        """The result of a request, at this point of the order."""
        self.sends.append(Send(payload_of(result_of(iq, payload)), (sender,)))
