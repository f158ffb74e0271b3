"""Messages that wait on disk for another server or a component: their senders were told that they are safe."""

from collections.abc import Callable, Iterable
from typing import Final

from ..core.keeping import SPOOL, judge, room_keeps
from ..core.records import MessageSpooled, SpoolTaken, Step
from ..core.stored_xml import stanza_from
from ..host.origin import Clock
from ..host.stores import Entities, SpoolStore, Writer
from ..xmpp.element import Element
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import message_type

_BACKLOG_SECONDS: Final = 1.0  #: how often to look whether a slow connection has taken what was written


class OnwardSpool:
    """One such spool; `domain` owns it."""

    def __init__(self, domain: JID, entities: Entities, spool: SpoolStore, writer: Writer, clock: Clock) -> None:
        self._domain, self._entities, self._spool = domain, entities, spool
        self._writer, self._clock = writer, clock
        self.owner: int | None = None  #: the entity in whose name they are stored, once they are loaded

    async def load(self) -> list[tuple[Payload, JID]]:
        """What still waited when the process ended, oldest first. To be called once, before anything is kept."""
        self.owner = number = await self._entities.number_for(self._domain, self._clock.seconds())
        return [_spooled(row) for row in await self._spool.spooled(number)]

    def keep(self, message: Element, payload: Payload, to: JID) -> Step | None:
        """Keeps a message if it is of a kind that is kept, there or by a room; the step has been submitted."""
        if self.owner is None or not _is_kept(message):
            return None
        payload.spooled = self._spool.new_seq()
        row = MessageSpooled(self.owner, payload.spooled, self._clock.seconds(), payload.addressed(to))
        step = Step([row], message)
        self._writer.submit(step)
        return step

    def written(self, payload: Payload, is_pending: Callable[[], bool]) -> None:
        """A kept message was written, and is forgotten as soon as it has left this process."""
        # It goes out at the end of this turn, after its commit.
        self._clock.callLater(0, self._clock.callLater, 0, self._look, payload, is_pending)

    def _look(self, payload: Payload, is_pending: Callable[[], bool]) -> None:
        if is_pending():
            self._clock.callLater(_BACKLOG_SECONDS, self._look, payload, is_pending)
        else:
            self.forget([payload.spooled])

    def forget(self, spooled: Iterable[int]) -> None:
        """These messages do not wait any more; 0 is one that never did (see Payload)."""
        number, taken = self.owner, list(filter(None, spooled))
        if number is not None and taken:
            self._writer.submit(Step([SpoolTaken(number, seq) for seq in taken]))


def _is_kept(message: Element) -> bool:
    type = message_type(message)
    return bool(room_keeps(message) if type == "groupchat" else judge(message, type) & SPOOL)


def _spooled(row: MessageSpooled) -> tuple[Payload, JID]:
    stanza = stanza_from(row.xml)
    payload = payload_of(stanza)
    payload.spooled = row.seq
    return payload, JID.parse(stanza.get("to", ""))
