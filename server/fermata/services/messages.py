"""Messages to accounts here: kept, then delivered, or kept until somebody comes (RFC 6121 §5, §8.5; XEP-0160)."""

from collections.abc import Iterable, Sequence
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
_BACKLOG_SECONDS: Final = 1.0  #: how often to look whether a slow connection has taken what was written


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
        payload = payload_of(stanza, keep, stamp=self._clock.seconds())
        records: list[Record] = []
        if keep & ARCHIVE and self._archive is not None:
            payload = self._archived(account, other, payload, to, sender, records)
        elif keep & SPOOL and origin.is_counting:
            # Nothing else keeps it, and its sender will be told that it has arrived: it stays until that is true.
            is_spooled = True
        if is_spooled:
            payload.spooled = seq = self._spool.new_seq()
            records.append(MessageSpooled(account.number, seq, payload.stamp, payload.addressed(to)))
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
        seq, now = archive.new_seq(), payload.stamp
        second = None if other is None or other is account else other.number
        records.append(
            MessageArchived(seq, now, account.number, second, sender, to, payload.keep, payload.addressed(to))
        )
        id = archive.id_of(seq, account.number)
        payload = payload.with_child(f"<stanza-id xmlns='{ns.SID}' id='{id}' by='{account.jid.attribute}'/>")
        payload.archive_id = id
        return payload

    def _hand_out(self, account: Account, payload: Payload, to: JID, recipients: Sequence[Session]) -> None:
        arrived = False
        for session in recipients:
            if not session.is_over:
                session.send(payload, to)
                arrived = True
        if recipients and not arrived and not payload.spooled:
            self.left_over(account, [(payload, to)])

    def _blocked(self, stanza: Element, type: str) -> None:
        from_occupant = any(item.tag == _MUC_USER for item in stanza)
        error = inbound_error("message", type, from_occupant)
        if error is not None:
            raise error

    def left_over(self, account: Account, leftovers: Iterable[tuple[Payload, JID]]) -> None:
        """Messages that a session had been given and did not get (XEP-0198 §5): others get them, or they wait."""
        under_way = _under_way(account)
        for payload, to in leftovers:
            if payload.has_arrived or payload in under_way or payload.type in ("groupchat", "headline", "error"):
                continue
            # Rooms have not asked what becomes of a private message.
            keep = payload.keep or _judged(stanza_from(payload.addressed(to)))
            if keep & SPOOL:
                self._pass_on(account, payload, to)

    def _pass_on(self, account: Account, payload: Payload, to: JID) -> None:
        stamp = payload.stamp or self._clock.seconds()
        others = [session for session in account.available() if (session.priority or 0) >= 0]
        if others:
            late = _delayed(account, payload, stamp, payload.spooled)
            for session in others:
                session.send(late, to)
        elif not payload.spooled:
            row = MessageSpooled(account.number, self._spool.new_seq(), stamp, payload.addressed(to))
            self._writer.submit(Step([row]))

    async def deliver_spool(self, account: Account, session: Session) -> None:
        """What has waited for the account goes to its first session that wants messages (XEP-0160 §3)."""
        rows = await self._spool.spooled(account.number)
        under_way = {payload.spooled for payload in _under_way(account)}
        for row in rows:
            if row.seq not in under_way:
                stanza = stanza_from(row.xml)
                payload = payload_of(stanza, _judged(stanza))
                to = JID.parse(stanza.get("to", account.jid))
                session.send(_delayed(account, payload, row.stamp, row.seq), to)

    def arrived(self, session: Session, spooled: list[int]) -> None:
        """Spooled messages have reached a client that says so, or have been written to one that has no way to."""
        if session.outbound is not None:
            self._taken(session, spooled)
        else:
            # They go out at the end of this turn, after its commit: until then they would be lost with this process.
            self._clock.callLater(0, self._clock.callLater, 0, self._sent, session, spooled)

    def _sent(self, session: Session, spooled: list[int]) -> None:
        if session.link is not None and session.link.has_backlog:
            self._clock.callLater(_BACKLOG_SECONDS, self._sent, session, spooled)
        else:
            self._taken(session, spooled)

    def _taken(self, session: Session, spooled: list[int]) -> None:
        self._writer.submit(Step([SpoolTaken(session.owner.number, seq) for seq in spooled]))


def _under_way(account: Account) -> set[Payload]:
    """What the sessions of an account have been given, and may still get."""
    return {payload for session in account.sessions.values() for payload, _ in session.under_way()}


def _delayed(account: Account, payload: Payload, stamp: float, spooled: int) -> Payload:
    """The same message, with the time at which it came to the account (XEP-0203)."""
    late = payload.with_child(f"<delay xmlns='{ns.DELAY}' from='{account.jid.domain}' stamp='{text_of(stamp)}'/>")
    late.spooled = spooled
    return late


def _judged(message: Element) -> int:
    return judge(message, message_type(message))


def _drop_forged_ids(stanza: Element, *owners: JID | None) -> None:
    """XEP-0359 §4: only we speak for the archives here."""
    for item in stanza:
        if item.tag == _STANZA_ID:
            break
    else:
        return
    for item in [item for item in stanza if item.tag == _STANZA_ID and item.get("by") in owners]:
        stanza.remove(item)
