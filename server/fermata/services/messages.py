"""Messages to accounts here: kept, then delivered, or kept until somebody comes (RFC 6121 §5, §8.5; XEP-0160)."""

from collections.abc import Sequence
from typing import Final

from ..core.blocking import inbound_error
from ..core.delivery import Undelivered, message_recipients, message_undelivered, without_account
from ..core.keeping import ARCHIVE, SPOOL, judge
from ..core.records import MessageArchived, MessageSpooled, Record, SpoolTaken, Step
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.origin import Clock, Origin
from ..host.residents import Residents
from ..host.sessions import Session
from ..host.stores import ArchiveStore, SpoolStore, Writer
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stamps import text_of
from ..xmpp.stanza import message_type

_STANZA_ID: Final = "{%s}stanza-id" % ns.SID
_MUC_USER: Final = "{%s}x" % ns.MUC_USER


class Messages:
    """Takes every message for an account; `archive` is None where accounts have none."""

    def __init__(
        self,
        accounts: Residents[Account],
        archive: ArchiveStore | None,
        spool: SpoolStore,
        writer: Writer,
        clock: Clock,
    ) -> None:
        self._accounts, self._archive, self._spool = accounts, archive, spool
        self._writer, self._clock = writer, clock

    def receive(self, account: Account | None, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A message for an account, or for one that does not exist. Raises StanzaError."""
        type = message_type(stanza)
        if account is None:
            if without_account("message", type) is Undelivered.REFUSE:
                raise StanzaError("service-unavailable")
            return
        if account.blocklist and account.blocklist.blocks(sender):
            self._blocked(stanza, type)
            return
        keep = judge(stanza, type)
        recipients = message_recipients(type, to.resource, account.sessions)
        is_spooled = False
        if not recipients:
            fate = message_undelivered(type, to.resource)
            if fate is Undelivered.IGNORE:
                return
            is_spooled = fate is Undelivered.OFFLINE and bool(keep & SPOOL)
            if not is_spooled:
                raise StanzaError("service-unavailable")
        self._keep(account, stanza, to, sender, origin, keep, recipients, is_spooled)

    def _keep(
        self,
        account: Account,
        stanza: Element,
        to: JID,
        sender: JID,
        origin: Origin,
        keep: int,
        recipients: Sequence[Session],
        is_spooled: bool,
    ) -> None:
        """What must outlive us is in the batch before anybody is sent it."""
        other = self._accounts.get(sender.bare)
        _drop_forged_ids(stanza, account.jid, sender.bare if other is not None else None)
        payload = payload_of(stanza, keep)
        records: list[Record] = []
        if keep & ARCHIVE and self._archive is not None:
            payload = self._archived(account, other, payload, to, sender, records)
        elif keep & SPOOL and origin.is_counting:
            # Nothing else keeps it, and its sender will be told that it has arrived: it stays until that is true.
            is_spooled = True
        if is_spooled:
            payload.spooled = seq = self._spool.new_seq()
            records.append(MessageSpooled(account.number, seq, self._clock.seconds(), payload.addressed(to)))
        if records:
            step = Step(records, stanza)
            origin.emit(self._writer.submit(step), step, self._hand_out, account, payload, to, recipients)
        else:
            origin.emit(0, None, self._hand_out, account, payload, to, recipients)

    def _archived(
        self, account: Account, other: Account | None, payload: Payload, to: JID, sender: JID, records: list[Record]
    ) -> Payload:
        """One row for both sides; the copy that goes out carries the id that it has in the recipient's archive."""
        archive = self._archive
        assert archive is not None
        seq, now = archive.new_seq(), self._clock.seconds()
        second = None if other is None or other is account else other.number
        records.append(
            MessageArchived(seq, now, account.number, second, sender, to, payload.keep, payload.addressed(to))
        )
        id = archive.id_of(seq, account.number)
        payload = payload.with_child(f"<stanza-id xmlns='{ns.SID}' id='{id}' by='{account.jid.attribute}'/>")
        payload.archive_id, payload.stamp = id, now
        return payload

    def _hand_out(self, account: Account, payload: Payload, to: JID, recipients: Sequence[Session]) -> None:
        arrived = False
        for session in recipients:
            if not session.is_over:
                session.send(payload, to)
                arrived = True
        if recipients and not arrived and not payload.spooled:
            self.left_over(account, payload, to)

    def _blocked(self, stanza: Element, type: str) -> None:
        from_occupant = any(item.tag == _MUC_USER for item in stanza)
        error = inbound_error("message", type, from_occupant)
        if error is not None:
            raise error

    def left_over(self, account: Account, payload: Payload, to: JID) -> None:
        """A message that a session had been given and did not get (XEP-0198 §5): another gets it, or it waits."""
        if payload.kind != "message" or payload.type not in ("", "normal", "chat"):
            return
        others = [
            other for other in account.sessions.values() if (other.priority or 0) >= 0 and other.priority is not None
        ]
        for session in others:
            session.send(payload, to)
        if not others and not payload.spooled and payload.keep & SPOOL:
            seq, now = self._spool.new_seq(), self._clock.seconds()
            self._writer.submit(Step([MessageSpooled(account.number, seq, now, payload.addressed(to))]))

    async def deliver_spool(self, account: Account, session: Session) -> None:
        """What has waited for the account goes to its first session that wants messages (XEP-0160 §3)."""
        for row in await self._spool.spooled(account.number):
            stanza = stanza_from(row.xml)
            to = JID.parse(stanza.get("to", account.jid))
            payload = payload_of(stanza, judge(stanza, message_type(stanza)))
            delay = f"<delay xmlns='{ns.DELAY}' from='{account.jid.domain}' stamp='{text_of(row.stamp)}'/>"
            payload = payload.with_child(delay)
            payload.spooled = row.seq
            session.send(payload, to)

    def arrived(self, session: Session, spooled: list[int]) -> None:
        """Spooled messages have reached a client that says so, or that has no way to say so."""
        self._writer.submit(Step([SpoolTaken(session.owner.number, seq) for seq in spooled]))


def _drop_forged_ids(stanza: Element, *owners: JID | None) -> None:
    """XEP-0359 §4: only we speak for the archives here."""
    for item in stanza:
        if item.tag == _STANZA_ID:
            break
    else:
        return
    for item in [item for item in stanza if item.tag == _STANZA_ID and item.get("by") in owners]:
        stanza.remove(item)
