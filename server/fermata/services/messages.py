"""Messages to accounts here: kept, then delivered, or kept until somebody comes (RFC 6121 §5, §8.5; XEP-0160)."""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from ..core.blocking import inbound_error
from ..core.delivery import Undelivered, message_recipients, message_undelivered, without_account
from ..core.keeping import ARCHIVE, COPY, SPOOL, judge
from ..core.records import Record, Step
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.origin import Clock, Origin
from ..host.registry import RESERVED
from ..host.residents import Residents
from ..host.sessions import Session
from ..host.stores import SpoolStore, Writer
from ..host.trail import NoPromises, Promises
from ..xmpp import namespaces as ns
from ..xmpp.delay import delayed
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import message_type
from .carbons import Carbons, Copy, Delivery, hand_out
from .safekeeping import Safekeeping

_log = logging.getLogger(__name__)
_STANZA_ID: Final = "{%s}stanza-id" % ns.SID
_MUC_USER: Final = "{%s}x" % ns.MUC_USER
_BACKLOG_SECONDS: Final = 1.0  #: how often to look whether a slow connection has taken what was written


class Messages:
    """Takes every message for an account."""

    def __init__(
        self,
        accounts: Residents[Account],
        safe: Safekeeping,
        spool: SpoolStore,
        writer: Writer,
        clock: Clock,
    ) -> None:
        self._accounts, self._safe, self._spool = accounts, safe, spool
        self._writer, self._clock, self._carbons = writer, clock, Carbons(safe)
        self.promises: Promises = NoPromises()  #: told of what will be handed out once it is kept

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
            may_wait = fate is Undelivered.OFFLINE
            is_spooled = may_wait and bool(keep & SPOOL)
            is_copied = may_wait and keep & COPY and account.listening
            if not is_spooled and not is_copied:
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
        drop_forged_ids(stanza, account.jid, sender.bare if other is not None else None)
        said = payload_of(stanza, keep, stamp=self._clock.seconds())
        # Where nothing else keeps it, its sender must not be told that it has arrived before it has.
        payload, records = self._safe.keep(account, other, said, to, sender, must_last=origin.is_counting)
        if is_spooled and not payload.spooled:
            records.append(self._safe.spool(account, payload, to))
        copies: Sequence[Copy] = ()
        if (other is not None and other.listening and len(other.sessions) > 1) or (
            account.listening and len(account.sessions) > len(recipients)
        ):
            delivery = Delivery(stanza, said, payload, to, sender, records, recipients)
            copies = self._copies(account, other, delivery)
        step, ticket = None, 0
        if records:
            step = Step(records, stanza)
            ticket = self._writer.submit(step)
            self.promises.to_sessions(step, payload, to, [session.jid for session in recipients])
        if copies:
            self._emit_copies(copies, origin, ticket, step)
        origin.emit(ticket, step, self._hand_out, account, payload, to, recipients)

    def _copies(self, account: Account, other: Account | None, delivery: Delivery) -> list[Copy]:
        """What goes to sessions of an account beside the recipients, and beside the sender to those of `other`."""
        sent: list[Copy] = []
        if other is not None and delivery.sender.resource:
            sent = self._carbons.of_sent(other, delivery, other.sessions.get(delivery.sender.resource))
        return sent if other is account else sent + self._carbons.of_received(account, delivery)

    def _emit_copies(self, copies: Sequence[Copy], origin: Origin, ticket: int, step: Step | None) -> None:
        """Copies go before what they are copies of: should that come back, it is known who has it."""
        if step is not None:
            for payload, sessions in copies:
                self.promises.to_each(step, payload, [session.jid for session in sessions])
        origin.emit(ticket, step, hand_out, copies)

    def keep_sent(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A message that goes to somebody who has no account here: if its sender has, his archive keeps it.

        His other sessions get copies. Where the sender is the account itself, in a room, the session that has written
        it is `origin.jid`.
        """
        type, account = message_type(stanza), self._accounts.get(sender.bare)
        keep = judge(stanza, type, is_sent=True) if account is not None and type in ("normal", "chat") else 0
        if account is None or not keep & (ARCHIVE | COPY):
            return
        drop_forged_ids(stanza, account.jid)
        payload = payload_of(stanza, keep, stamp=self._clock.seconds())
        records = self._safe.keep_sent(account, payload, to)
        step = Step(records) if records else None
        ticket = 0 if step is None else self._writer.submit(step)
        if account.listening and len(account.sessions) > 1 and keep & COPY:
            stands_in = sender.resource.startswith(RESERVED)
            writer = account.sessions.get((origin.jid if stands_in else sender).resource)
            delivery = Delivery(stanza, payload, payload, to, sender, records, stands_in=stands_in)
            copies = self._carbons.of_sent(account, delivery, writer)
            if copies:
                self._emit_copies(copies, origin, ticket, step)

    def refused(self, session: Session, error: Element) -> None:
        """Something that a session has sent came to nothing: those who have a copy of it are told as well."""
        account = self._accounts.get(session.jid.bare)
        if account is None or error.tag != "message":
            return
        try:
            sender = JID.parse(error.get("from", account.jid))
        except JIDError:
            return  # it was for nobody, so it was not copied either
        hand_out(self._carbons.of_error(account, session, error, sender))

    def keep_from_room(self, payload: Payload, to: Sequence[JID]) -> tuple[Payload, list[Record]]:
        """A message from an occupant or a room to sessions of one account here: once for the account.

        The same payload and no records if there is no such account, if it has blocked the sender, if there is nothing
        to be kept, or no room for it.
        """
        account = self._accounts.get(to[0].bare)
        if account is None or (account.blocklist and account.blocklist.blocks(JID.parse(payload.sender))):
            return payload, []
        keep = payload.keep or _judged(stanza_from(payload.addressed(to[0])))
        copy = Payload(payload.kind, payload.rest, payload.sender, payload.type, "", payload.stamp, keep)
        try:
            return self._safe.keep(account, None, copy, to[0], JID.parse(payload.sender), must_last=True)
        except StanzaError:
            return payload, []

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
            if _has_arrived(payload) or payload in under_way or payload.type in ("groupchat", "headline", "error"):
                continue
            # Rooms have not asked what becomes of a private message.
            keep = payload.keep or _judged(stanza_from(payload.addressed(to)))
            if keep & SPOOL:
                self._pass_on(account, payload, to)

    def _pass_on(self, account: Account, payload: Payload, to: JID) -> None:
        stamp, copy = payload.stamp or self._clock.seconds(), payload.copy
        available = [session for session in account.available() if (session.priority or 0) >= 0]
        others = [session for session in available if copy is None or not _is_under_way(copy, session)]
        if others:
            late = _delayed(account, payload, stamp, payload.spooled)
            for session in others:
                session.send(late, to)
        elif not payload.spooled:
            payload.stamp = stamp
            try:
                self._writer.submit(Step([self._safe.spool(account, payload, to)]))
            except StanzaError:
                _log.warning("the spool of %s is full: a message is only in the archive", account.jid)
            if copy is not None:
                copy.spooled = payload.spooled  # it waits until somebody has at least the copy

    async def deliver_spool(self, account: Account, session: Session) -> None:
        """What has waited for the account goes to its first session that wants messages (XEP-0160 §3)."""
        rows = await self._spool.spooled(account.number)
        under_way = {payload.spooled for payload in _under_way(account)}
        for row in rows:
            if row.seq in under_way:
                continue
            stanza = stanza_from(row.xml)
            payload = payload_of(stanza, _judged(stanza))
            if account.blocklist and account.blocklist.blocks(JID.parse(payload.sender)):
                self._safe.take(account, [row.seq])  # he was blocked after he had sent it
                continue
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
        account = self._accounts.get(session.jid.bare)
        if account is not None:
            self._safe.take(account, spooled)


def _under_way(account: Account) -> set[Payload]:
    """What the sessions of an account have been given, and may still get."""
    return {payload for session in account.sessions.values() for payload, _ in session.under_way()}


def _is_under_way(copy: Payload, session: Session) -> bool:
    return any(payload is copy for payload, _ in session.under_way())


def _has_arrived(payload: Payload) -> bool:
    """Whether a client of the account has it, be it as a copy."""
    return payload.has_arrived or (payload.copy is not None and payload.copy.has_arrived)


def _delayed(account: Account, payload: Payload, stamp: float, spooled: int) -> Payload:
    """The same message, with the time at which it came to the account (XEP-0203)."""
    late = delayed(payload, account.jid.domain, stamp)
    late.spooled, late.copy = spooled, payload.copy
    return late


def _judged(message: Element) -> int:
    return judge(message, message_type(message))


def drop_forged_ids(stanza: Element, *owners: JID | None) -> bool:
    """XEP-0359 §4: only we speak for the archives here. Whether there was anything to drop."""
    for item in stanza:
        if item.tag == _STANZA_ID:
            break
    else:
        return False
    forged = [item for item in stanza if item.tag == _STANZA_ID and item.get("by") in owners]
    for item in forged:
        stanza.remove(item)
    return bool(forged)
