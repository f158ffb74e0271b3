"""What is kept of a message before anybody gets it: its place in archives, and in the spool (XEP-0313, XEP-0160)."""

from collections.abc import Iterable
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
_SPOOLED_CHARACTERS: Final = 5_000_000  #: of all of them: a client that comes online must be able to take them at once


class Safekeeping:
    """Makes the records of messages; `archive` is None where accounts have none."""

    def __init__(self, archive: ArchiveStore | None, spool: SpoolStore, writer: Writer, clock: Clock) -> None:
        self._archive, self._spool, self._writer, self._clock = archive, spool, writer, clock

    def keep(
        self, account: Account, other: Account | None, payload: Payload, to: JID, sender: JID, must_last: bool
    ) -> tuple[Payload, list[Record]]:
        """A message for an account, from `other` if that is one of ours: the copy to hand out, and the records.

        One row is for both archives, as far as both want it (XEP-0441); the copy carries the id in the recipient's.
        Where that does not keep the message and it `must_last`, it goes into the spool. Raises StanzaError as `spool`
        does.
        """
        records: list[Record] = []
        if payload.keep & ARCHIVE and self._archive is not None:
            second = other is not None and other is not account and other.archives(to)
            if account.archives(sender):
                return self._archived(self._archive, account, other if second else None, payload, to, sender)
            if second and other is not None:
                records.append(_row(self._archive.new_seq(), self._now(payload), other, None, payload, to, sender))
        if must_last and payload.keep & SPOOL:
            records.append(self.spool(account, payload, to))
        return payload, records

    def spool(self, account: Account, payload: Payload, to: JID) -> Record:
        """Puts a message into the spool. Raises StanzaError `service-unavailable` if that is full (XEP-0160 §3)."""
        xml, waiting = payload.addressed(to), account.spooled
        if len(waiting) >= _SPOOLED_MAX or sum(waiting.values()) + len(xml) > _SPOOLED_CHARACTERS:
            raise StanzaError("service-unavailable", "too many messages wait already", "wait")
        payload.spooled = self._spool.new_seq()
        waiting[payload.spooled] = len(xml)
        return MessageSpooled(account.number, payload.spooled, self._now(payload), xml)

    def take(self, account: Account, spooled: list[int]) -> None:
        """These messages have arrived; if they had already, at another client, that changes nothing."""
        taken = [seq for seq in spooled if account.spooled.pop(seq, None) is not None]
        if taken:
            self._writer.submit(Step([SpoolTaken(account.number, seq) for seq in taken]))

    def keep_sent(self, account: Account, payload: Payload, to: JID) -> list[Record]:
        """A message that an account here has sent to somebody who has no account here: the records."""
        if payload.keep & ARCHIVE and self._archive is not None and account.archives(to):
            return [_row(self._archive.new_seq(), self._now(payload), account, None, payload, to, payload.sender)]
        return []

    def with_id(self, payload: Payload, account: Account, records: Iterable[Record]) -> Payload:
        """A message with the id that it gets in the archive of an account from one of these records, if from any."""
        for record in records:
            if isinstance(record, MessageArchived) and account.number in (record.owner, record.other):
                assert self._archive is not None
                return _marked(payload, account, self._archive.id_of(record.seq, account.number))
        return payload

    def _archived(
        self, archive: ArchiveStore, account: Account, second: Account | None, payload: Payload, to: JID, sender: JID
    ) -> tuple[Payload, list[Record]]:
        seq = archive.new_seq()
        row = _row(seq, self._now(payload), account, second, payload, to, sender)
        return _marked(payload, account, archive.id_of(seq, account.number)), [row]

    def _now(self, payload: Payload) -> float:
        return payload.stamp or self._clock.seconds()


def _marked(payload: Payload, account: Account, id: str) -> Payload:
    """A message as an account gets it, with its id in the archive (XEP-0359)."""
    copy = payload.with_child(f"<stanza-id xmlns='{ns.SID}' id='{id}' by='{account.jid.attribute}'/>")
    copy.archive_id = id
    return copy


def _row(
    seq: int, stamp: float, owner: Account, other: Account | None, payload: Payload, to: JID, sender: str
) -> MessageArchived:
    second = None if other is None else other.number
    return MessageArchived(seq, stamp, owner.number, second, sender, to, payload.keep, payload.addressed(to))
