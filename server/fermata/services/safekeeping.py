"""What is kept of a message before anybody gets it: its place in archives, and in the spool (XEP-0313, XEP-0160)."""

from typing import Final

from ..core.keeping import ARCHIVE, SPOOL
from ..core.records import MessageArchived, MessageSpooled, Record, SpoolTaken, Step
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.stores import ArchiveStore, SpoolStore, Writer
from ..xmpp import namespaces as ns
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload

_SPOOLED_MAX: Final = 1_000  #: messages that wait for one account: anybody can send them


class Safekeeping:
    """Makes the records of messages; `archive` is None where accounts have none."""

    def __init__(self, archive: ArchiveStore | None, spool: SpoolStore, writer: Writer, clock: Clock) -> None:
        self._archive, self._spool, self._writer, self._clock = archive, spool, writer, clock

    def keep(
        self, account: Account, other: Account | None, payload: Payload, to: JID, sender: JID, must_last: bool
    ) -> tuple[Payload, list[Record]]:
        """A message for an account, from `other` if that is one of ours: the copy to hand out, and the records.

        One row is for both archives; the copy carries the id in the recipient's. Where no archive keeps the message
        and it `must_last`, it goes into the spool. Raises StanzaError as `spool` does.
        """
        if payload.keep & ARCHIVE and self._archive is not None:
            second = None if other is None or other is account else other.number
            return self._archived(self._archive, account, second, payload, to, sender)
        if must_last and payload.keep & SPOOL:
            return payload, [self.spool(account, payload, to)]
        return payload, []

    def spool(self, account: Account, payload: Payload, to: JID) -> Record:
        """Puts a message into the spool. Raises StanzaError `service-unavailable` if that is full (XEP-0160 §3)."""
        if account.spooled >= _SPOOLED_MAX:
            raise StanzaError("service-unavailable", "too many messages wait already", "wait")
        account.spooled += 1
        payload.spooled = self._spool.new_seq()
        stamp = payload.stamp or self._clock.seconds()
        return MessageSpooled(account.number, payload.spooled, stamp, payload.addressed(to))

    def take(self, account: Account, spooled: list[int]) -> None:
        """These messages have arrived."""
        account.spooled -= len(spooled)
        self._writer.submit(Step([SpoolTaken(account.number, seq) for seq in spooled]))

    def keep_sent(self, account: Account, payload: Payload, to: JID) -> None:
        """A message that an account here has sent to somebody who has no account here."""
        if payload.keep & ARCHIVE and self._archive is not None:
            seq, xml = self._archive.new_seq(), payload.addressed(to)
            record = MessageArchived(
                seq, self._clock.seconds(), account.number, None, payload.sender, to, payload.keep, xml
            )
            self._writer.submit(Step([record]))

    def _archived(
        self, archive: ArchiveStore, account: Account, second: int | None, payload: Payload, to: JID, sender: JID
    ) -> tuple[Payload, list[Record]]:
        seq, now, keep = archive.new_seq(), payload.stamp or self._clock.seconds(), payload.keep
        record = MessageArchived(seq, now, account.number, second, sender, to, keep, payload.addressed(to))
        id = archive.id_of(seq, account.number)
        copy = payload.with_child(f"<stanza-id xmlns='{ns.SID}' id='{id}' by='{account.jid.attribute}'/>")
        copy.archive_id = id
        return copy, [record]
